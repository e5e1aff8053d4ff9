//! Lines and columns as the YAML parser counts them -> byte offsets.
//!
//! The parser's own running index counts bytes in comments and characters elsewhere; its line and column are
//! exact, because a comment ends its line.

/// Walks from where it last was, so that a file of one very long line costs no more than its length.
#[derive(Debug)]
pub(super) struct Offsets<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    last: LastLookup,
}

#[derive(Clone, Copy, Debug)]
struct LastLookup {
    line: usize,
    column: usize,
    byte: usize,
}

impl<'a> Offsets<'a> {
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut line_starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                line_starts.push(at + 1);
            }
        }
        Self { text, line_starts, last: LastLookup { line: 1, column: 0, byte: 0 } }
    }

    /// Returns the offset of a line (from 1) and a column (from 0, in characters); the end for what lies beyond it.
    pub fn byte(&mut self, line: usize, column: usize) -> usize {
        let Some(start) = line.checked_sub(1).and_then(|line| self.line_starts.get(line)).copied() else {
            return self.text.len();
        };
        if self.last.line != line || column < self.last.column / 2 {
            self.last = LastLookup { line, column: 0, byte: start };
        }
        let LastLookup { column: from, byte, .. } = self.last;
        let byte = if column >= from {
            self.text[byte..].char_indices().nth(column - from).map_or(self.text.len(), |(at, _)| byte + at)
        } else {
            self.text[..byte].char_indices().nth_back(from - column - 1).map_or(start, |(at, _)| at)
        };
        self.last = LastLookup { line, column, byte };
        byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_every_kind_of_line_end_ends_a_line() {
        let text = "é: ü\r\n日本: x\ry: 𝄞!\nz";
        let mut offsets = Offsets::new(text);
        let mut at = |line, column| text[offsets.byte(line, column)..].chars().next();
        assert_eq!(at(1, 3), Some('ü'));
        assert_eq!(at(2, 4), Some('x'));
        assert_eq!(at(2, 1), Some('本'));
        assert_eq!(at(3, 4), Some('!'));
        assert_eq!(at(3, 3), Some('𝄞'));
        assert_eq!(at(4, 0), Some('z'));
        assert_eq!(at(1, 0), Some('é'));
        assert_eq!(at(9, 0), None);
    }
}
