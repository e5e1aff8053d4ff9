//! The story of one vector as lines: the bytes on both sides, a caret, the clause, and the command that repeats it.

use std::ops::Range;

use crate::conform::TransportRoute;
use crate::conform::results::{RequirementResult, Results, VectorResult};

/// One line with its label.
pub(super) struct StoryLine {
    pub label: &'static str,
    pub text: String,
    /// Characters of `text`.
    pub caret: Option<Range<usize>>,
}

impl StoryLine {
    fn new(label: &'static str, text: impl Into<String>) -> StoryLine {
        StoryLine { label, text: text.into(), caret: None }
    }
}

/// Longer values are cut around what matters.
const LONGEST: usize = 160;
/// The most output lines of the target that are shown.
const OUTPUT: usize = 5;

/// Returns bytes as text: printable ASCII as it is, everything else as `\xNN`.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| byte_text(*byte)).collect()
}

fn byte_text(byte: u8) -> String {
    match byte {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    }
}

/// Returns bytes as text, cut to a length.
pub(super) fn short(bytes: &[u8], longest: usize) -> String {
    if bytes.len() <= longest {
        return text(bytes);
    }
    format!("{}... ({} bytes)", text(&bytes[..longest]), bytes.len())
}

/// Returns the reason why a vector did not pass.
pub(super) fn why(vector: &VectorResult) -> String {
    match (&vector.mismatch, &vector.reason) {
        (Some(mismatch), _) => mismatch.to_string(),
        (None, Some(reason)) => reason.clone(),
        (None, None) => vector.outcome.clone().unwrap_or_default(),
    }
}

/// Returns the details of a vector that did not pass.
pub(super) fn lines(results: &Results, result: &RequirementResult, vector: &VectorResult) -> Vec<StoryLine> {
    let mut lines = Vec::new();
    for (name, value) in &vector.sent {
        lines.push(StoryLine::new("sent", format!("{}: {}", text(name), short(value, LONGEST))));
    }
    let difference = vector.mismatch.as_ref().and_then(|mismatch| mismatch.difference.as_ref());
    if let Some(difference) = difference
        && let Some(expected) = &difference.expected
    {
        lines.push(window("expected", &difference.field, expected, &difference.caret, false));
    }
    match difference.filter(|difference| !difference.actual.is_empty()) {
        Some(difference) => {
            lines.push(window("received", &difference.field, &difference.actual, &difference.caret, true));
        }
        None => lines.extend(received(vector)),
    }
    let ended = vector.mismatch.as_ref().map(|mismatch| mismatch.output()).unwrap_or_default();
    let output = if ended.is_empty() { &vector.output } else { ended };
    lines.extend(output.iter().rev().take(OUTPUT).rev().map(|line| StoryLine::new("output", line.clone())));
    lines.extend(vector.notes.iter().map(|note| StoryLine::new("note", note.clone())));
    lines.push(StoryLine::new("clause", result.requirement.clause.clone()));
    if let Some(mismatch) = &vector.mismatch {
        lines.extend(mismatch.format_rule().map(|rule| StoryLine::new("format", rule)));
        lines.extend(mismatch.advice.iter().map(|advice| StoryLine::new("next", advice.clone())));
    }
    lines.push(StoryLine::new("again", again(results, result, vector)));
    if !vector.curl.is_empty() {
        lines.push(StoryLine::new("curl", vector.curl.clone()));
    }
    lines
}

/// Returns the fields of each call; a call without any is shown where something was expected of it.
fn received(vector: &VectorResult) -> Vec<StoryLine> {
    let fields = vector.received.iter().flatten();
    let mut lines: Vec<StoryLine> = fields
        .map(|(name, value)| StoryLine::new("received", format!("{}: {}", text(name), short(value, LONGEST))))
        .collect();
    let expects = vector.mismatch.as_ref().is_some_and(|mismatch| mismatch.difference.is_some());
    if lines.is_empty() && expects {
        lines.push(StoryLine::new("received", "a call without propagation fields"));
    }
    lines
}

/// Returns the command that tries this vector alone, with the same ids.
fn again(results: &Results, result: &RequirementResult, vector: &VectorResult) -> String {
    let mut level = if results.level == 2 { String::new() } else { format!(" --level {}", results.level) };
    if vector.transport != TransportRoute::HTTP.words() {
        level += &format!(" --transport {}", vector.transport.replace(" -> ", ","));
    }
    let options = format!("{level} --only {}/{} --seed {}", result.requirement.id, vector.name, results.seed);
    // A command stands behind all options.
    match results.implementation.target.split_once("-- ") {
        Some((before, command)) => format!("unbroken conform {before}{} -- {command}", options.trim_start()),
        None => format!("unbroken conform {}{options}", results.implementation.target),
    }
}

/// Returns a field with its caret, cut around the caret.
fn window(label: &'static str, field: &str, bytes: &[u8], caret: &Range<usize>, pointed: bool) -> StoryLine {
    let is_long = bytes.len() > LONGEST;
    let start = if is_long { caret.start.min(bytes.len()).saturating_sub(LONGEST / 2) } else { 0 };
    let end = (start + LONGEST).min(bytes.len());
    let before = if start > 0 { "..." } else { "" };
    let after = if end < bytes.len() { "..." } else { "" };
    let head = format!("{field}: {before}");
    let [caret_start, caret_end] = [caret.start, caret.end.max(caret.start)].map(|at| at.clamp(start, end));
    let from = head.chars().count() + text(&bytes[start..caret_start]).chars().count();
    let width = text(&bytes[caret_start..caret_end]).chars().count().max(1);
    let caret = pointed.then(|| from..from + width);
    StoryLine { label, text: format!("{head}{}{after}", text(&bytes[start..end])), caret }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_bytes_that_differ_however_long_they_are() {
        let line = window("received", "tracestate", b"foo=1,\xff", &(6..7), true);
        assert_eq!(line.text, "tracestate: foo=1,\\xff");
        assert_eq!(line.caret, Some(18..22));
        let long = [b"a".repeat(500), b"X".to_vec(), b"b".repeat(500)].concat();
        let line = window("received", "x", &long, &(500..501), true);
        let caret = line.caret.unwrap();
        assert_eq!(line.text.chars().skip(caret.start).take(caret.len()).collect::<String>(), "X");
        assert!(line.text.len() < 200);
    }

    #[test]
    fn long_values_say_how_long_they_are() {
        assert_eq!(short(b"abc", 3), "abc");
        assert_eq!(short(b"abcd", 3), "abc... (4 bytes)");
    }
}
