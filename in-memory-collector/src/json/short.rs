//! Short ways through what exporters nearly always write: keys in the order of the schema, strings without escapes,
//! integers without sign, fraction and exponent.
//!
//! Each gives nothing and leaves the lexer where it is if it meets something else; the lexer's own way is taken then,
//! which knows the whole of JSON and finds the faults.

use super::attribute::{Attribute, attribute};
use super::lexer::{Lexer, ascii_length, plain_length};
use crate::schema::{AT_ONCE, Message};

/// A string of which nothing has to be changed.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    /// The string, and the text that follows it.
    pub rest: &'a [u8],
    pub length: usize,
}

impl<'a> Plain<'a> {
    pub fn bytes(self) -> &'a [u8] {
        &self.rest[..self.length]
    }
}

impl<'a> Lexer<'a> {
    #[inline]
    fn after_quote(&mut self) -> Option<&'a [u8]> {
        if self.peek()? == b'"' { self.bytes().get(self.at + 1..) } else { None }
    }

    /// Goes over the key of a field of `message` and its colon, and says which one it is. `likely` is looked at first.
    #[inline]
    pub fn short_key(&mut self, message: &'static Message, likely: usize) -> Option<usize> {
        let next = self.after_quote()?.first_chunk::<AT_ONCE>()?;
        let fields = message.fields;
        let index = match fields.get(likely) {
            Some(field) if field.json.is_next(next) => likely,
            _ => fields.iter().position(|field| field.json.is_next(next))?,
        };
        self.at += 1 + fields[index].json.length;
        Some(index)
    }

    #[inline]
    pub fn short_string(&mut self) -> Option<Plain<'a>> {
        let string = plain(self.after_quote()?);
        if string.rest.get(string.length) != Some(&b'"') {
            return None;
        }
        self.at += string.length + 2;
        Some(string)
    }

    #[inline]
    pub fn short_attribute(&mut self) -> Option<Attribute<'a>> {
        let (attribute, after) = attribute(self.bytes().get(self.at..)?)?;
        self.at = self.bytes().len() - after.len();
        Some(attribute)
    }

    /// Parses a whole number of at most 19 digits, or a string that holds one.
    #[inline]
    pub fn short_integer(&mut self) -> Option<u64> {
        let quoted = self.peek()? == b'"';
        let from = self.at + usize::from(quoted);
        let (value, length) = decimal(self.bytes().get(from..)?)?;
        match self.bytes().get(from + length) {
            Some(b'"') if quoted => self.at = from + length + 1,
            Some(b'.' | b'e' | b'E') => return None,
            _ if quoted => return None,
            _ => self.at = from + length,
        }
        Some(value)
    }
}

/// Returns the text up to the next quote, backslash, control character or byte that is not UTF-8, or the end of the
/// text.
#[inline]
pub fn plain(rest: &[u8]) -> Plain<'_> {
    let length = ascii_length(rest);
    match rest.get(length) {
        Some(0x80..) => Plain { rest, length: beyond_ascii(rest) },
        _ => Plain { rest, length },
    }
}

fn beyond_ascii(rest: &[u8]) -> usize {
    let length = plain_length(rest);
    std::str::from_utf8(&rest[..length]).map_or_else(|fault| fault.valid_up_to(), str::len)
}

/// Parses the number that the text begins with, and how many digits it has.
#[inline]
pub fn decimal(text: &[u8]) -> Option<(u64, usize)> {
    // 19 digits fit 64 bits, and 20 may not.
    const MOST: usize = 19;
    let (mut value, mut length) = (0u64, 0);
    while length + 8 <= MOST
        && let Some(word) = text[length..].first_chunk::<8>()
        && let Some(eight) = eight_digits(*word)
    {
        value = value * 100_000_000 + eight;
        length += 8;
    }
    while let Some(digit @ b'0'..=b'9') = text.get(length) {
        if length == MOST {
            return None;
        }
        value = value * 10 + u64::from(digit - b'0');
        length += 1;
    }
    let has_leading_zero = length > 1 && text[0] == b'0';
    (length > 0 && !has_leading_zero).then_some((value, length))
}

/// Returns the value of eight digits: pairs, then fours, then all are combined, in parallel in one word.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let digits = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    if (digits.wrapping_add(0x0606_0606_0606_0606) | digits) & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul((10 << 8) + 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul((100 << 16) + 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul((10_000 << 32) + 1) >> 32)
}

/// Returns the four bytes of eight hexadecimal digits, computed in parallel in one word.
#[inline]
pub fn bytes_of_hex(digits: [u8; 8]) -> Option<[u8; 4]> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(digits);
    let letters = word >> 6 & ONES;
    let values = (word & (ONES * 0x0f)) + letters * 9;
    // They are digits if they are what their values are written as, in lower case, and no value is beyond 15.
    let beyond_nine = (values + ONES * 6) >> 4 & ONES;
    let written = values + ONES * u64::from(b'0') + beyond_nine * u64::from(b'a' - b'0' - 10);
    if (written ^ (word | letters << 5)) | (values & (ONES * 0x10)) != 0 {
        return None;
    }
    let bytes = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some(((pairs | pairs >> 16) as u32).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::id::hex_digit;

    #[test]
    fn the_short_way_to_a_number_takes_what_the_long_way_takes() {
        let mut taken = 0;
        for text in ["0", "7", "00", "01", "12345678", "123456789", "1234567812345678", "9999999999999999999"]
        {
            for end in ["", " ", ",", ".5", "e1", "E1", "x", "\"", "0", "99", "/", ":"] {
                for quote in ["", "\""] {
                    let text = format!("{quote}{text}{end}{quote}");
                    let mut lexer = Lexer::new(text.as_bytes());
                    let Some(short) = lexer.short_integer() else {
                        assert_eq!(lexer.at, 0);
                        continue;
                    };
                    taken += 1;
                    let mut long = Lexer::new(text.as_bytes());
                    let number =
                        if quote.is_empty() { long.number().unwrap() } else { &long.string().unwrap() };
                    assert_eq!(super::super::number::integer(number), Some(i128::from(short)), "{text}");
                    assert_eq!(lexer.at, long.at, "{text}");
                }
            }
        }
        assert!(taken > 60, "{taken}");
    }

    #[test]
    fn eight_digits_are_eight_digits() {
        for number in (0..100_000_000u64).step_by(99_991) {
            assert_eq!(eight_digits(format!("{number:08}").as_bytes().try_into().unwrap()), Some(number));
        }
        for at in 0..8 {
            for other in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                let mut text = *b"12345678";
                text[at] = other;
                assert_eq!(eight_digits(text), None, "{text:?}");
            }
        }
    }

    #[test]
    fn hexadecimal_digits_are_the_same_everywhere() {
        for (at, byte) in (0..8).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            let mut digits = *b"0123cdEF";
            digits[at] = byte;
            let expected = digits.as_chunks::<2>().0.iter();
            let expected: Option<Vec<u8>> =
                expected.map(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?)).collect();
            assert_eq!(bytes_of_hex(digits).map(Vec::from), expected, "{digits:?}");
        }
    }

    #[test]
    fn what_is_not_plain_stays_for_the_long_way() {
        for text in ["", "\"", "\"open", "\"a\\n\"", "\"a\nb\"", "5", "null"] {
            let mut lexer = Lexer::new(text.as_bytes());
            assert!(lexer.short_string().is_none(), "{text:?}");
            assert_eq!(lexer.at, 0);
        }
        let mut lexer = Lexer::new(b" \"plain\" ");
        assert_eq!(lexer.short_string().unwrap().bytes(), b"plain");
        assert_eq!(lexer.at, 8);
    }
}
