//! Trace and span ids of the right length. What has another length stays bytes: see `Span::trace_id_bytes`.
//!
//! Clause: opentelemetry-proto `trace.proto`, `Span.trace_id` and `Span.span_id`: 16 and 8 bytes, not all zero.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub [u8; 16]);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub [u8; 8]);

/// Not the hexadecimal digits of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is {0} hexadecimal digits")]
pub struct IdError(usize);

impl TraceId {
    /// Returns the id, if the bytes are a valid one: 16 of them, not all zero.
    pub fn valid(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().filter(|id| *id != [0; 16]).map(Self)
    }
}

impl SpanId {
    /// Returns the id, if the bytes are a valid one: 8 of them, not all zero.
    pub fn valid(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().filter(|id| *id != [0; 8]).map(Self)
    }
}

impl From<[u8; 16]> for TraceId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; 8]> for SpanId {
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(digits: &str) -> Result<Self, IdError> {
        from_hex(digits).map(Self)
    }
}

impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(digits: &str) -> Result<Self, IdError> {
        from_hex(digits).map(Self)
    }
}

fn from_hex<const N: usize>(digits: &str) -> Result<[u8; N], IdError> {
    let mut id = [0; N];
    if digits.len() != 2 * N {
        return Err(IdError(2 * N));
    }
    for (byte, pair) in id.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let (Some(high), Some(low)) = (hex_digit(pair[0]), hex_digit(pair[1])) else {
            return Err(IdError(2 * N));
        };
        *byte = high << 4 | low;
    }
    Ok(id)
}

/// Returns the value of a hexadecimal digit of either case.
pub fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_printed_and_read_alike() {
        let digits = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(digits.parse::<TraceId>().unwrap().to_string(), digits);
        assert_eq!(digits.to_uppercase().parse::<TraceId>().unwrap().to_string(), digits);
        assert!("0af7".parse::<SpanId>().is_err());
        assert!("0xf7651916cd43dd".parse::<SpanId>().is_err());
    }

    #[test]
    fn zero_and_other_lengths_are_not_valid() {
        assert_eq!(TraceId::valid(&[0; 16]), None);
        assert_eq!(TraceId::valid(&[1; 15]), None);
        assert_eq!(SpanId::valid(&[1; 8]), Some(SpanId([1; 8])));
    }
}
