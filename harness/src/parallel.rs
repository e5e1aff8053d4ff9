//! Two parts of a long computation at the same time, for evidence of 100,000 spans.

use std::panic::resume_unwind;
use std::thread;

/// Runs both parts at the same time and returns both results. A panic in either becomes a panic of the caller.
pub fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| resume_unwind(panic)), other)
    })
}
