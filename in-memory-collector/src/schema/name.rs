//! The name of a JSON field as two numbers: one comparison distinguishes a short key from others, two a long one.

/// The number of bytes of a text that `Name::is_next` reads.
pub const AT_ONCE: usize = 32;

/// As many as one number holds.
const HALF: usize = 16;

#[derive(Debug)]
pub struct Name {
    pub text: &'static str,
    /// The name and the quote and colon after it, as far as they fit, little endian.
    head: u128,
    /// The bits of `head` that count.
    mask: u128,
    /// The last bytes of a name, quote and colon that do not fit.
    tail: u128,
    /// Of the name with its quote and colon.
    pub length: usize,
}

impl Name {
    pub const fn new(text: &'static str) -> Self {
        let length = text.len() + 2;
        assert!(length <= AT_ONCE, "a name is compared as a whole");
        let (mut head, mut mask, mut tail, mut index) = (0, 0, 0, 0);
        while index < length {
            let byte = byte_of(text.as_bytes(), index);
            if index < HALF {
                head |= byte << (8 * index);
                mask |= 0xff << (8 * index);
            }
            if length > HALF && index >= length - HALF {
                tail |= byte << (8 * (index + HALF - length));
            }
            index += 1;
        }
        Self { text, head, mask, tail, length }
    }

    /// Returns whether `text` begins with this name, a quote and a colon.
    #[inline]
    pub fn is_next(&self, text: &[u8; AT_ONCE]) -> bool {
        (number(text, 0) ^ self.head) & self.mask == 0
            && (self.length <= HALF || number(text, self.length - HALF) == self.tail)
    }
}

const fn byte_of(name: &[u8], index: usize) -> u128 {
    if index < name.len() {
        name[index] as u128
    } else if index == name.len() {
        b'"' as u128
    } else {
        b':' as u128
    }
}

#[inline]
fn number(text: &[u8; AT_ONCE], from: usize) -> u128 {
    text[from..].first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_all_of_its_bytes_the_quote_and_the_colon() {
        for text in [
            "a",
            "value",
            "thirteen_byte",
            "fourteen_bytes",
            "fifteen_letters",
            "seventeen_letters",
            "twenty_or_more_letters",
            "thirty_letters_is_what_it_has_",
        ] {
            let name = Name::new(text);
            let is_next = |key: &str| {
                let rest = format!("{key}1{}", " ".repeat(AT_ONCE));
                name.is_next(rest.as_bytes().first_chunk().unwrap())
            };
            assert!(is_next(&format!("{text}\":")), "{text}");
            for wrong in ["x\":", "\"", "\" :", ":", ""] {
                assert!(!is_next(&format!("{text}{wrong}")), "{text}{wrong}");
            }
            assert!(!is_next(&format!("x{text}\":")));
            for at in 0..text.len() {
                let other: String =
                    text.chars().enumerate().map(|(n, c)| if n == at { '#' } else { c }).collect();
                assert!(!is_next(&format!("{other}\":")), "{other}");
            }
            assert!(!is_next(&format!("{}\":", &text[..text.len() - 1])));
        }
    }
}
