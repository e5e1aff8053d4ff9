//! Bytes as text: ids as hex digits, other bytes with `\xNN` for those that are not printable (`u8::escape_ascii`).

use super::super::IdBytes;
use super::error::EvidenceError;
use super::text::FileText;
use crate::wire::hex;

pub(super) fn to_hex(bytes: &[u8]) -> FileText<'static> {
    hex::encode(bytes).into()
}

pub(super) fn from_hex(text: &str) -> Result<IdBytes, EvidenceError> {
    hex::decode_into(text.as_bytes()).ok_or_else(|| EvidenceError::Bytes(text.to_owned()))
}

/// Returns whether `escape_ascii` leaves a byte unchanged.
fn is_unescaped(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && !matches!(byte, b'\\' | b'\'' | b'"')
}

pub(super) fn to_text(bytes: &[u8]) -> FileText<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| is_unescaped(*byte)) => text.into(),
        _ => bytes.escape_ascii().to_string().into(),
    }
}

pub(super) fn from_text(text: &str) -> Result<Vec<u8>, EvidenceError> {
    if !text.contains('\\') {
        return Ok(text.as_bytes().to_vec());
    }
    unescaped(text).ok_or_else(|| EvidenceError::Bytes(text.to_owned()))
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b't' => b'\t',
            b'r' => b'\r',
            b'n' => b'\n',
            b'x' => hex::byte(&[rest.next()?, rest.next()?])?,
            quoted @ (b'\'' | b'"' | b'\\') => quoted,
            _ => return None,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_and_read() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_text(&to_text(&bytes)).unwrap(), bytes);
        assert_eq!(from_hex(&to_hex(&bytes)).unwrap().as_slice(), bytes);
    }

    #[test]
    fn invalid_escapes_are_rejected() {
        for wrong in ["\\", "\\x1", "\\q", "\\xgg"] {
            assert!(from_text(wrong).is_err(), "{wrong}");
        }
        assert!(from_hex("abc").is_err() && from_hex("zz").is_err());
    }
}
