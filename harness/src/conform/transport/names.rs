//! The topics and queues of a run.

/// The topic or queue that the target reads.
pub const INWARD: &str = "unbroken-in";
/// The topic or queue that the target sends to.
pub const OUTWARD: &str = "unbroken-out";
