//! Parses the text of a file into its cases, or into all errors in it.

use std::sync::Arc;

use super::complaints::Complaints;
use super::{Scenario, build, check, format, matrix, read, shape_check, yaml};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source};

/// Returns one scenario for each case of the matrix, or every error in the order of the file.
pub fn parse(source: &Arc<Source>) -> Result<Vec<Scenario>, Vec<Diagnostic>> {
    let mut complaints = Complaints::default();
    let scenarios = cases(source, &mut complaints);
    if complaints.is_empty() { Ok(scenarios) } else { Err(complaints.finish()) }
}

fn cases(source: &Arc<Source>, complaints: &mut Complaints) -> Vec<Scenario> {
    if source.text().len() > read::LARGEST_BYTES {
        complaints.report(read::too_large());
        return Vec::new();
    }
    let Some(root) = yaml::read(source.text(), complaints) else {
        if complaints.is_empty() {
            complaints.report(empty());
        }
        return Vec::new();
    };
    if root.is_nothing() {
        complaints.report(empty());
        return Vec::new();
    }
    shape_check::check(&root, &format::SCENARIO, complaints);
    complaints.shape_is_checked();
    let mut scenarios = Vec::new();
    for case in matrix::cases(&root, complaints) {
        let draft = build::draft(source, &root, &case, complaints);
        check::check(&draft, complaints);
        if complaints.is_empty() {
            scenarios.push(build::finish(draft, &root, &case, source));
        }
    }
    scenarios
}

fn empty() -> Diagnostic {
    Diagnostic::new("empty-file", Place::new(0, 0), "the file is empty")
        .label("expected a scenario")
        .help("run `unbroken init` to write an example")
}
