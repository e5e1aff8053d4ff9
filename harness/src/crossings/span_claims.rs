//! The claims of a receiver's span, whatever it continues: the message that it names, and what was sent below it.
//!
//! A consumer that keeps the context of an earlier message makes spans that continue that one; the message that they
//! are really about shows here. No pairing is decided in this file.

use std::collections::HashMap;

use super::attribute_match::{message_names, names_message};
use super::span_role::{is_receipt, is_work};
use super::{CrossingRef, Crossings, IdMap};
use crate::evidence::SpanIx;
use crate::plan::Mark;
use crate::scenario::NodeIx;

/// Looked up when a crossing has no span that continues it.
#[derive(Debug)]
pub struct SpanClaims {
    /// By the offset or id that they name.
    by_name: HashMap<(NodeIx, String), Vec<SpanIx>>,
    sent_below: IdMap<(NodeIx, Mark), Vec<SpanIx>>,
}

impl SpanClaims {
    pub fn of(all: &Crossings<'_>) -> SpanClaims {
        let mut by_name: HashMap<(NodeIx, String), Vec<SpanIx>> = HashMap::new();
        for (ix, span) in all.evidence.spans.iter().enumerate().filter(|(_, span)| is_work(span)) {
            for name in message_names(span) {
                by_name.entry((span.node, name.to_owned())).or_default().push(SpanIx(ix));
            }
        }
        SpanClaims { by_name, sent_below: sent_below(all) }
    }

    /// Returns the spans that name the message of this crossing.
    pub fn naming(&self, crossing: CrossingRef<'_>) -> Vec<SpanIx> {
        let all = crossing.all();
        let Some(message) = crossing.received_message() else { return Vec::new() };
        let offset = message.offset.map(|(_, offset)| offset.to_string());
        let Some(name) = offset.or_else(|| message.id.clone()) else { return Vec::new() };
        let mut spans = self.by_name.get(&(crossing.receiver(), name)).cloned().unwrap_or_default();
        spans.retain(|span| names_message(all, all.spans.get(*span), message) == Some(true));
        spans
    }

    /// Returns the spans for something received below which something with this mark was sent.
    pub fn sent_below(&self, node: NodeIx, mark: Mark) -> &[SpanIx] {
        self.sent_below.get(&(node, mark)).map_or(&[], Vec::as_slice)
    }
}

/// Returns whether the span names a message other than this crossing's. One that processes a batch may name any of its
/// messages.
pub fn names_another(crossing: CrossingRef<'_>, span: SpanIx) -> bool {
    let seen = crossing.all().spans.get(span);
    let several = seen.links.len() > 1 || seen.marks.len() > 1;
    let Some(message) = crossing.received_message() else { return false };
    !several && names_message(crossing.all(), seen, message) == Some(false)
}

fn sent_below(all: &Crossings<'_>) -> IdMap<(NodeIx, Mark), Vec<SpanIx>> {
    let mut found: IdMap<(NodeIx, Mark), Vec<SpanIx>> = IdMap::default();
    for crossing in all.iter() {
        let (node, Some(mark)) = (crossing.sender(), crossing.mark()) else { continue };
        for context in crossing.sent_contexts() {
            for named in all.spans.with_id(node, context.parent_id.as_bytes()) {
                let above = all.spans.upwards(*named).filter(|span| is_receipt(all.spans.get(*span)));
                found.entry((node, mark)).or_default().extend(above);
            }
        }
    }
    found
}
