//! Two parts of a long computation at the same time, for evidence of 100,000 spans.

use std::panic::resume_unwind;
use std::thread;

/// What each came to; a panic in either is the caller's.
pub fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| resume_unwind(panic)), other)
    })
}
