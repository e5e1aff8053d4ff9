//! A value in place of another: the same length, the same escapes, white space and invalid bytes in the same places,
//! and other characters.
//!
//! Two values are equal after masking if they were equal before it, percent-encoded or not (W3C Baggage 3.3.1.3): each
//! character is chosen by a keyed hash of the decoded value. The key is random, so that a value cannot be looked up.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::wire::hex;

/// The letters of masks: no hexadecimal digits, so that no mask completes a `%`.
const LETTERS: &[u8; 40] = b"ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ";
/// The first character of a mask, where it has more than one.
const FIRST: char = '*';
/// A value of one character has few masks of its length. After so many attempts the mask is longer.
const ATTEMPTS: u32 = 64;
/// Beyond this the masks of short values may coincide.
const REMEMBERED: usize = 200_000;

/// Masks values under one key, and remembers them.
#[derive(Default)]
pub(super) struct Shapes {
    key: RandomState,
    /// The attempt whose mask a value has.
    by_value: HashMap<String, u32>,
    taken: HashSet<String>,
}

/// A masked value as it is on the wire and decoded.
pub(super) struct MaskedValue {
    pub(super) wire: Vec<u8>,
    pub(super) decoded: Vec<u8>,
    /// The value itself, decoded.
    pub(super) plain: Vec<u8>,
}

/// The escapes of a value: with `Percent`, `%XX` stands for a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    Percent,
    None,
}

/// One byte of a decoded value, and how it was written.
struct Unit {
    byte: u8,
    written: Notation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    Plain,
    Upper,
    Lower,
}

impl Shapes {
    pub(super) fn mask(&mut self, value: &[u8], escapes: Escapes) -> MaskedValue {
        let units = units(value, escapes);
        let plain: Vec<u8> = units.iter().map(|unit| unit.byte).collect();
        let decoded = self.of_decoded(&plain);
        let mut wire = Vec::with_capacity(value.len());
        for (at, byte) in decoded.iter().enumerate() {
            let written = units.get(at).map_or(Notation::Plain, |unit| unit.written);
            match written {
                Notation::Plain => wire.push(*byte),
                Notation::Upper => wire.extend_from_slice(format!("%{byte:02X}").as_bytes()),
                Notation::Lower => wire.extend_from_slice(format!("%{byte:02x}").as_bytes()),
            }
        }
        MaskedValue { wire, decoded, plain }
    }

    fn of_decoded(&mut self, plain: &[u8]) -> Vec<u8> {
        // Readers repair invalid UTF-8, and compare the repaired values.
        let read = String::from_utf8_lossy(plain);
        if let Some(attempt) = self.by_value.get(&*read) {
            return self.candidate(plain, &read, *attempt);
        }
        let mut attempt = 0;
        let mut mask = self.candidate(plain, &read, attempt);
        if self.by_value.len() < REMEMBERED {
            while !self.taken.insert(String::from_utf8_lossy(&mask).into_owned()) {
                attempt += 1;
                mask = self.candidate(plain, &read, attempt);
            }
            self.by_value.insert(read.into_owned(), attempt);
        }
        mask
    }

    /// Returns a mask for the attempt; it grows by one letter after every `ATTEMPTS`.
    fn candidate(&self, plain: &[u8], read: &str, attempt: u32) -> Vec<u8> {
        let several = read.chars().filter(|c| is_masked(*c)).count() > 1;
        let (mut mask, mut index, mut buffer) = (Vec::with_capacity(plain.len()), 0_u32, [0; 4]);
        for chunk in plain.utf8_chunks() {
            for c in chunk.valid().chars() {
                if !is_masked(c) {
                    mask.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                    continue;
                }
                let first = several && index == 0 && c.is_ascii();
                let other = if first { FIRST } else { another(c, self.key.hash_one((read, attempt, index))) };
                mask.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
                index += 1;
            }
            mask.extend_from_slice(chunk.invalid());
        }
        for extra in 0..attempt / ATTEMPTS {
            let hash = self.key.hash_one((read, attempt, extra, "longer"));
            mask.push(LETTERS[index_of(hash, LETTERS.len())]);
        }
        mask
    }
}

