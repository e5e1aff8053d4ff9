//! The report for GitHub Actions: annotations beside the hops in the scenario, and a step summary.
//!
//! Annotations are lines on standard output; the summary is what the caller appends to the file that
//! `GITHUB_STEP_SUMMARY` names. GitHub shows ten errors and ten warnings of a step, so the summary has them
//! all.

mod annotations;
mod summary;

#[cfg(test)]
mod tests;

pub use annotations::annotations;
pub use summary::summary;
