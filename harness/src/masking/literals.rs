//! Texts that are replaced wherever they stand in another text, the longest first.

use std::collections::HashMap;
use std::ops::Range;

/// The bytes by which a literal is found; shorter ones would be found everywhere.
const START: usize = 3;
/// A shorter literal is replaced as a word of its own only: `blue` does not stand in `bluebird`.
const ANYWHERE: usize = 8;

/// The shortest literal that is replaced.
pub(super) const SHORTEST: usize = START;

/// Literals, each with its mask.
#[derive(Default)]
pub(super) struct Literals {
    by_start: HashMap<[u8; START], Vec<Literal>>,
    count: usize,
}

struct Literal {
    text: Vec<u8>,
    mask: Vec<u8>,
    /// It is replaced inside a word, too.
    anywhere: bool,
}

/// The place of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// As a word, if it is short.
    ShortAsWord,
    Anywhere,
}

/// A text after the replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement<T> {
    pub text: T,
    edits: Vec<Edit>,
}

/// A stretch of the old text, and the length of its mask.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    old: Range<usize>,
    length: usize,
}

impl Literals {
    /// Adds a literal; one that is shorter than `SHORTEST`, or known, changes nothing.
    pub(super) fn add(&mut self, text: &[u8], mask: &[u8], extent: Extent) {
        let Some(start) = start(text) else { return };
        let literals = self.by_start.entry(start).or_default();
        if literals.iter().any(|known| known.text == text) {
            return;
        }
        let anywhere = extent == Extent::Anywhere || text.len() >= ANYWHERE;
        let before = literals.partition_point(|other| other.text.len() >= text.len());
        literals.insert(before, Literal { text: text.to_vec(), mask: mask.to_vec(), anywhere });
        self.count += 1;
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn replace(&self, text: &str) -> Replacement<String> {
        let Replacement { text, edits } = self.replace_bytes(text.as_bytes());
        let text = String::from_utf8(text).expect("whole literals and masks are UTF-8");
        Replacement { text, edits }
    }

    pub(super) fn replace_bytes(&self, text: &[u8]) -> Replacement<Vec<u8>> {
        let (mut out, mut edits, mut at) = (Vec::with_capacity(text.len()), Vec::new(), 0);
        while at < text.len() {
            let Some(found) = self.at(text, at) else {
                out.push(text[at]);
                at += 1;
                continue;
            };
            out.extend_from_slice(&found.mask);
            edits.push(Edit { old: at..at + found.text.len(), length: found.mask.len() });
            at += found.text.len();
        }
        Replacement { text: out, edits }
    }

    /// Returns the longest literal that begins there.
    fn at(&self, text: &[u8], at: usize) -> Option<&Literal> {
        let rest = &text[at..];
        let literals = self.by_start.get(&start(rest)?)?;
        literals.iter().find(|literal| {
            rest.starts_with(&literal.text)
                && (literal.anywhere || is_word(text, at..at + literal.text.len()))
        })
    }
}

fn start(text: &[u8]) -> Option<[u8; START]> {
    text.get(..START)?.try_into().ok()
}

/// Returns whether neither neighbour of a stretch continues its word.
fn is_word(text: &[u8], stretch: Range<usize>) -> bool {
    let before = stretch.start.checked_sub(1).and_then(|at| text.get(at));
    let continues = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    !before.is_some_and(continues) && !text.get(stretch.end).is_some_and(continues)
}

impl<T> Replacement<T> {
    /// Returns the new offset of an offset of the old text; inside a literal, that of its mask's beginning.
    pub fn offset(&self, old: usize) -> usize {
        let (mut removed, mut added) = (0, 0);
        for edit in &self.edits {
            if edit.old.end <= old {
                removed += edit.old.len();
                added += edit.length;
            } else if edit.old.start < old {
                return edit.old.start - removed + added;
            }
        }
        old - removed + added
    }

    /// Returns the new range of a range of the old text, whole masks included.
    pub fn range(&self, old: Range<usize>) -> Range<usize> {
        let cut = self.edits.iter().find(|edit| edit.old.start < old.end && old.end < edit.old.end);
        let end = cut.map_or(old.end, |edit| edit.old.end);
        self.offset(old.start)..self.offset(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(list: &[(&str, &str, Extent)]) -> Literals {
        let mut literals = Literals::default();
        for (text, mask, extent) in list {
            literals.add(text.as_bytes(), mask.as_bytes(), *extent);
        }
        literals
    }

    #[test]
    fn the_longest_literal_is_replaced_and_a_short_one_as_a_word_only() {
        let all = literals(&[
            ("blue", "*xyz", Extent::ShortAsWord),
            ("blue-house", "*long", Extent::ShortAsWord),
            ("key!", "${secret.KEY}", Extent::Anywhere),
            ("ab", "never", Extent::Anywhere),
        ]);
        for (text, expected) in [
            ("tenant=blue", "tenant=*xyz"),
            ("bluebird blue-house", "bluebird *long"),
            ("prefixkey!suffix", "prefix${secret.KEY}suffix"),
            ("ab über blueü", "ab über blueü"),
            ("", ""),
        ] {
            assert_eq!(all.replace(text).text, expected);
        }
    }

    #[test]
    fn a_range_of_the_old_text_is_found_in_the_new_one() {
        let all = literals(&[("secret", "*", Extent::Anywhere)]);
        let replaced = all.replace("a secret and a secret end");
        assert_eq!(replaced.text, "a * and a * end");
        let caret = |old: Range<usize>| &replaced.text[replaced.range(old)];
        assert_eq!(caret(0..1), "a");
        assert_eq!(caret(9..12), "and");
        assert_eq!(caret(22..25), "end");
        assert_eq!((caret(4..6), caret(2..8)), ("*", "*"));
    }
}
