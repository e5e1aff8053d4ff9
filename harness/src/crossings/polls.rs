//! The spans of polls and receives: whether one stands for a message that it brought. The work with a message has a
//! span of its own in most instrumentations.

use super::span_role::{is_receive, is_work};
use super::{CrossingRef, Crossings, IdMap, IdSet, Nature};
use crate::evidence::{Span, SpanIx, SpanKind};
use crate::plan::StimulusIx;
use crate::scenario::{NodeIx, Relation, RestartSide};
use crate::wire::TraceId;

pub(super) struct Polls {
    /// Nodes that make a span for the work with a message or a request.
    working: IdSet<NodeIx>,
    /// Those whose span for it is a CONSUMER span: what they serve otherwise is no work with a message.
    consuming: IdSet<NodeIx>,
    /// The traces in which nodes sent something for a stimulus.
    sent: IdMap<(NodeIx, StimulusIx), Vec<TraceId>>,
}

impl Polls {
    pub fn of(all: &Crossings<'_>) -> Polls {
        let work = || all.evidence.spans.iter().filter(|span| is_work(span));
        let working = work().map(|span| span.node).collect();
        let consuming = work().filter(|span| span.kind == SpanKind::Consumer).map(|span| span.node).collect();
        let mut sent: IdMap<(NodeIx, StimulusIx), Vec<TraceId>> = IdMap::default();
        for crossing in all.iter().filter(|crossing| crossing.nature() == Nature::Sent) {
            let traces = sent.entry((crossing.sender(), crossing.stimulus_ix())).or_default();
            traces.extend(crossing.sent_contexts().map(|context| context.trace_id));
        }
        Polls { working, consuming, sent }
    }

    /// Returns whether a span of another trace stands beside the work with an unsampled message: all that the node sent
    /// for it continues the message, and the work's own span is not due.
    pub fn is_beside_work(&self, crossing: CrossingRef<'_>, span: &Span) -> bool {
        let relation = crossing.relation();
        let sent = self.sent.get(&(crossing.receiver(), crossing.stimulus_ix()));
        let Some(sent) = sent.filter(|sent| !sent.is_empty()) else { return false };
        let mut came = crossing.arrived_contexts().peekable();
        let unsampled = came.peek().is_some() && came.clone().all(|context| !context.flags.sampled());
        let continues = relation == Relation::ChildOrLink || !relation.receiver_may_begin();
        crossing.is_message()
            && continues
            && unsampled
            && came.clone().all(|context| span.trace_id != context.trace_id.as_bytes())
            && sent.iter().all(|sent| came.clone().any(|context| context.trace_id == *sent))
    }

    /// Returns whether a span may stand for what arrived: any span may that is not of a poll, and not beside the work.
    pub fn may_stand_for(&self, crossing: CrossingRef<'_>, span: &Span) -> bool {
        if self.is_beside_work(crossing, span) {
            return false;
        }
        if !is_receive(span) {
            return true;
        }
        let node = crossing.receiver();
        let sent = self.sent.get(&(node, crossing.stimulus_ix()));
        let continued =
            sent.is_none_or(|traces| traces.iter().any(|trace| span.trace_id == trace.as_bytes()));
        let child = crossing.arrived_contexts().any(|context| span.parent_id == context.parent_id.as_bytes());
        let receives_only = !self.working.contains(&node);
        match crossing.relation() {
            // A receive that continues the message says nothing of the work, which has a span of its own.
            Relation::Link
            | Relation::None
            | Relation::Restart(RestartSide::Receiver)
            | Relation::RestartWithLink(RestartSide::Receiver) => !child || !self.consuming.contains(&node),
            // A sampled message whose only span is the receive that links to it: what the node sends in a trace of its
            // own was lost behind that span.
            Relation::ChildOrLink => {
                let left = crossing.arrived_contexts().all(|context| {
                    context.flags.sampled() && sent.is_some_and(|traces| !traces.contains(&context.trace_id))
                });
                child || continued || (receives_only && left)
            }
            Relation::Child
            | Relation::Unchanged
            | Relation::Restart(RestartSide::Sender)
            | Relation::RestartWithLink(RestartSide::Sender) => child || (continued && receives_only),
        }
    }
}

/// Returns whether the span is of a poll that links to what it brought, behind a hop where the work's own span links.
pub(super) fn is_linking_poll(crossing: CrossingRef<'_>, span: SpanIx) -> bool {
    let seen = crossing.all().spans.get(span);
    crossing.relation().receiver_links()
        && is_receive(seen)
        && !crossing.arrived_contexts().any(|context| seen.trace_id == context.trace_id.as_bytes())
}
