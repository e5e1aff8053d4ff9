//! Changes under the cases between two runs: versions of programs, and their configurations.
//!
//! A change is no finding. It stands beside those that are new, because it is the first thing to look at.

use std::collections::BTreeMap;

use super::record::{RecordedCase, RunRecord};

/// A program, or its configuration, that differs from that of the run before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub kind: ChangeKind,
    /// A product such as `nginx`, the name of an image, or `unbroken`.
    pub program: String,
    /// Versions, or hashes of the configuration.
    pub before: String,
    pub after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    Version,
    Configuration,
}

impl ChangeKind {
    pub fn word(self) -> &'static str {
        match self {
            ChangeKind::Version => "version changed",
            ChangeKind::Configuration => "configuration changed",
        }
    }
}

/// Returns what changed between two runs, with the titles of the cases that it is under; the version of `unbroken` is
/// under all of them, and has no titles.
pub fn between(before: &RunRecord, after: &RunRecord) -> BTreeMap<Change, Vec<String>> {
    let mut changes: BTreeMap<Change, Vec<String>> = BTreeMap::new();
    if before.tool != after.tool {
        let (program, before, after) = ("unbroken".to_owned(), before.tool.clone(), after.tool.clone());
        changes.insert(Change { kind: ChangeKind::Version, program, before, after }, Vec::new());
    }
    for (title, case) in &after.cases {
        let earlier = before.cases.get(title);
        for change in earlier.into_iter().flat_map(|earlier| of_case(earlier, case)) {
            changes.entry(change).or_default().push(title.clone());
        }
    }
    changes
}

/// Returns what changed under a case.
pub fn of_case(before: &RecordedCase, after: &RecordedCase) -> Vec<Change> {
    let mut changes = Vec::new();
    for (node, now) in &after.software {
        let Some(then) = before.software.get(node) else { continue };
        let values = [
            (ChangeKind::Version, &then.version, &now.version),
            (ChangeKind::Configuration, &then.configuration, &now.configuration),
        ];
        for (kind, then, now_value) in values {
            if let (Some(then), Some(now_value)) = (then, now_value)
                && then != now_value
            {
                let (program, before, after) = (now.program.clone(), then.clone(), now_value.clone());
                changes.push(Change { kind, program, before, after });
            }
        }
    }
    changes
}
