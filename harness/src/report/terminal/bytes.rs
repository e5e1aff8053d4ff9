//! Lines of bytes with a caret under the part that matters. A long line is cut around its caret.

use std::ops::Range;

use super::page::Page;
use super::{Ink, page};
use crate::report::phrase;
use crate::rules::Line;

/// Labels up to this width are printed beside their bytes, in one column.
const LABEL_LIMIT: usize = 34;

/// A line without a caret is wrapped to at most this many rows.
const ROWS: usize = 6;

/// Writes the lines of a finding, in the order in which they crossed.
pub(super) fn write(page: &mut Page, indent: usize, lines: &[Line]) {
    let widest = lines.iter().map(|line| line.label.chars().count()).max().unwrap_or(0).min(LABEL_LIMIT);
    let longest = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
    let beside = widest + 2 + longest <= page.room(indent);
    for line in lines {
        let label = phrase::shown(&line.label);
        let column = if beside { indent + widest + 2 } else { indent + 2 };
        let (rows, caret) = laid_out(line, page.room(column));
        let (first, rest) = rows.split_first().expect("there is always a first row");
        if beside && label.chars().count() <= widest {
            let label = page.paint(Ink::Faint, &format!("{label:<widest$}"));
            page.raw(&format!("{:indent$}{label}  {first}", ""));
        } else {
            page.prose(indent, Ink::Faint, &label);
            page.raw(&format!("{:column$}{first}", ""));
        }
        for row in rest {
            page.raw(&format!("{:column$}{row}", ""));
        }
        point(page, column, caret, &line.caption);
    }
}

/// Returns the text in one row around its caret. A long text without a caret is wrapped.
fn laid_out(line: &Line, room: usize) -> (Vec<String>, Option<Range<usize>>) {
    let text = phrase::shown(&line.text);
    if line.caret.is_some() || text.chars().count() <= room {
        let (text, caret) = cut(&line.text, line.caret.as_ref(), room);
        return (vec![text], caret);
    }
    let mut rows = page::wrapped(&text, room);
    if rows.len() > ROWS {
        rows.truncate(ROWS);
        rows.push("…".to_owned());
    }
    (rows, None)
}

/// Writes the caret and its caption, beside it where that fits, else below it.
fn point(page: &mut Page, column: usize, caret: Option<Range<usize>>, caption: &str) {
    let Some(caret) = caret else {
        if !caption.is_empty() {
            page.prose(column, Ink::Caret, caption);
        }
        return;
    };
    let carets = "^".repeat(caret.len().max(1));
    let indent = column + caret.start;
    let painted = page.paint(Ink::Caret, &carets);
    let beside = indent + carets.len() + 1;
    if caption.chars().count() + beside <= page.room(0) {
        let caption = page.paint(Ink::Caret, &phrase::shown(caption));
        page.raw(&format!("{:indent$}{painted} {caption}", ""));
    } else {
        page.raw(&format!("{:indent$}{painted}", ""));
        let longest = page::wrapped(caption, page.room(column)).iter().map(|line| line.chars().count()).max();
        let indent = indent.min(page.room(0).saturating_sub(longest.unwrap_or(0))).max(column);
        page.prose(indent, Ink::Caret, caption);
    }
}

/// Returns `text` in at most `room` characters and the caret in characters of it. `…` replaces omitted parts.
fn cut(text: &str, caret: Option<&Range<usize>>, room: usize) -> (String, Option<Range<usize>>) {
    let (chars, caret) = printable(text, caret);
    if chars.len() <= room {
        return (chars.into_iter().collect(), caret);
    }
    let focus = caret.clone().unwrap_or(0..0);
    let inner = room.saturating_sub(2).max(1);
    let start = if focus.len() >= inner {
        focus.start
    } else {
        focus.start.saturating_sub((inner - focus.len()) / 2).min(chars.len() - inner)
    };
    // Where nothing is cut on the left there is no ellipsis, so one more character fits on the right.
    let (start, left) = if start <= 1 { (0, "") } else { (start, "…") };
    let end = (start + inner + usize::from(left.is_empty())).min(chars.len());
    let right = if end < chars.len() { "…" } else { "" };
    let middle: String = chars[start..end].iter().collect();
    let caret = caret.map(|caret| {
        let [from, to] =
            [caret.start, caret.end].map(|at| at.clamp(start, end) - start + left.chars().count());
        from..to
    });
    (format!("{left}{middle}{right}"), caret)
}

/// Returns the characters to show and the caret counted in them: a control character takes four places (`\x1b`).
fn printable(text: &str, caret: Option<&Range<usize>>) -> (Vec<char>, Option<Range<usize>>) {
    let mut chars = Vec::new();
    let mut starts = Vec::new();
    for (at, c) in text.char_indices() {
        starts.push((at, chars.len()));
        chars.extend(phrase::shown(c.encode_utf8(&mut [0; 4])).chars());
    }
    let end = chars.len();
    let caret = caret.map(|caret| {
        let [from, to] = [caret.start, caret.end.max(caret.start)]
            .map(|byte| starts.iter().find(|(at, _)| *at >= byte).map_or(end, |(_, column)| *column));
        from..to
    });
    (chars, caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_around_its_caret() {
        let text = format!("{}BAD{}", "a".repeat(100), "b".repeat(100));
        let (shown, caret) = cut(&text, Some(&(100..103)), 21);
        assert_eq!(shown, "…aaaaaaaaBADbbbbbbbb…");
        assert_eq!(
            caret.map(|caret| shown.chars().skip(caret.start).take(3).collect()),
            Some("BAD".to_owned())
        );
    }

    #[test]
    fn a_caret_at_either_end_stays_in_sight() {
        let text = "x".repeat(50);
        for (from, to) in [(0, 2), (48, 50), (50, 50), (0, 50), (60, 70)] {
            let (shown, caret) = cut(&text, Some(&(from..to)), 20);
            let caret = caret.unwrap();
            assert!(shown.chars().count() <= 20, "{shown}");
            assert!(caret.start <= caret.end && caret.end <= 20, "{caret:?} in {shown}");
        }
    }

    #[test]
    fn carets_count_characters_and_not_bytes() {
        assert_eq!(cut("ü=x", Some(&(3..4)), 20), ("ü=x".to_owned(), Some(2..3)));
        assert_eq!(cut("\x1b=x", Some(&(2..3)), 20), ("\\x1b=x".to_owned(), Some(5..6)));
    }

    #[test]
    fn without_a_caret_a_long_line_is_wrapped_and_a_short_one_keeps_its_spaces() {
        let line = |text: &str| Line {
            label: String::new(),
            text: text.into(),
            caret: None,
            caption: String::new(),
        };
        assert_eq!(laid_out(&line("a  b"), 20).0, ["a  b"]);
        assert_eq!(
            laid_out(&line("trace 4bf9 span 00f0 parent none"), 20).0,
            ["trace 4bf9 span 00f0", "parent none"]
        );
        assert_eq!(laid_out(&line(&"word ".repeat(500)), 20).0.len(), ROWS + 1);
    }
}
