//! YAML events -> `Tree`; the only file that knows the YAML parser.
//!
//! A part of YAML 1.2.2 is refused on purpose: anchors and aliases (a few lines can stand for gigabytes), merge
//! keys and tags (a second way to say a thing), keys that are not text, several documents in one file.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::complaints::Complaints;
use super::offsets::Offsets;
use super::tree::{KeyValue, Tree, TreeValue};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, WithPlace};

/// Deeper than any scenario.
const DEEPEST: usize = 64;
/// Keys, values, lists and mappings in one file.
const MOST_NODES: usize = 100_000;
/// Longer than any line that a person reads.
const LONGEST_LINE: usize = 100_000;

/// Returns the one document of a file; `None` when it is empty, and after an error that hides a part of it.
pub(crate) fn read(text: &str, complaints: &mut Complaints) -> Option<Tree> {
    if let Some(diagnostic) = long_line(text) {
        complaints.report(diagnostic);
        return None;
    }
    let mut reader = Reader {
        text,
        offsets: Offsets::new(text),
        open: Vec::new(),
        root: None,
        nodes: 0,
        documents: 0,
        hidden: false,
        complaints,
    };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => reader.event(event, span).ok()?,
            Err(error) => {
                let diagnostic = reader.syntax(&error);
                reader.complaints.report(diagnostic);
                return None;
            }
        }
    }
    if reader.hidden { None } else { reader.root }
}

/// An error after which reading stops; it is reported already.
struct ReadStop;

enum OpenContainer {
    List { place: Place, items: Vec<Tree> },
    Map { place: Place, entries: Vec<KeyValue>, seen: HashMap<String, Place>, key: Option<WithPlace<String>> },
}

