//! Writes protobuf's wire format. Nested messages are written in place; their length is put in when they end.

use super::reader::WireType;

/// By how much the room for what is to come grows at least.
const STEP: usize = 4096;

#[derive(Debug, Default)]
pub struct Writer {
    /// The written bytes, and room for more, so that a short write is a store and no call.
    bytes: Vec<u8>,
    /// The number of written bytes.
    end: usize,
}

impl Writer {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), end: 0 }
    }

    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.end);
        self.bytes
    }

    /// Returns the next `N` bytes. What is put there is written once `advance` went over it.
    #[inline]
    pub fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.bytes.len() - self.end < N {
            self.grow(N);
        }
        self.bytes[self.end..].first_chunk_mut().expect("there is room now")
    }

    #[inline]
    pub fn advance(&mut self, length: usize) {
        self.end += length;
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = self.end + more;
        // Within what was allocated, step by step: bytes that were just set to zero are still in the cache.
        let length = if wanted <= self.bytes.capacity() {
            (wanted + STEP).min(self.bytes.capacity())
        } else {
            wanted + more.max(64)
        };
        self.bytes.resize(length, 0);
    }

    #[inline]
    pub fn key(&mut self, number: u32, wire: WireType) {
        let wire = match wire {
            WireType::Varint => 0,
            WireType::Fixed64 => 1,
            WireType::Length => 2,
            WireType::StartGroup => 3,
            WireType::EndGroup => 4,
            WireType::Fixed32 => 5,
        };
        self.varint(u64::from(number) << 3 | wire);
    }

    #[inline]
    pub fn varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.push(value as u8);
        }
        self.long_varint(value);
    }

    fn long_varint(&mut self, mut value: u64) {
        let mut length = 0;
        let room = self.room::<10>();
        while value >= 0x80 {
            room[length] = value as u8 | 0x80;
            value >>= 7;
            length += 1;
        }
        room[length] = value as u8;
        self.end += length + 1;
    }

    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        if self.bytes.len() - self.end < bytes.len() {
            self.grow(bytes.len());
        }
        self.bytes[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    #[inline]
    pub fn push(&mut self, byte: u8) {
        *self.room() = [byte];
        self.end += 1;
    }

    /// Writes a string, bytes or a message that is already encoded.
    pub fn length_delimited(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, WireType::Length);
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Writes the first `length` bytes of `rest`; more bytes behind them let short ones be copied without a call.
    #[inline]
    pub fn length_delimited_within(&mut self, number: u32, rest: &[u8], length: usize) {
        self.key(number, WireType::Length);
        self.varint(length as u64);
        match rest.first_chunk::<32>() {
            Some(more) if length <= more.len() => {
                *self.room() = *more;
                self.end += length;
            }
            _ => self.raw(&rest[..length]),
        }
    }

    /// Begins something that has its length before it; `end` wants what this returns.
    pub fn begin(&mut self, number: u32) -> OpenMessage {
        self.begin_wide(number, 1)
    }

    /// Leaves `width` bytes for the length, at most 10. If it takes another number of them, what comes after is moved.
    #[inline]
    pub fn begin_wide(&mut self, number: u32, width: u8) -> OpenMessage {
        self.key(number, WireType::Length);
        self.room::<10>();
        self.end += usize::from(width);
        OpenMessage { at: self.end, width }
    }

    /// Writes the length, and says how many bytes it took.
    #[inline]
    pub fn end(&mut self, begun: OpenMessage) -> u8 {
        let length = self.end - begun.at;
        if begun.width == 1 && length < 0x80 {
            self.bytes[begun.at - 1] = length as u8;
            return 1;
        }
        self.end_wide(begun, length)
    }

    fn end_wide(&mut self, begun: OpenMessage, mut length: usize) -> u8 {
        let width = varint_width(length as u64);
        let from = begun.at - usize::from(begun.width);
        let at = from + usize::from(width);
        if width != begun.width {
            self.room::<10>();
            self.bytes.copy_within(begun.at..begun.at + length, at);
            self.end = at + length;
        }
        for byte in &mut self.bytes[from..at] {
            *byte = length as u8 | 0x80;
            length >>= 7;
        }
        self.bytes[at - 1] &= 0x7f;
        width
    }
}

/// Something whose length is not known yet.
#[derive(Debug)]
pub struct OpenMessage {
    /// The start, after the room for its length.
    at: usize,
    width: u8,
}

/// Returns the number of bytes that a number takes as a varint.
#[inline]
pub fn varint_width(number: u64) -> u8 {
    let bits = u64::BITS - (number | 1).leading_zeros();
    // Seven bits each, rounded up, without a division: right for 1 to 64 bits.
    ((bits * 9 + 64) >> 6) as u8
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    #[test]
    fn lengths_of_all_sizes_are_read_back() {
        for size in [0usize, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            for width in 1..=4 {
                let mut writer = Writer::default();
                let begun = writer.begin_wide(3, width);
                writer.raw(&vec![7; size]);
                let taken = writer.end(begun);
                let bytes = writer.into_bytes();
                assert_eq!(bytes.len(), 1 + usize::from(taken) + size, "no byte too many");
                let mut reader = Reader::new(&bytes);
                assert_eq!(reader.key().unwrap().number, 3);
                assert!(reader.length_delimited().unwrap().iter().all(|byte| *byte == 7));
                assert!(reader.is_at_end());
            }
        }
    }

    #[test]
    fn a_number_takes_a_byte_for_each_seven_bits() {
        for bits in 1..=64u32 {
            assert_eq!(u32::from(varint_width(u64::MAX >> (64 - bits))), bits.div_ceil(7), "{bits}");
        }
        assert_eq!(varint_width(0), 1);
    }

    #[test]
    fn a_part_of_a_text_is_written_like_a_text_of_its_own() {
        let text: Vec<u8> = (0..100).collect();
        for (from, length) in
            [(0, 0), (0, 1), (3, 31), (3, 32), (3, 33), (68, 32), (69, 31), (99, 1), (100, 0)]
        {
            let (mut whole, mut within) = (Writer::default(), Writer::default());
            whole.length_delimited(5, &text[from..from + length]);
            within.length_delimited_within(5, &text[from..], length);
            assert_eq!(whole.into_bytes(), within.into_bytes(), "{from} {length}");
        }
    }
}
