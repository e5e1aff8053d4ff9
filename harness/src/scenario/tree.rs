//! A file's content as a tree in which every key and value keeps its place. It has no meaning yet.

use crate::source::{Place, WithPlace};

#[derive(Debug)]
pub(crate) struct Tree {
    /// Of a list or mapping only the first line, so that a caret stays short.
    pub place: Place,
    pub value: TreeValue,
}

#[derive(Debug)]
pub(crate) enum TreeValue {
    /// Left empty, or `null`.
    Nothing,
    Scalar {
        text: String,
        /// Without quotes, so that it may be a number or a yes or no.
        plain: bool,
    },
    List(Vec<Tree>),
    Map(Vec<KeyValue>),
}

#[derive(Debug)]
pub(crate) struct KeyValue {
    pub key: WithPlace<String>,
    pub value: Tree,
}

impl Tree {
    /// Returns what stands here, in the words of a message.
    pub fn what(&self) -> &'static str {
        match &self.value {
            TreeValue::Nothing => "nothing",
            TreeValue::Scalar { plain: false, .. } => "text in quotes",
            TreeValue::Scalar { text, .. } if text.parse::<f64>().is_ok() => "a number",
            TreeValue::Scalar { text, .. } if text == "true" || text == "false" => "true or false",
            TreeValue::Scalar { .. } => "text",
            TreeValue::List(_) => "a list",
            TreeValue::Map(_) => "a mapping",
        }
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self.value, TreeValue::Nothing)
    }

    pub fn entries(&self) -> &[KeyValue] {
        match &self.value {
            TreeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Tree] {
        match &self.value {
            TreeValue::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the items of a list, or the one thing itself.
    pub fn one_or_more(&self) -> &[Tree] {
        match &self.value {
            TreeValue::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    pub fn entry(&self, key: &str) -> Option<&KeyValue> {
        self.entries().iter().find(|entry| entry.key.value == key)
    }

    pub fn get(&self, key: &str) -> Option<&Tree> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            TreeValue::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the text under `key`.
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub fn number(&self) -> Option<u64> {
        match &self.value {
            TreeValue::Scalar { text, plain: true } if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().ok()
            }
            _ => None,
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match &self.value {
            TreeValue::Scalar { text, plain: true } => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns where `key` stands, else where the whole stands.
    pub fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or(self.place, |entry| entry.key.place)
    }

    /// Returns where the value of `key` stands, else where the whole stands.
    pub fn value_place(&self, key: &str) -> Place {
        self.entry(key).map_or(self.place, |entry| entry.value.place)
    }
}