struct Reader<'a> {
    text: &'a str,
    offsets: Offsets<'a>,
    open: Vec<OpenContainer>,
    root: Option<Tree>,
    nodes: usize,
    documents: usize,
    /// True when a part of the tree is omitted; its error is reported already.
    hidden: bool,
    complaints: &'a mut Complaints,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), ReadStop> {
        let place = self.place(span);
        match event {
            Event::DocumentStart(_) => self.document(place)?,
            Event::Alias(_) => {
                self.refuse("alias", place, "YAML aliases are not supported", "repeat the value here");
                self.hidden = true;
                self.value(Tree { place, value: TreeValue::Nothing })?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.extras(place, anchor, tag.is_some());
                let plain = style == ScalarStyle::Plain;
                let place = self.without_comment(place, style);
                self.scalar(text.into_owned(), plain, place)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.extras(place, anchor, tag.is_some());
                self.open(OpenContainer::List { place, items: Vec::new() })?;
            }
            Event::MappingStart(anchor, tag) => {
                self.extras(place, anchor, tag.is_some());
                self.open(OpenContainer::Map {
                    place,
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn document(&mut self, place: Place) -> Result<(), ReadStop> {
        self.documents += 1;
        if self.documents < 2 {
            return Ok(());
        }
        let message = "a file holds one scenario, and a second document begins here";
        self.refuse("several-documents", place, message, "move each scenario into a file of its own");
        Err(ReadStop)
    }

    fn refuse(&mut self, code: &'static str, place: Place, message: &str, help: &str) {
        self.complaints.report(Diagnostic::new(code, place, message).label("not supported here").help(help));
    }

    fn extras(&mut self, place: Place, anchor: usize, tagged: bool) {
        if anchor > 0 {
            self.refuse(
                "anchor",
                place,
                "YAML anchors are not supported",
                "remove the anchor and repeat the value where it is used",
            );
        }
        if tagged {
            self.refuse("tag", place, "YAML tags are not supported", "remove the tag");
        }
    }

    fn scalar(&mut self, text: String, plain: bool, place: Place) -> Result<(), ReadStop> {
        let key = match self.open.last_mut() {
            Some(OpenContainer::Map { key: key @ None, .. }) => key,
            _ => {
                let nothing = plain && matches!(text.as_str(), "" | "~" | "null");
                let value = if nothing { TreeValue::Nothing } else { TreeValue::Scalar { text, plain } };
                return self.value(Tree { place, value });
            }
        };
        *key = Some(WithPlace { value: text, place });
        self.count(place)
    }

    fn count(&mut self, place: Place) -> Result<(), ReadStop> {
        self.nodes += 1;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let message = format!("the file has more than {MOST_NODES} keys and values");
        self.refuse("too-much", place, &message, "split the file into several scenarios");
        Err(ReadStop)
    }

    fn open(&mut self, open: OpenContainer) -> Result<(), ReadStop> {
        let (OpenContainer::List { place, .. } | OpenContainer::Map { place, .. }) = &open;
        let place = *place;
        if self.open.len() >= DEEPEST {
            let message = format!("lists and mappings are nested more than {DEEPEST} deep");
            self.refuse(
                "too-deep",
                place,
                &message,
                "reduce the nesting: no part of a scenario needs this depth",
            );
            return Err(ReadStop);
        }
        if matches!(self.open.last(), Some(OpenContainer::Map { key: None, .. })) {
            let message = "a key must be text, not a list or a mapping";
            self.refuse("key-not-text", place, message, "write a key such as `name:` in front");
            return Err(ReadStop);
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, end: Place) -> Result<(), ReadStop> {
        let tree = match self.open.pop() {
            Some(OpenContainer::List { place, items }) => {
                Tree { place: self.first_line(place, end), value: TreeValue::List(items) }
            }
            Some(OpenContainer::Map { place, entries, .. }) => {
                Tree { place: self.first_line(place, end), value: TreeValue::Map(entries) }
            }
            None => return Ok(()),
        };
        self.value(tree)
    }

    /// Returns the place from `begin` to `end`, at most to the end of the first line.
    fn first_line(&self, begin: Place, end: Place) -> Place {
        let whole = &self.text[begin.start..end.end.max(begin.start)];
        let line = whole.split(['\n', '\r']).next().unwrap_or_default();
        Place::new(begin.start, begin.start + line.trim_end().len())
    }

    fn value(&mut self, tree: Tree) -> Result<(), ReadStop> {
        self.count(tree.place)?;
        match self.open.last_mut() {
            None => self.root = Some(tree),
            Some(OpenContainer::List { items, .. }) => items.push(tree),
            Some(OpenContainer::Map { key: key @ None, .. }) => {
                // An alias as key; it is reported already.
                *key = Some(WithPlace { value: String::new(), place: tree.place });
            }
            Some(OpenContainer::Map { entries, seen, key, .. }) => {
                if let Some(key) = key.take() {
                    self.hidden |= key.value == "<<";
                    entry(entries, seen, KeyValue { key, value: tree }, self.complaints);
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, span: Span) -> Place {
        let start = self.offsets.byte(span.start.line(), span.start.col());
        let end = self.offsets.byte(span.end.line(), span.end.col());
        self.first_line(Place::new(start, start), Place::new(end, end))
    }

    /// Returns the place of a scalar without the comment behind its closing quote, which the parser includes.
    fn without_comment(&self, place: Place, style: ScalarStyle) -> Place {
        let quote = match style {
            ScalarStyle::SingleQuoted => b'\'',
            ScalarStyle::DoubleQuoted => b'"',
            _ => return place,
        };
        let bytes = &self.text.as_bytes()[place.start..place.end];
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            let pair = bytes.get(at + 1) == Some(&quote);
            let escaped = match quote {
                b'"' => *byte == b'\\',
                _ => *byte == quote && pair,
            };
            if *byte == quote && !escaped {
                return Place::new(place.start, place.start + at + 1);
            }
            at += if escaped { 2 } else { 1 };
        }
        place
    }

    fn syntax(&mut self, error: &ScanError) -> Diagnostic {
        let at = self.offsets.byte(error.marker().line(), error.marker().col());
        if let Some(tab) = self.tab_before(at) {
            return Diagnostic::new(
                "tab",
                Place::new(tab, tab + 1),
                "YAML does not allow tabs for indentation",
            )
            .label("a tab")
            .help("indent with spaces");
        }
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        let help = if self.is_second_colon(at) {
            "put quotes around a value that has a colon and a space in it"
        } else {
            "check for a missing quote, bracket or colon, or wrong indentation, here or just before"
        };
        Diagnostic::new("yaml-syntax", Place::new(at, at + length), "invalid YAML")
            .label(error.info().to_owned())
            .help(help)
    }

    /// Returns whether a colon at `at` follows an unquoted value of its line.
    fn is_second_colon(&self, at: usize) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let value = self.text[start..at].split_once(": ").map(|(_, value)| value.trim_start());
        self.text[at..].starts_with(':')
            && value.is_some_and(|value| value.starts_with(char::is_alphanumeric))
    }

    /// Returns a tab in the indentation of the line at `at` or of the one before.
    fn tab_before(&self, at: usize) -> Option<usize> {
        let mut starts = self.text[..at].rmatch_indices('\n').map(|(at, _)| at + 1).chain([0]);
        starts.by_ref().take(2).find_map(|start| {
            let line = &self.text[start..];
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            line[..indent].find('\t').map(|tab| start + tab)
        })
    }
}

fn long_line(text: &str) -> Option<Diagnostic> {
    let mut start = 0;
    for line in text.as_bytes().split_inclusive(|byte| *byte == b'\n' || *byte == b'\r') {
        if line.len() > LONGEST_LINE {
            let message = format!("this line is longer than {LONGEST_LINE} bytes");
            let place = Place::new(start, start);
            return Some(Diagnostic::new("too-much", place, message).help("break it into several lines"));
        }
        start += line.len();
    }
    None
}

/// Adds an entry whose key is new.
fn entry(
    entries: &mut Vec<KeyValue>,
    seen: &mut HashMap<String, Place>,
    new: KeyValue,
    complaints: &mut Complaints,
) {
    let WithPlace { value: key, place } = &new.key;
    if key == "<<" {
        let message = "YAML merge keys are not supported";
        complaints.report(Diagnostic::new("merge-key", *place, message).help("repeat the keys here"));
        return;
    }
    if let Some(first) = seen.get(key) {
        let diagnostic = Diagnostic::new("duplicate-key", *place, format!("duplicate key `{key}`"))
            .label("second")
            .also(*first, "first")
            .help("keep one of them");
        complaints.report(diagnostic);
        return;
    }
    seen.insert(key.clone(), *place);
    entries.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns every key and scalar as it stands in the text at its place.
    fn places(tree: &Tree, text: &str, found: &mut Vec<(String, String)>) {
        let at = |place: Place| text[place.start..place.end].to_owned();
        for KeyValue { key, value } in tree.entries() {
            found.push((key.value.clone(), at(key.place)));
            places(value, text, found);
        }
        for item in tree.items() {
            places(item, text, found);
        }
        if let Some(scalar) = tree.text() {
            found.push((scalar.to_owned(), at(tree.place)));
        }
    }

    #[test]
    fn keys_and_values_stand_where_their_places_say() {
        let text = concat!(
            "\u{feff}# ünïcödé 日本 before everything\n",
            "größe: \"ä\\u00f6\" # 𝄞 behind\r\n",
            "list: [ö, 'é''é', {日本: x, y: 𝄞𝄞}] # ü\r\n",
            "deep:\n  - a: ü\n    b: plain text  \n  - ü: |\n      ä\n      b\n",
            "last: ü"
        );
        let mut complaints = Complaints::default();
        let tree = read(text, &mut complaints).expect("it is YAML");
        let mut found = Vec::new();
        places(&tree, text, &mut found);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(value, at)| (value.as_str(), at.as_str())).collect();
        let same = |text| (text, text);
        let expected = [
            same("größe"),
            ("äö", "\"ä\\u00f6\""),
            same("list"),
            same("ö"),
            ("é'é", "'é''é'"),
            same("日本"),
            same("x"),
            same("y"),
            same("𝄞𝄞"),
            same("deep"),
            same("a"),
            same("ü"),
            same("b"),
            same("plain text"),
            same("ü"),
            ("ä\nb\n", "ä"),
            same("last"),
            same("ü"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn quotes_distinguish_text_from_yaml_core_words() {
        let tree = read("[~, null, 'null', true, 'true', 1, '1', '', -1]", &mut Complaints::default());
        let tree = tree.expect("it is YAML");
        let what: Vec<&str> = tree.items().iter().map(Tree::what).collect();
        let (nothing, quoted, number) = ("nothing", "text in quotes", "a number");
        let boolean = "true or false";
        assert_eq!(what, [nothing, nothing, quoted, boolean, quoted, number, quoted, quoted, number]);
        assert_eq!(tree.json(), r#"[null,null,"null",true,"true",1,"1","",-1]"#);
    }
}
