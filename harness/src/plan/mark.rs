//! Marks: they identify a message without its propagation headers.
//!
//! Written `ub<run>-<stimulus>`, `ub<run>-<stimulus>-<call>` or, for the messages of a batch,
//! `ub<run>-<stimulus>-<call>-<item>`, `run` as eight lower-case hex digits, the rest decimal. Only letters,
//! digits and dashes, so that it goes unescaped through paths, headers, queries
//! and JSON.

use std::fmt;

use super::index::{CallIx, StimulusIx};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Distinguishes the runs on one machine.
    pub run: u32,
    pub stimulus: StimulusIx,
    /// The call of the plan, where a relay was instructed to make it.
    pub call: Option<CallIx>,
    /// The message of a batch that was sent at once, from 0.
    pub item: Option<u32>,
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ub{:08x}-{}", self.run, self.stimulus.0)?;
        if let Some(call) = self.call {
            write!(out, "-{}", call.0)?;
            if let Some(item) = self.item {
                write!(out, "-{item}")?;
            }
        }
        Ok(())
    }
}

impl Mark {
    /// Returns the first mark in `bytes`, wherever it stands.
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
        let call = number(rest);
        let item = call.and_then(|(_, rest)| u32::try_from(number(rest)?.0).ok());
        Some(Mark { run, stimulus: StimulusIx(stimulus), call: call.map(|(call, _)| CallIx(call)), item })
    }
}

/// Parses `-123...` into 123 and the rest.
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
        for (call, item) in [(None, None), (Some(CallIx(7)), None), (Some(CallIx(7)), Some(2))] {
            let mark = Mark { run: 0xab, stimulus: StimulusIx(12), call, item };
            assert_eq!(Mark::find(format!("/ub/hub{mark}?x=1").as_bytes()), Some(mark));
        }
        assert_eq!(Mark::find(b"ub0000-1 ub"), None);
    }
}
