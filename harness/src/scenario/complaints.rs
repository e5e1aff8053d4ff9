//! The errors of one file while it is being read: each reported once, in the order of the file, up to a limit.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, TOO_MANY};
use crate::source::Place;

/// More than an author can read at once.
const MOST: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Complaints {
    list: Vec<Diagnostic>,
    reported: HashSet<(&'static str, Place, String)>,
    /// Places whose shape is wrong: any other error there would only follow from that.
    misfits: HashSet<Place>,
    /// The number of errors that were dropped.
    more: usize,
}

impl Complaints {
    pub fn report(&mut self, diagnostic: Diagnostic) {
        if self.misfits.contains(&diagnostic.place) {
            return;
        }
        if self.list.len() >= MOST {
            self.more += 1;
        } else if self.reported.insert((diagnostic.code, diagnostic.place, diagnostic.message.clone())) {
            self.list.push(diagnostic);
        }
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.report(diagnostic);
        }
    }

    /// Marks the end of the checks of shape: from now on, errors are about how the parts fit together.
    pub fn shape_is_checked(&mut self) {
        self.misfits = self.list.iter().map(|diagnostic| diagnostic.place).collect();
    }

    /// Returns whether an error of shape was reported at exactly this place.
    pub fn misfit(&self, place: Place) -> bool {
        self.misfits.contains(&place)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn finish(self) -> Vec<Diagnostic> {
        let Self { mut list, more, .. } = self;
        list.sort_by_key(|diagnostic| (diagnostic.place.start, diagnostic.place.end));
        if let (Some(last), true) = (list.last(), more > 0) {
            let message = format!("only the first {MOST} errors are shown");
            list.push(Diagnostic::new(TOO_MANY, last.place, message));
        }
        list
    }
}
