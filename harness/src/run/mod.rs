//! Runs a scenario through all stages. It owns deadlines and the clock.

mod canary;
pub mod case;
mod case_run;
mod completion;
mod completion_state;
mod descriptor_budget;
mod due;
pub mod fresh;
pub mod gather;
pub mod judge;
mod kept_name;
mod late_groups;
mod masked_case;
pub mod selection;
mod software;
pub mod suite;
mod waiting;

pub use case::{CaseOptions, case};
pub use case_run::CaseRun;
pub use fresh::fresh_seed;
pub use judge::JudgeSettings;
pub use suite::{SelectedCase, SuiteEnd, SuiteOptions, kept_apart, suite};
