//! Percent-encoding of values that are not W3C Baggage, where other characters are safe.
//!
//! RFC 3986 2.1: everything but letters, digits, `-`, `.`, `_` and `~` is encoded; a `+` is a plus.

use super::hex;

/// Decodes each `%XX`; a `%` without two hex digits is kept.
pub fn decode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = if *first == b'%' { rest.get(1..3).and_then(hex::byte) } else { None };
        out.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    out
}

/// Encodes every byte that is not unreserved.
pub fn encode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percent_sign_without_digits_is_kept() {
        assert_eq!(decode(b"100%"), b"100%");
        assert_eq!(decode(b"%4g%41"), b"%4gA");
        assert_eq!(encode(b"value 1 / blah"), b"value%201%20%2F%20blah");
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(value: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&value)), value);
        }

        #[test]
        fn decoding_never_panics(value: Vec<u8>) {
            prop_assert!(decode(&value).len() <= value.len());
        }
    }
}
