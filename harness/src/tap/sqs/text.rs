//! The body of a call, whole, up to a bound.

use super::json::Json;

/// What a message and its attributes may have, of all messages of a call.
const LIMIT: usize = 1024 * 1024;

#[derive(Debug)]
pub enum Text {
    Whole(Vec<u8>),
    TooLong,
    /// In this encoding, which is not undone.
    Encoded(String),
    /// Nobody asked for it.
    Skipped,
}

impl Text {
    pub fn new(wanted: bool, encoding: Option<String>) -> Text {
        let mut text = if wanted { Text::Whole(Vec::new()) } else { Text::Skipped };
        if let Some(encoding) = encoding {
            text.encoded(encoding);
        }
        text
    }

    pub fn encoded(&mut self, encoding: String) {
        let plain = matches!(encoding.as_str(), "" | "identity");
        if matches!(self, Text::Whole(_)) && !plain {
            *self = Text::Encoded(encoding);
        }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        if let Text::Whole(text) = self {
            if text.len() + bytes.len() > LIMIT {
                *self = Text::TooLong;
            } else {
                text.extend_from_slice(bytes);
            }
        }
    }

    /// What was added; nothing is added from here on.
    pub fn take(&mut self) -> Text {
        std::mem::replace(self, Text::Skipped)
    }

    /// Or why it cannot be read.
    pub fn json(self) -> Result<Json, String> {
        match self {
            Text::Whole(text) => Json::parse(&text)
                .map_err(|error| format!("its body is not the JSON that it should be: {error}")),
            Text::TooLong => Err("its body is longer than 1 MiB".to_owned()),
            Text::Encoded(encoding) => Err(format!("its body is encoded as `{encoding}`")),
            Text::Skipped => Ok(Json::Null),
        }
    }
}
