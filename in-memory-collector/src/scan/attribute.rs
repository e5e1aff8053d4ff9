//! Validates one `KeyValue`: the shapes that nearly all attributes have at once, all others by the table.

use crate::protobuf::{MalformedBytes, is_ascii, is_utf8};
use crate::schema::KEY_VALUE;

use super::validate::validate;

/// Validates a `KeyValue`; `depth` is the number of levels that may still be nested in it.
#[inline]
pub fn key_value(bytes: &[u8], depth: u32) -> Result<(), MalformedBytes> {
    // The value and what is in it are two levels more.
    if depth >= 2 && is_plain(bytes) { Ok(()) } else { validate(&KEY_VALUE, bytes, depth) }
}

/// Returns whether it is a key and a value that is one string, bool, number: each once, in this order, shorter than
/// 128 bytes.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let [0x0a, key_length @ 0..0x80, rest @ ..] = bytes else { return false };
    let Some((key, rest)) = rest.split_at_checked(usize::from(*key_length)) else { return false };
    let [0x12, value_length @ 0..0x80, value @ ..] = rest else { return false };
    // Keys, lengths and texts are ASCII together, nearly always.
    let ascii = is_ascii(bytes);
    if usize::from(*value_length) != value.len() || !(ascii || is_utf8(key)) {
        return false;
    }
    match value {
        [0x0a, length @ 0..0x80, text @ ..] => usize::from(*length) == text.len() && (ascii || is_utf8(text)),
        [0x10, 0..0x80] | [0x18, 0..0x80] => true,
        [0x18, 0x80..=0xff, 0..0x80] => true,
        [0x21, number @ ..] => number.len() == 8,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_takes_only_what_the_table_takes() {
        let mut seed = 7u64;
        let plain: [&[u8]; 5] = [
            b"\x0a\x01k\x12\x03\x0a\x01v",
            b"\x0a\x01k\x12\x02\x10\x01",
            b"\x0a\x01k\x12\x02\x18\x05",
            b"\x0a\x01k\x12\x03\x18\x85\x01",
            b"\x0a\x01k\x12\x09\x2112345678",
        ];
        let mut taken = 0;
        for sample in plain {
            assert!(is_plain(sample), "{sample:?}");
            for _ in 0..20_000 {
                let mut bytes = sample.to_vec();
                for _ in 0..2 {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let at = (seed >> 33) as usize % bytes.len();
                    bytes[at] = (seed >> 50) as u8;
                }
                if is_plain(&bytes) {
                    taken += 1;
                    assert_eq!(validate(&KEY_VALUE, &bytes, 50), Ok(()), "{bytes:?}");
                }
            }
        }
        assert!(taken > 100);
    }
}
