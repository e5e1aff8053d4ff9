//! Reads JSON piece by piece (RFC 8259), strictly: no comments, no trailing commas, no lone surrogates.
//!
//! Only a string can hold what is not ASCII, so each string is looked at for UTF-8, and the text as a whole is not.

use std::borrow::Cow;
use std::fmt;

/// Objects and arrays inside each other, also in what is ignored.
pub const NESTING_LIMIT: u32 = 100;

/// The reason why a text is not OTLP/JSON, and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub what: &'static str,
    /// The message and key of the nearest value, empty at the outermost level.
    pub key: String,
    /// Bytes into the text.
    pub at: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not valid OTLP/JSON: {} at byte {}", self.what, self.at)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, ", in `{}`", self.key) }
    }
}

impl std::error::Error for Unreadable {}

/// Boxed, so that what is read well is handed on in registers.
pub type Read<T> = Result<T, Box<Unreadable>>;

#[derive(Debug)]
pub struct Lexer<'a> {
    text: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    #[cold]
    pub fn fault<T>(&self, what: &'static str) -> Read<T> {
        Err(Box::new(Unreadable { what, key: String::new(), at: self.at }))
    }

    /// Returns how much of the text was not read yet.
    pub fn left(&self) -> usize {
        self.text.len() - self.at
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.text
    }

    fn utf8(&self, from: usize, until: usize) -> Read<&'a str> {
        std::str::from_utf8(&self.text[from..until]).map_err(|fault| {
            let (what, key) = ("text that is not UTF-8", String::new());
            Box::new(Unreadable { what, key, at: from + fault.valid_up_to() })
        })
    }

    /// Returns the next byte that is not white space, without going over it.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        match self.bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_far(),
        }
    }

    #[cold]
    fn peek_far(&mut self) -> Option<u8> {
        let rest = &self.bytes()[self.at..];
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.at += spaces;
        rest.get(spaces).copied()
    }

    /// Goes over `byte` if it is next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub fn expect(&mut self, byte: u8, what: &'static str) -> Read<()> {
        if self.eat(byte) { Ok(()) } else { self.fault(what) }
    }

    pub fn literal(&mut self, word: &'static str) -> bool {
        self.peek();
        let found = self.bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub fn end(&mut self) -> Read<()> {
        if self.peek().is_none() { Ok(()) } else { self.fault("text after the end of the message") }
    }

    /// Returns whether another element follows after one.
    #[inline]
    pub fn another(&mut self, close: u8) -> Read<bool> {
        let next = self.peek();
        if next != Some(b',') && next != Some(close) {
            return self.fault("neither a comma nor the end of the list or object");
        }
        self.at += 1;
        Ok(next == Some(b','))
    }

    pub fn string(&mut self) -> Read<Cow<'a, str>> {
        self.expect(b'"', "no string")?;
        let start = self.at;
        self.at += plain_length(&self.bytes()[start..]);
        match self.bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.utf8(start, self.at - 1).map(Cow::Borrowed)
            }
            Some(b'\\') => self.escaped(start).map(Cow::Owned),
            Some(_) => self.fault("a control character in a string"),
            None => self.fault("a string without an end"),
        }
    }

    /// Goes on at the first backslash of the string that starts at `start`.
    fn escaped(&mut self, start: usize) -> Read<String> {
        let mut string = self.utf8(start, self.at)?.to_owned();
        loop {
            match self.bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    self.at += 1;
                    string.push(self.escape()?);
                }
                Some(0..0x20) => return self.fault("a control character in a string"),
                Some(_) => {
                    let length = plain_length(&self.bytes()[self.at..]);
                    string.push_str(self.utf8(self.at, self.at + length)?);
                    self.at += length;
                }
                None => return self.fault("a string without an end"),
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let Some(letter) = self.bytes().get(self.at) else { return self.fault("a string without an end") };
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return self.fault("an unknown escape"),
        })
    }

    fn unicode(&mut self) -> Read<char> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if !self.bytes()[self.at..].starts_with(b"\\u") {
                return self.fault("half of a surrogate pair");
            }
            self.at += 2;
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return self.fault("half of a surrogate pair");
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).map_or_else(|| self.fault("half of a surrogate pair"), Ok)
    }

    fn four_digits(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.bytes().get(self.at).and_then(|digit| char::from(*digit).to_digit(16));
            let Some(digit) = digit else { return self.fault("an escape without four hexadecimal digits") };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Returns the text of a number.
    pub fn number(&mut self) -> Read<&'a str> {
        self.peek();
        let start = self.at;
        let bytes = self.bytes();
        self.at += usize::from(bytes.get(self.at) == Some(&b'-'));
        let integer = self.digits();
        if integer == 0 || (integer > 1 && bytes[self.at - integer] == b'0') {
            return self.fault("no number");
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.fault("a number without digits after the point");
            }
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(bytes.get(self.at), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return self.fault("a number without digits in its exponent");
            }
        }
        self.utf8(start, self.at)
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Goes over any value.
    pub fn skip(&mut self, depth: u32) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.skip_members(b'}', depth),
            Some(b'[') => self.skip_members(b']', depth),
            Some(b't') if self.literal("true") => Ok(()),
            Some(b'f') if self.literal("false") => Ok(()),
            Some(b'n') if self.literal("null") => Ok(()),
            Some(_) => self.number().map(drop),
            None => self.fault("no value"),
        }
    }

    fn skip_members(&mut self, close: u8, depth: u32) -> Read<()> {
        self.at += 1;
        let Some(depth) = depth.checked_sub(1) else {
            return self.fault("more than 100 objects or lists inside each other");
        };
        if self.eat(close) {
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.string()?;
                self.expect(b':', "no colon after a key")?;
            }
            self.skip(depth)?;
            if !self.another(close)? {
                return Ok(());
            }
        }
    }
}

