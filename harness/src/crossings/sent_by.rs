//! Who sent what one tap sees of several nodes (Kafka): whose span it names; where it carries no context, who has a
//! span of sending there that nothing on the wire names.

use std::cell::OnceCell;

use super::attribute_match::fits_message;
use super::hashing::IdSet;
use super::span_index::is_call;
use super::{Carried, SpanIndex};
use crate::evidence::Capture;
use crate::scenario::NodeIx;
use crate::wire::SpanId;

#[derive(Debug)]
pub struct SentBy<'a> {
    spans: &'a SpanIndex<'a>,
    carried: &'a [Carried],
    /// Ids of spans that are on the wire.
    named: OnceCell<IdSet<SpanId>>,
}

impl<'a> SentBy<'a> {
    pub fn new(spans: &'a SpanIndex<'a>, carried: &'a [Carried]) -> SentBy<'a> {
        SentBy { spans, carried, named: OnceCell::new() }
    }

    pub fn is(&self, node: NodeIx, capture: &Capture, carried: &Carried) -> bool {
        if let Some(context) = carried.first() {
            return !self.spans.with_id(node, context.parent_id.as_bytes()).is_empty();
        }
        let Some(message) = &capture.message else { return false };
        let of_wire = || self.carried.iter().flat_map(|carried| carried.contexts());
        let named = self.named.get_or_init(|| of_wire().map(|context| context.parent_id).collect());
        self.spans.of_node(node).iter().map(|span| self.spans.get(*span)).any(|span| {
            let id = SpanId::from_bytes(&span.span_id);
            is_call(span) && id.is_some_and(|id| !named.contains(&id)) && fits_message(span, message)
        })
    }
}
