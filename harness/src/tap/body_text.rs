//! The whole body of a call, up to a limit.

/// The limit of SQS for all messages of a call with their attributes, and of a body that carries the context.
const LIMIT: usize = 1024 * 1024;

/// The reason why the body of a call cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("its body is longer than 1 MiB")]
    TooLong,
    #[error("its body is encoded as `{0}`")]
    Encoded(String),
}

/// The body of a call.
#[derive(Debug)]
pub enum BodyText {
    Whole(Vec<u8>),
    TooLong,
    /// In this encoding, which is not decoded.
    Encoded(String),
    /// It is not needed.
    Skipped,
}

impl BodyText {
    pub fn new(wanted: bool, encoding: Option<String>) -> BodyText {
        let mut text = if wanted { BodyText::Whole(Vec::new()) } else { BodyText::Skipped };
        if let Some(encoding) = encoding {
            text.encoded(encoding);
        }
        text
    }

    pub fn encoded(&mut self, encoding: String) {
        let plain = matches!(encoding.as_str(), "" | "identity");
        if matches!(self, BodyText::Whole(_)) && !plain {
            *self = BodyText::Encoded(encoding);
        }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        if let BodyText::Whole(text) = self {
            if text.len() + bytes.len() > LIMIT {
                *self = BodyText::TooLong;
            } else {
                text.extend_from_slice(bytes);
            }
        }
    }

    /// Returns what was added; nothing is added from then on.
    pub fn take(&mut self) -> BodyText {
        std::mem::replace(self, BodyText::Skipped)
    }

    /// Returns the bytes of the body; none where it is not needed.
    pub fn bytes(self) -> Result<Option<Vec<u8>>, BodyError> {
        match self {
            BodyText::Whole(text) => Ok(Some(text)),
            BodyText::TooLong => Err(BodyError::TooLong),
            BodyText::Encoded(encoding) => Err(BodyError::Encoded(encoding)),
            BodyText::Skipped => Ok(None),
        }
    }
}
