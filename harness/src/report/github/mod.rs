//! The report for GitHub Actions: annotations beside the hops in the scenario, and a step summary.
//!
//! Annotations are lines on standard output. The caller appends the summary to the file that `GITHUB_STEP_SUMMARY`
//! names. GitHub shows at most ten errors and ten warnings of a step; the summary has all of them.

mod annotations;
mod summary;

#[cfg(test)]
mod tests;

pub use annotations::annotations;
pub use summary::summary;
