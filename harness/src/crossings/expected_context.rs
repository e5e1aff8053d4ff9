//! The context that a crossing should carry, as far as it is known.

use std::sync::Arc;

use super::{CarriedFields, CrossingIx};
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::RawMember;
use crate::wire::{Format, TraceId};

/// The context that a crossing should carry.
#[derive(Clone, Debug, Default)]
pub struct ExpectedContext {
    pub trace: Option<TraceId>,
    pub sampled: Option<bool>,
    /// The debug flag, where the formats so far have a word for it.
    pub debug: Option<bool>,
    /// The random flag; asked for at level 2 only.
    pub random: Option<bool>,
    pub members: Option<Arc<[RawMember]>>,
    pub entries: Option<Arc<[BaggageEntry]>>,
    /// The trace was begun at a link, a batch or a restart.
    pub begun: bool,
    /// Traces that were left before.
    pub left: Vec<TraceId>,
    /// Members of tracestate that belong to a trace that was left.
    pub left_members: Vec<RawMember>,
    /// The crossing without a tap behind which nothing was seen: what is missing may have been lost there.
    pub unseen_since: Option<CrossingIx>,
}

impl ExpectedContext {
    /// Takes what is unknown from the first wire after it.
    pub fn learn(&mut self, wire: Option<&CarriedFields>) {
        let Some(wire) = wire else { return };
        if let Some(context) = wire.context() {
            self.trace = self.trace.or(Some(context.trace_id));
            if self.trace == Some(context.trace_id) {
                self.sampled = self.sampled.or(context.decision.is_sampled());
                self.debug = self.debug.or(context.debug());
                self.random = self.random.or(context.random());
            }
        }
        let lists = &wire.lists;
        if self.members.is_none() && !lists.tracestate_open && wire.format == Format::TraceContext {
            self.members = Some(lists.members.clone());
        }
        if self.entries.is_none() && !lists.baggage_open {
            self.entries = Some(lists.entries.clone());
        }
    }

    /// Returns the new trace that follows on this one where a restart, a link or a batch was due.
    pub fn left_for(
        &self,
        trace: Option<TraceId>,
        sampled: Option<bool>,
        baggage_kept: bool,
    ) -> ExpectedContext {
        let mut left = self.left.clone();
        left.extend(self.trace.filter(|old| Some(*old) != trace));
        let mut left_members = self.left_members.clone();
        left_members.extend(self.members.iter().flat_map(|members| members.iter()).cloned());
        let entries = if baggage_kept { self.entries.clone() } else { Some(Arc::default()) };
        ExpectedContext {
            trace,
            sampled,
            debug: None,
            random: None,
            members: Some(Arc::default()),
            entries,
            begun: true,
            left,
            left_members,
            unseen_since: None,
        }
    }
}