/// One bit, and the highest one, of each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Returns the number of bytes before the next quote, backslash, control character or byte that is not ASCII.
#[inline]
pub(super) fn ascii_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(both) = bytes[at..].first_chunk::<16>() {
        let both = u128::from_le_bytes(*both);
        let (first, second) = (stops(both as u64), stops((both >> 64) as u64));
        if first != 0 {
            return at + first.trailing_zeros() as usize / 8;
        }
        if second != 0 {
            return at + 8 + second.trailing_zeros() as usize / 8;
        }
        at += 16;
    }
    let rest = bytes[at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..));
    at + rest.count()
}

/// Returns a word whose lowest set bit is the highest one of the first byte that ends a run of plain ASCII; those
/// above it may be wrong, since a subtraction borrows.
#[inline]
fn stops(word: u64) -> u64 {
    // This swaps the quote with the space, so that it is below one bound with the control characters.
    let low = (word ^ (ONES * (u64::from(b'"') ^ 0x20))).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (low | backslash | word) & HIGHS
}

/// Returns the number of bytes before the next quote, backslash or control character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let rest = tail.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    words.len() * 8 + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_plain_run_is_found_wherever_it_is() {
        for length in 0..40 {
            for stop in ['"', '\\', '\u{1f}', '\0'] {
                let text = format!("{}{stop}aaaa\"", "aä".repeat(length));
                assert_eq!(plain_length(text.as_bytes()), 3 * length, "{text:?}");
                let text = format!("{}{stop}aaaa\"", "a".repeat(length));
                assert_eq!(ascii_length(text.as_bytes()), length, "{text:?}");
            }
        }
    }

    #[test]
    fn every_byte_ends_a_run_of_ascii_or_does_not_whatever_follows_it() {
        for byte in 0..=255u8 {
            let ends = matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..);
            for next in 0..=255u8 {
                let found = stops(u64::from_le_bytes([b' ', byte, next, b'~', b'~', b'~', b'~', b'~']));
                assert_eq!(found.trailing_zeros() / 8 == 1, ends, "{byte} {next}");
            }
        }
    }

    #[test]
    fn escapes_become_characters() {
        let read = |text: &str| Lexer::new(text.as_bytes()).string().map(Cow::into_owned);
        assert_eq!(read(r#""a\u00e4\n\ud83d\ude00\/""#).unwrap(), "aä\n😀/");
        for wrong in [r#""\ud83d""#, r#""\ude00""#, r#""\x""#, r#""\u12""#, "\"a\nb\"", "\"open", r#""\"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_string_that_is_not_utf8_is_refused_also_where_nobody_wants_it() {
        for wrong in
            [&b"\"\xff\""[..], b"\"a\\n\xc3\"", b"\"\xc3\\n\"", b"[\"long enough to be read by words \x80\"]"]
        {
            assert!(Lexer::new(wrong).skip(9).is_err_and(|fault| fault.what == "text that is not UTF-8"));
        }
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for right in ["0", "-0", "10", "1.5", "1e3", "1E-3", "-2.5e+10"] {
            assert_eq!(Lexer::new(right.as_bytes()).number().unwrap(), right);
        }
        for wrong in ["", "-", "01", ".5", "1.", "1e", "+1", "NaN"] {
            assert!(Lexer::new(wrong.as_bytes()).number().is_err(), "{wrong}");
        }
    }
}
