//! The name of a field in JSON, with its first bytes as one number: a key is told from others by one comparison each.

/// How many bytes of a key are compared at once.
pub const AT_ONCE: usize = 16;

#[derive(Debug)]
pub struct Name {
    pub text: &'static str,
    /// The name and the quote after it, as far as they fit, little endian.
    head: u128,
    /// The bits of `head` that count.
    mask: u128,
}

impl Name {
    pub const fn new(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let (mut head, mut mask, mut index) = (0, 0, 0);
        while index < AT_ONCE && index <= bytes.len() {
            let byte = if index < bytes.len() { bytes[index] } else { b'"' };
            head |= (byte as u128) << (8 * index);
            mask |= 0xff << (8 * index);
            index += 1;
        }
        Self { text, head, mask }
    }

    /// Whether `rest` begins with this name and a closing quote; `first` is what it begins with.
    #[inline]
    pub fn is_next(&self, first: &[u8; AT_ONCE], rest: &[u8]) -> bool {
        (u128::from_le_bytes(*first) ^ self.head) & self.mask == 0
            && (self.text.len() < AT_ONCE || self.ends(rest))
    }

    /// The rest of a name that is longer than what is compared at once.
    fn ends(&self, rest: &[u8]) -> bool {
        let after = rest.get(AT_ONCE..).and_then(|rest| rest.strip_prefix(&self.text.as_bytes()[AT_ONCE..]));
        after.is_some_and(|after| after.first() == Some(&b'"'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_all_of_its_bytes_and_the_quote() {
        for text in [
            "a",
            "value",
            "fifteen_letters",
            "sixteen_letters_",
            "seventeen_letters",
            "twenty_or_more_letters",
        ] {
            let name = Name::new(text);
            let is_next = |key: &str| {
                let rest = format!("{key}:1,                    ");
                name.is_next(rest.as_bytes().first_chunk().unwrap(), rest.as_bytes())
            };
            assert!(is_next(&format!("{text}\"")));
            assert!(!is_next(&format!("{text}x\"")));
            assert!(!is_next(&format!("x{text}\"")));
            for at in 0..text.len() {
                let other: String =
                    text.chars().enumerate().map(|(n, c)| if n == at { '#' } else { c }).collect();
                assert!(!is_next(&format!("{other}\"")), "{other}");
            }
            assert!(!is_next(&format!("{}\"", &text[..text.len() - 1])));
        }
    }
}
