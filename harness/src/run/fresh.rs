//! A seed for a run that sets none.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a seed that differs from run to run. It is small enough to type: reports print it, and a run accepts it.
pub fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_nanos() as u64 ^ u64::from(std::process::id())).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44
}
