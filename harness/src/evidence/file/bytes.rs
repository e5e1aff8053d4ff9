//! Bytes as text: ids as hex digits, all else with `\xNN` for what does not print (`u8::escape_ascii`).

use super::error::EvidenceError;
use super::text::FileText;

pub(super) fn to_hex(bytes: &[u8]) -> FileText<'static> {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    let digits: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    digits.into()
}

pub(super) fn from_hex(text: &str) -> Result<Vec<u8>, EvidenceError> {
    let wrong = || EvidenceError::Bytes(text.to_owned());
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks_exact(2).map(pair).collect();
    bytes.filter(|_| text.len().is_multiple_of(2)).ok_or_else(wrong)
}

/// Whether `escape_ascii` leaves a byte as it is.
fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && !matches!(byte, b'\\' | b'\'' | b'"')
}

pub(super) fn to_text(bytes: &[u8]) -> FileText<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| stands_for_itself(*byte)) => text.into(),
        _ => bytes.escape_ascii().to_string().into(),
    }
}

pub(super) fn from_text(text: &str) -> Result<Vec<u8>, EvidenceError> {
    if !text.contains('\\') {
        return Ok(text.as_bytes().to_vec());
    }
    let wrong = || EvidenceError::Bytes(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next().ok_or_else(wrong)? {
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            b'x' => {
                let digits = [rest.next().ok_or_else(wrong)?, rest.next().ok_or_else(wrong)?];
                let digits = std::str::from_utf8(&digits).map_err(|_| wrong())?;
                u8::from_str_radix(digits, 16).map_err(|_| wrong())?
            }
            quoted @ (b'\'' | b'"' | b'\\') => quoted,
            _ => return Err(wrong()),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_text(&to_text(&bytes)).unwrap(), bytes);
        assert_eq!(from_hex(&to_hex(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for wrong in ["\\", "\\x1", "\\q", "\\xgg"] {
            assert!(from_text(wrong).is_err(), "{wrong}");
        }
        assert!(from_hex("abc").is_err() && from_hex("zz").is_err());
    }
}
