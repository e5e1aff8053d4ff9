//! The state that every part of a case needs while it is built: the draft so far, and the list of its errors.

use super::draft::Draft;
use crate::diagnostic::Diagnostic;
use crate::scenario::complaints::Complaints;
use crate::scenario::index::HopIx;
use crate::scenario::matrix::MatrixCase;
use crate::scenario::spelling;
use crate::scenario::tree::{KeyValue, Tree};
use crate::source::Source;

pub(super) struct Builder<'a, 'c> {
    pub(super) draft: Draft<'a>,
    pub(super) source: &'a Source,
    pub(super) case: &'c MatrixCase<'a>,
    pub(super) complaints: &'c mut Complaints,
}

impl<'a> Builder<'a, '_> {
    pub(super) fn bounded(&mut self, entries: &'a [KeyValue], most: usize, what: &str) -> &'a [KeyValue] {
        let Some(first) = entries.get(most) else { return entries };
        let message = format!("a scenario has at most {most} {what}");
        self.complaints.report(Diagnostic::new("too-much", first.key.place, message).label("over the limit"));
        &entries[..most]
    }

    /// Returns the hop that `tree` names; an unknown one is reported.
    pub(super) fn hop_named(&mut self, tree: &'a Tree) -> Option<HopIx> {
        let name = tree.text()?;
        if let Some(known) = self.draft.hop_names.get(name) {
            return *known;
        }
        let mut known: Vec<&str> = self.draft.hop_names.keys().copied().collect();
        known.sort_unstable();
        let help = spelling::help(name, &known, "hops");
        let message = format!("unknown hop `{name}`");
        self.complaints
            .report(Diagnostic::new("unknown-hop", tree.place, message).label("unknown").help(help));
        None
    }
}
