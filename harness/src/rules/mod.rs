//! What counts: classes of breaks, hygiene and budgets become findings.

pub mod finding;

pub use finding::{Finding, Line, Note};
