//! Reads protobuf's wire format from a slice, field by field, without copying.
//!
//! It does not know any message: which field may have which wire type is the caller's business.
//! Clause: <https://protobuf.dev/programming-guides/encoding/>. Varints have at most ten bytes and fit 64 bits; groups
//! are skipped; nesting ends at 100 levels, as it does in the C++, Java, Go and Rust implementations.

use std::fmt;

/// The number of messages or groups that may be nested in the outermost one.
pub const RECURSION_LIMIT: u32 = 100;

/// The reason why bytes are not a message, and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedBytes {
    what: What,
    /// Bytes into the message; an address until `relative_to` was called.
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Varint,
    FieldNumber,
    WireType,
    /// A known field with a wire type that its type does not have.
    WrongWireType,
    Truncated,
    EndGroup,
    Nesting,
    Utf8,
}

impl MalformedBytes {
    pub fn new(what: What, rest: &[u8]) -> Self {
        Self { what, at: rest.as_ptr() as usize }
    }

    /// Turns the address of the fault into its distance from the start of the message.
    pub fn relative_to(self, message: &[u8]) -> Self {
        let start = message.as_ptr() as usize;
        let at = self.at.checked_sub(start).filter(|at| *at <= message.len()).unwrap_or(message.len());
        Self { what: self.what, at }
    }
}

impl fmt::Display for MalformedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Varint => "a varint that is cut off or does not fit 64 bits",
            What::FieldNumber => "a field key with number 0 or beyond 32 bits",
            What::WireType => "a field key with an unknown wire type",
            What::WrongWireType => "a known field with a wire type that is not its own",
            What::Truncated => "a field that is longer than the message around it",
            What::EndGroup => "the end of a group that was not begun",
            What::Nesting => "more than 100 messages or groups inside each other",
            What::Utf8 => "a string that is not UTF-8",
        };
        write!(f, "not a valid protobuf message: {what}, near byte {}", self.at)
    }
}

impl std::error::Error for MalformedBytes {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireType {
    Varint,
    Fixed64,
    Length,
    StartGroup,
    EndGroup,
    Fixed32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub number: u32,
    pub wire: WireType,
}

/// Returns the depth that is left inside a message that is a field here.
pub fn inner_depth(depth: u32, rest: &[u8]) -> Result<u32, MalformedBytes> {
    depth.checked_sub(1).ok_or_else(|| MalformedBytes::new(What::Nesting, rest))
}

/// The rest of one message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn fault(&self, what: What) -> MalformedBytes {
        MalformedBytes::new(what, self.rest)
    }

    #[inline]
    pub fn varint(&mut self) -> Result<u64, MalformedBytes> {
        if let [first, rest @ ..] = self.rest
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, MalformedBytes> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                if index == 9 && *byte > 1 {
                    break;
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(self.fault(What::Varint))
    }

    #[inline]
    pub fn key(&mut self) -> Result<Key, MalformedBytes> {
        let key = self.varint()?;
        let key = u32::try_from(key).map_err(|_| self.fault(What::FieldNumber))?;
        let wire = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Length,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return Err(self.fault(What::WireType)),
        };
        if key >> 3 == 0 {
            return Err(self.fault(What::FieldNumber));
        }
        Ok(Key { number: key >> 3, wire })
    }

    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], MalformedBytes> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.fault(What::Truncated)),
        }
    }

    /// Returns the bytes after a length.
    #[inline]
    pub fn length_delimited(&mut self) -> Result<&'a [u8], MalformedBytes> {
        let length = self.varint()?;
        let length = usize::try_from(length).map_err(|_| self.fault(What::Truncated))?;
        self.take(length)
    }

    pub fn fixed32(&mut self) -> Result<u32, MalformedBytes> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(bytes))
    }

    pub fn fixed64(&mut self) -> Result<u64, MalformedBytes> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bytes))
    }

    /// Goes over a field that is not known.
    pub fn skip(&mut self, key: Key, depth: u32) -> Result<(), MalformedBytes> {
        let inner = inner_depth(depth, self.rest)?;
        match key.wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.take(8).map(drop),
            WireType::Length => self.length_delimited().map(drop),
            WireType::Fixed32 => self.take(4).map(drop),
            WireType::EndGroup => Err(self.fault(What::EndGroup)),
            WireType::StartGroup => loop {
                let member = self.key()?;
                if member.wire != WireType::EndGroup {
                    self.skip(member, inner)?;
                } else if member.number == key.number {
                    return Ok(());
                } else {
                    return Err(self.fault(What::EndGroup));
                }
            },
        }
    }
}

/// Works like `str::from_utf8`, with a fast path for the ASCII that keys and names are made of.
#[inline]
pub fn is_utf8(bytes: &[u8]) -> bool {
    is_ascii(bytes) || std::str::from_utf8(bytes).is_ok()
}

/// Checks whole words; the last one overlaps the one before it, so that no byte is left over.
#[inline]
pub fn is_ascii(bytes: &[u8]) -> bool {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    if let Some(last) = bytes.last_chunk::<8>() {
        let words = bytes.as_chunks::<8>().0.iter();
        let seen = words.fold(u64::from_ne_bytes(*last), |seen, word| seen | u64::from_ne_bytes(*word));
        return seen & HIGHS == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & HIGHS == 0;
    }
    bytes.iter().fold(0, |seen, byte| seen | byte) < 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_of_ten_bytes_fits_and_one_bit_more_does_not() {
        let mut largest = [0xff; 10];
        largest[9] = 1;
        assert_eq!(Reader::new(&largest).varint(), Ok(u64::MAX));
        largest[9] = 2;
        assert!(Reader::new(&largest).varint().is_err());
        assert!(Reader::new(&[0x80; 3]).varint().is_err());
    }

    #[test]
    fn groups_are_skipped_and_must_end_as_they_began() {
        let skip = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let key = reader.key()?;
            reader.skip(key, RECURSION_LIMIT)?;
            Ok::<bool, MalformedBytes>(reader.is_at_end())
        };
        assert_eq!(skip(&[0x0b, 0x10, 0x01, 0x0c]), Ok(true));
        assert!(skip(&[0x0b, 0x10, 0x01, 0x14]).is_err());
        assert!(skip(&[0x0b; 200]).is_err());
    }

    #[test]
    fn ascii_and_longer_utf8_are_distinguished_from_other_bytes() {
        assert!(is_utf8(b"http.request.method"));
        assert!(is_utf8("größer als früher".as_bytes()));
        assert!(!is_utf8(b"abcdefgh\xff"));
        assert!(!is_utf8(b"\xc3"));
        for length in 0..40 {
            let mut bytes = vec![b'~'; length];
            assert!(is_ascii(&bytes));
            for at in 0..length {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{at} of {length}");
                bytes[at] = b'~';
            }
        }
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let message = [0x0a, 0x05, 0x01];
        let mut reader = Reader::new(&message);
        reader.key().unwrap();
        let fault = reader.length_delimited().unwrap_err().relative_to(&message);
        assert_eq!(
            fault.to_string(),
            "not a valid protobuf message: a field that is longer than the message around it, near byte 2"
        );
    }
}
