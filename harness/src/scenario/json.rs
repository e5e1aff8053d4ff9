//! A tree as JSON text: bodies that a scenario writes as YAML.
//!
//! Numbers, booleans and null as YAML 1.2 core reads them, everything in quotes as text; order kept.

use super::tree::{Tree, TreeValue};

/// A stretch of JSON text, or a string of the file that may hold templates.
#[derive(Debug)]
pub(super) enum JsonPiece<'a> {
    Text(String),
    String(&'a Tree),
}

impl Tree {
    /// Returns the JSON text, templates taken as text.
    pub(super) fn json(&self) -> String {
        let mut json = String::new();
        for piece in self.json_pieces() {
            match piece {
                JsonPiece::Text(text) => json.push_str(&text),
                JsonPiece::String(tree) => json.push_str(&escaped(tree.text().unwrap_or_default())),
            }
        }
        json
    }

    pub(super) fn json_pieces(&self) -> Vec<JsonPiece<'_>> {
        let mut pieces = Vec::new();
        write(self, &mut pieces);
        pieces
    }
}

fn write<'a>(tree: &'a Tree, pieces: &mut Vec<JsonPiece<'a>>) {
    match &tree.value {
        TreeValue::Nothing => push(pieces, "null"),
        TreeValue::Scalar { text, plain } if *plain && literal(text) => push(pieces, text),
        TreeValue::Scalar { .. } => {
            push(pieces, "\"");
            pieces.push(JsonPiece::String(tree));
            push(pieces, "\"");
        }
        TreeValue::List(items) => {
            push(pieces, "[");
            for (number, item) in items.iter().enumerate() {
                push(pieces, if number == 0 { "" } else { "," });
                write(item, pieces);
            }
            push(pieces, "]");
        }
        TreeValue::Map(entries) => {
            push(pieces, "{");
            for (number, entry) in entries.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                push(pieces, &format!("{comma}\"{}\":", escaped(&entry.key.value)));
                write(&entry.value, pieces);
            }
            push(pieces, "}");
        }
    }
}

fn push(pieces: &mut Vec<JsonPiece<'_>>, text: &str) {
    match pieces.last_mut() {
        Some(JsonPiece::Text(last)) => last.push_str(text),
        _ => pieces.push(JsonPiece::Text(text.to_owned())),
    }
}

/// Returns whether JSON and YAML read the text as a number or a boolean.
fn literal(text: &str) -> bool {
    matches!(text, "true" | "false") || serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// Returns the inside of a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
