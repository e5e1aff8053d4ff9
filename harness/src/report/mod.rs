//! Reports: text out of values, one file per format.
//!
//! Everything here is pure: nothing prints, opens a file or reads a clock. `Outcome` gathers the progress of a run, and
//! each format makes a `String` of it:
//!
//! - `terminal::render`, for people at the end of a run, and `terminal::Live` while it is under way,
//! - `json::render`, for programs (`report.schema.json`),
//! - `junit::render`, for CI servers,
//! - `html::render`, one page for people: maps, waterfalls and bytes,
//! - `github::annotations` and `github::summary`, for GitHub Actions,
//! - `explain::explain`, the meaning of each rule and class.

pub mod command;
pub mod conformance;
pub mod explain;
pub mod github;
pub mod hop_map;
pub mod html;
pub mod json;
#[cfg(feature = "junit")]
pub mod junit;
mod markup;
pub mod outcome;
pub mod phrase;
pub mod terminal;

#[cfg(test)]
pub(crate) mod samples;

pub use outcome::{Case, CaseResult, Outcome, SharedError};
