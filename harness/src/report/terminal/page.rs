//! A page under construction: indented, wrapped and painted lines, none of which is a command of a CI server.

use super::{Again, Detail, Ink, Layout};
use crate::report::phrase;

/// The width of the names of a finding's fields.
const NAME_WIDTH: usize = 13;

pub(super) struct Page {
    layout: Layout,
    text: String,
}

impl Page {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout: Layout { width: layout.width.max(40), ..layout }, text: String::new() }
    }

    pub(super) fn detail(&self) -> Detail {
        self.layout.detail
    }

    pub(super) fn again(&self) -> Again {
        self.layout.again
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Returns the number of columns to the right of `indent`.
    pub(super) fn room(&self, indent: usize) -> usize {
        self.layout.width.saturating_sub(indent).max(20)
    }

    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        self.layout.palette.paint(ink, text)
    }

    /// Adds a line that is laid out and painted already. Every line of the page passes here.
    pub(super) fn raw(&mut self, line: &str) {
        self.text.push_str(&phrase::inert(line.trim_end()));
        self.text.push('\n');
    }

    /// Adds an empty line, but never two in a row, and none at the top.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds wrapped prose.
    pub(super) fn prose(&mut self, indent: usize, ink: Ink, text: &str) {
        for line in wrapped(&phrase::shown(text), self.room(indent)) {
            let painted = self.paint(ink, &line);
            self.raw(&format!("{:indent$}{painted}", ""));
        }
    }

    /// Adds one line whose columns are kept.
    pub(super) fn columns(&mut self, indent: usize, ink: Ink, line: &str) {
        let painted = self.paint(ink, &phrase::shown(line));
        self.raw(&format!("{:indent$}{painted}", ""));
    }

    /// Adds a heading with prose beside it.
    pub(super) fn hanging(&mut self, indent: usize, ink: Ink, heading: &str, text: &str) {
        let hang = heading.chars().count() + 2;
        let mut heading = format!("{}  ", self.paint(ink, heading));
        for line in wrapped(&phrase::shown(text), self.room(indent + hang)) {
            self.raw(&format!("{:indent$}{heading}{line}", ""));
            heading = " ".repeat(hang);
        }
    }

    /// Adds a named field with its prose beside the name.
    pub(super) fn field(&mut self, indent: usize, name: &str, text: &str) {
        let hang = indent + NAME_WIDTH;
        for (at, line) in wrapped(&phrase::shown(text), self.room(hang)).iter().enumerate() {
            let name = self.paint(Ink::Faint, &format!("{:<NAME_WIDTH$}", if at == 0 { name } else { "" }));
            self.raw(&format!("{:indent$}{name}{line}", ""));
        }
    }

    /// Adds a command to copy, which is never wrapped.
    pub(super) fn command(&mut self, indent: usize, name: &str, command: &str) {
        let name = self.paint(Ink::Faint, &format!("{name:<NAME_WIDTH$}"));
        let command = self.paint(Ink::Strong, &phrase::shown(command));
        self.raw(&format!("{:indent$}{name}{command}", ""));
    }

    /// Adds output of a node with its control characters made visible.
    pub(super) fn output(&mut self, indent: usize, lines: &[String]) {
        let bar = self.paint(Ink::Faint, "│");
        let (before, last) = phrase::last_lines(lines);
        if let Some(before) = before {
            self.raw(&format!("{:indent$}{bar} {before}", ""));
        }
        for line in last {
            self.raw(&format!("{:indent$}{bar} {}", "", phrase::output(line)));
        }
    }
}

/// Returns `text` in lines of at most `width` characters. A longer word is broken unless it is a link, which must stay
/// clickable.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace().flat_map(|word| broken(word, width)) {
        let used = line.chars().count();
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

fn broken(word: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    if chars.len() <= width || word.contains("://") {
        return vec![word.to_owned()];
    }
    chars.chunks(width.max(1)).map(|part| part.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdef b", 4), ["abcd", "ef b"]);
        assert_eq!(wrapped("http://a.example b", 4), ["http://a.example", "b"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
