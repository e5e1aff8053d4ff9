//! Every question to the engine has a limit of its own: an engine that hangs is said to, instead of a run that hangs
//! with it.
//!
//! What the run only listens to, the output of a container and its end, has none: nobody waits for it without a
//! deadline.

use std::time::Duration;

use tokio::time::timeout;

use super::error::{EngineError, Problem};

/// What is only looked up or noted down takes an engine some milliseconds, and a busy one a second or two.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The engine's answer, where it has one at once.
pub(super) async fn answer<T, E: Into<Problem>>(
    what: &str,
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError> {
    within(ANSWER_WITHIN, what, asking).await
}

/// The engine's answer to what takes it a while.
pub(super) async fn within<T, E: Into<Problem>>(
    limit: Duration,
    what: &str,
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError> {
    match timeout(limit, asking).await {
        Ok(answer) => answer.map_err(|error| EngineError::of(what, error)),
        Err(_) => Err(EngineError::silent(what, limit)),
    }
}
