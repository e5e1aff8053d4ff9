//! A seed for a run that was given none.

use std::time::{SystemTime, UNIX_EPOCH};

/// Printed by the reports and accepted back; six digits are enough to tell runs apart and easy to type.
pub fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_nanos() as u64 ^ u64::from(std::process::id())).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 44
}
