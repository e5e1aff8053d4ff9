//! Two runs side by side: findings that are new, worse, fixed or still there, and cases that did not run.
//!
//! Pure: a run is read from its JSON report, and what is compared are fields, never words.

pub mod change;
pub mod comparison;
#[cfg(feature = "junit")]
pub mod merge;
pub mod record;
pub mod shard;

pub use change::{Change, ChangeKind};
pub use comparison::{Comparison, Difference, DifferenceKind};
pub use record::{RecordError, RecordedFinding, RunRecord};
pub use shard::{Shard, ShardError};
