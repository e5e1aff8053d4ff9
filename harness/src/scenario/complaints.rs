//! The mistakes of one file while it is being read: each said once, in the order of the file, not without end.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, TOO_MANY};
use crate::source::Place;

/// More than an author can read at once.
const MOST: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Complaints {
    list: Vec<Diagnostic>,
    said: HashSet<(&'static str, Place, String)>,
    /// Where something has not the right shape: what else is wrong with it would only follow from that.
    misfits: HashSet<Place>,
    /// How many were not kept.
    more: usize,
}

impl Complaints {
    pub fn say(&mut self, diagnostic: Diagnostic) {
        if self.misfits.contains(&diagnostic.place) {
            return;
        }
        if self.list.len() >= MOST {
            self.more += 1;
        } else if self.said.insert((diagnostic.code, diagnostic.place, diagnostic.message.clone())) {
            self.list.push(diagnostic);
        }
    }

    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.say(diagnostic);
        }
    }

    /// What is said from now on is about how the parts fit together.
    pub fn shape_is_told(&mut self) {
        self.misfits = self.list.iter().map(|diagnostic| diagnostic.place).collect();
    }

    /// Whether something has been said of exactly this place.
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
            let message = format!("these are the first {MOST} mistakes, and there are more");
            list.push(Diagnostic::new(TOO_MANY, last.place, message));
        }
        list
    }
}
