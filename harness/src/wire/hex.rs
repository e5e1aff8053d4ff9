//! Hexadecimal digits: ids and the bytes of `%XX` and `\xNN`.
//!
//! Propagation fields allow lower case only (W3C Trace Context 3.2.2), percent-encoding allows both cases (RFC 3986
//! 2.1); the caller chooses the function.

/// Returns `bytes` as lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Parses digits of either case; `None` for an odd number of digits or another character.
pub fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    decode_into(digits)
}

/// Parses digits of either case into a collection of the caller's choice, as `decode` does.
pub fn decode_into<B: FromIterator<u8>>(digits: &[u8]) -> Option<B> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(byte).collect()
}

/// Parses two digits of either case.
pub fn byte(pair: &[u8]) -> Option<u8> {
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// Parses two lower-case digits.
pub fn lower_case_byte(pair: &[u8]) -> Option<u8> {
    if pair.iter().all(|digit| is_lower_case_digit(*digit)) { byte(pair) } else { None }
}

/// Returns whether the byte is a digit that propagation fields allow.
pub fn is_lower_case_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_encoded_and_decoded() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = encode(&bytes);
        assert_eq!(decode(text.as_bytes()), Some(bytes.clone()));
        assert_eq!(decode(text.to_uppercase().as_bytes()), Some(bytes));
        assert_eq!(encode(&[0x00, 0x0f, 0xa0]), "000fa0");
    }

    #[test]
    fn odd_lengths_and_other_characters_are_rejected() {
        for wrong in ["a", "abc", "0g", "\u{e4}", " 1"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(byte(b""), None);
    }

    #[test]
    fn propagation_fields_allow_lower_case_only() {
        assert_eq!(lower_case_byte(b"af"), Some(0xaf));
        assert_eq!(lower_case_byte(b"aF"), None);
    }
}
