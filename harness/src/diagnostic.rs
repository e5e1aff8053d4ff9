//! What a scenario's author did wrong: many at once, each with its place and a help.
//!
//! A diagnostic is never a finding about the system under test, and never an error of the machine.

use crate::source::Place;

/// One mistake in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short stable name, such as `unknown-key`.
    pub code: &'static str,
    /// Lower case, literals in backticks, no full stop.
    pub message: String,
    pub place: Place,
    /// What stands under the caret.
    pub label: String,
    /// The next step, if one can be named.
    pub help: Option<String>,
    /// Other places that belong to the mistake, such as the first of two equal keys.
    pub also: Vec<(Place, String)>,
}
