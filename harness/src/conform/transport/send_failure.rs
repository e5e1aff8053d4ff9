//! The reason why a request or message did not get through.

/// The reason in words, of a client or of the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SendFailure(pub String);
