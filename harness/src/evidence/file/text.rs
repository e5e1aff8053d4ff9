//! Text of an evidence file: borrowed from the file where it has no escapes, which is nearly everywhere.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A `Cow<str>` that serde borrows inside containers too, not only as a field of a struct.
#[derive(Debug)]
pub(super) struct FileText<'t>(Cow<'t, str>);

impl Deref for FileText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for FileText<'_> {
    fn from(text: String) -> Self {
        FileText(Cow::Owned(text))
    }
}

impl<'t> From<&'t str> for FileText<'t> {
    fn from(text: &'t str) -> Self {
        FileText(Cow::Borrowed(text))
    }
}

impl<'t> From<&'t CompactString> for FileText<'t> {
    fn from(text: &'t CompactString) -> Self {
        FileText(Cow::Borrowed(text))
    }
}

impl<'t> From<&'t String> for FileText<'t> {
    fn from(text: &'t String) -> Self {
        FileText(Cow::Borrowed(text))
    }
}

impl Serialize for FileText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 't, 't> Deserialize<'de> for FileText<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(FileText)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