/// Returns another character that takes as many bytes.
fn another(c: char, hash: u64) -> char {
    let among = |first: u32, count: usize| {
        let offset = u32::try_from(index_of(hash, count)).unwrap_or_default();
        char::from_u32(first + offset).unwrap_or(c)
    };
    match c.len_utf8() {
        1 => char::from(LETTERS[index_of(hash, LETTERS.len())]),
        2 => among(0xc0, 0x100),
        3 => among(0x4e00, 0x2000),
        _ => among(0x2_0000, 0x1000),
    }
}

fn index_of(hash: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(1).max(1);
    usize::try_from(hash % count).unwrap_or_default()
}

/// Returns whether a character is replaced. White space, delimiters, a `%` and the replacement character stay, since
/// they decide whether a value is valid.
fn is_masked(c: char) -> bool {
    !c.is_ascii_control() && !matches!(c, ' ' | '"' | ',' | ';' | '\\' | '%' | '\u{fffd}')
}

fn units(value: &[u8], escapes: Escapes) -> Vec<Unit> {
    let (mut units, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some((first, tail)) = rest.split_first() {
        let digits = if escapes == Escapes::Percent && *first == b'%' { tail.get(..2) } else { None };
        match digits.and_then(|digits| Some((digits, hex::byte(digits)?))) {
            Some((digits, byte)) => {
                let lower = digits.iter().any(u8::is_ascii_lowercase);
                units.push(Unit { byte, written: if lower { Notation::Lower } else { Notation::Upper } });
                rest = &tail[2..];
            }
            None => {
                units.push(Unit { byte: *first, written: Notation::Plain });
                rest = tail;
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Baggage;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn a_mask_has_the_shape_of_its_value_and_none_of_its_characters() {
        let mut shapes = Shapes::default();
        for value in
            ["blue", "Gr%C3%BCn%20haus", "50%", "a%zz", "two words", "caf\u{e9}", "\u{4e16}\u{754c}", ""]
        {
            let masked = shapes.mask(value.as_bytes(), Escapes::Percent);
            assert_eq!(masked.wire.len(), value.len(), "{value}: {}", text(&masked.wire));
            assert!(masked.wire.is_empty() || masked.wire != value.as_bytes(), "{value}");
            let parses = |value: &[u8]| Baggage::parse([[b"k=", value].concat().as_slice()]).is_ok();
            assert_eq!(parses(&masked.wire), parses(value.as_bytes()), "{value}: {}", text(&masked.wire));
        }
        assert!(text(&shapes.mask(b"two words", Escapes::Percent).wire).starts_with('*'));
        assert_eq!(&shapes.mask(b"two words", Escapes::Percent).wire[3..4], b" ");
        assert_eq!(shapes.mask(b"x%20y", Escapes::Percent).wire[1..4], *b"%20");
    }

    #[test]
    fn equal_values_have_equal_masks_and_others_have_others() {
        let mut shapes = Shapes::default();
        let mut masks = HashSet::new();
        for first in b'!'..=b'~' {
            for second in [b'0', b'a', b'Z'] {
                let one = shapes.mask(&[first], Escapes::None);
                let two = shapes.mask(&[first, second], Escapes::None);
                assert_eq!(one.wire, shapes.mask(&[first], Escapes::None).wire);
                masks.extend([one.wire, two.wire]);
            }
        }
        let values = usize::from(b'~' - b'!' + 1);
        assert_eq!(masks.len(), values + 3 * values);
    }

    #[test]
    fn a_value_is_equal_to_its_percent_encoded_form_before_and_after() {
        let mut shapes = Shapes::default();
        let entry = |line: &[u8]| Baggage::entries_of([[b"k=", line].concat().as_slice()]).remove(0).value;
        let forms: [(&[u8], &[u8]); 4] = [
            (b"abc", b"%61b%63"),
            ("gr\u{fc}n".as_bytes(), b"gr%C3%BCn"),
            (b"a b", b"a%20b"),
            (b"x\xffy", b"x%ff\xef\xbf\xbdy"),
        ];
        for (left, right) in forms {
            let before = entry(left) == entry(right);
            let [left, right] = [left, right].map(|form| entry(&shapes.mask(form, Escapes::Percent).wire));
            assert_eq!(left == right, before, "{} and {}", text(&left), text(&right));
        }
    }

    #[test]
    fn another_run_has_another_key() {
        let mask = || Shapes::default().mask(b"a rather long value", Escapes::None).wire;
        assert_ne!(mask(), mask());
    }
}
