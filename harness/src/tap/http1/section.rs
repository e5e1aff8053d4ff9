//! Collects header lines until the empty line that ends them (RFC 9112 section 2.1), however they arrive.

use crate::tap::read_error::{ReadError, SECTION_LIMIT};

/// The lines of a head, or of a trailer section.
#[derive(Debug, Default)]
pub struct Section {
    pub bytes: Vec<u8>,
    line_start: usize,
    has_line: bool,
}

impl Section {
    /// Returns a trailer section, which may be empty. A head may not, and empty lines before it are skipped (RFC 9112
    /// section 2.2).
    pub fn trailers() -> Self {
        Self { has_line: true, ..Self::default() }
    }

    /// Reads up to the end of the section; returns the number of bytes, and whether the section is complete.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), ReadError> {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            let line_end = rest.iter().position(|byte| *byte == b'\n');
            let taken = line_end.map_or(rest.len(), |at| at + 1);
            self.bytes.extend_from_slice(&rest[..taken]);
            used += taken;
            if self.bytes.len() > SECTION_LIMIT {
                return Err(ReadError::TooLong);
            }
            if line_end.is_some() && self.line_is_last() {
                return Ok((used, true));
            }
        }
        Ok((used, false))
    }

    fn line_is_last(&mut self) -> bool {
        let line = &self.bytes[self.line_start..];
        self.line_start = self.bytes.len();
        let empty = matches!(line, b"\n" | b"\r\n");
        self.has_line |= !empty;
        empty && self.has_line
    }
}
