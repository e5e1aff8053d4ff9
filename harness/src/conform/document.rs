//! The text of a suite's or a target's file -> its tree, of a shape that has been checked.

use crate::diagnostic::Diagnostic;
use crate::scenario::complaints::Complaints;
use crate::scenario::shape::Object;
use crate::scenario::tree::Tree;
use crate::scenario::{shape_check, yaml};
use crate::source::{Place, Source};

/// Returns the tree, or `None` where there is nothing to go through: the complaints say why.
pub(super) fn read(source: &Source, object: &'static Object, complaints: &mut Complaints) -> Option<Tree> {
    let root = yaml::read(source.text(), complaints);
    let Some(root) = root.filter(|root| !root.is_nothing()) else {
        if complaints.is_empty() {
            complaints.report(Diagnostic::new("empty-file", Place::new(0, 0), "the file is empty"));
        }
        return None;
    };
    shape_check::check(&root, object, complaints);
    complaints.shape_is_checked();
    Some(root)
}
