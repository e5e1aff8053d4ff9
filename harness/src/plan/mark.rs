//! Marks: what a message is recognised by without its propagation headers.
//!
//! Written `ub<run>-<stimulus>` or `ub<run>-<stimulus>-<call>`, `run` as eight lower-case hex digits, the
//! rest decimal. Only letters, digits and dashes, so that it goes unescaped through paths, headers, queries
//! and JSON.

use std::fmt;

use super::{CallIx, StimulusIx};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Tells the runs on one machine apart.
    pub run: u32,
    pub stimulus: StimulusIx,
    /// Which call of the plan, where a relay was told to make it.
    pub call: Option<CallIx>,
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ub{:08x}-{}", self.run, self.stimulus.0)?;
        if let Some(call) = self.call {
            write!(out, "-{}", call.0)?;
        }
        Ok(())
    }
}

impl Mark {
    /// The first mark in `bytes`, wherever it stands.
    pub fn find(bytes: &[u8]) -> Option<Mark> {
        let mut from = 0;
        while let Some(at) = bytes[from..].windows(2).position(|two| two == b"ub") {
            let start = from + at + 2;
            if let Some(mark) = Self::read(&bytes[start..]) {
                return Some(mark);
            }
            from = start;
        }
        None
    }

    fn read(bytes: &[u8]) -> Option<Mark> {
        let run = std::str::from_utf8(bytes.get(..8)?).ok()?;
        if !run.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        let run = u32::from_str_radix(run, 16).ok()?;
        let (stimulus, rest) = number(bytes.get(8..)?)?;
        let call = number(rest).map(|(call, _)| CallIx(call));
        Some(Mark { run, stimulus: StimulusIx(stimulus), call })
    }
}

/// `-123...` -> 123 and the rest.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let digits = bytes.strip_prefix(b"-")?;
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let value = std::str::from_utf8(&digits[..length]).ok()?.parse().ok()?;
    Some((value, &digits[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_in_any_text() {
        for call in [None, Some(CallIx(7))] {
            let mark = Mark { run: 0xab, stimulus: StimulusIx(12), call };
            assert_eq!(Mark::find(format!("/ub/hub{mark}?x=1").as_bytes()), Some(mark));
        }
        assert_eq!(Mark::find(b"ub0000-1 ub"), None);
    }
}
