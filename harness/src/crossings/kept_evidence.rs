//! Kept evidence (`tests/judged`), for unit tests of pairing and of what is due.

use std::path::PathBuf;
use std::sync::Arc;

use crate::evidence::Evidence;
use crate::evidence::file::StoredEvidence;
use crate::plan::{Plan, Seed};

/// Returns the plan and the evidence of one case.
pub(crate) fn kept(name: &str) -> (Plan, Evidence) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/judged");
    let source = crate::scenario::read(&folder.join(format!("{name}.yaml"))).unwrap();
    let scenario = crate::scenario::parse(&source).unwrap().remove(0);
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let stored = StoredEvidence::read(&text).unwrap();
    let plan = Plan::build(Arc::new(scenario), folder, Seed(stored.seed));
    let evidence = stored.evidence(&plan).unwrap();
    (plan, evidence)
}
