//! A time limit on every request to the engine: an engine that hangs becomes an error instead of a run that hangs.
//!
//! Streams of a container's output and the wait for its end have no limit: nobody awaits them without a deadline.

use std::time::Duration;

use tokio::time::timeout;

use super::error::EngineError;
use crate::error_chain::BoxedError;

/// An engine takes some milliseconds for what is only looked up or noted down; a busy one a second or two.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Awaits the answer to a request for `what`, for at most `ANSWER_WITHIN`.
pub(super) async fn answer<T, E: Into<BoxedError>>(
    what: &str,
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError> {
    within(ANSWER_WITHIN, what, asking).await
}

/// Awaits the answer to a request for `what`, for at most `limit`.
pub(super) async fn within<T, E: Into<BoxedError>>(
    limit: Duration,
    what: &str,
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError> {
    match timeout(limit, asking).await {
        Ok(answer) => answer.map_err(|error| EngineError::of(what, error)),
        Err(_) => Err(EngineError::silent(what, limit)),
    }
}
