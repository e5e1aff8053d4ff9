//! What a receiver's span tells of itself, whatever it continues: the message that it names, and what was sent
//! below it.
//!
//! A consumer that keeps the context of an earlier message makes spans that continue that one; which message they are
//! really about shows here. No pairing is decided in this file.

use std::collections::HashMap;

use super::attribute_match::{message_names, names_message};
use super::hashing::IdMap;
use super::receiver::{is_receive, mark};
use super::span_index::is_receipt;
use super::{Crossing, Crossings};
use crate::evidence::{Message, SpanIx};
use crate::plan::Mark;
use crate::scenario::NodeIx;

/// Looked up when a crossing has no span that continues it.
#[derive(Debug)]
pub struct OwnWords {
    /// By the offset or id that they name.
    by_name: HashMap<(NodeIx, String), Vec<SpanIx>>,
    sent_on: IdMap<(NodeIx, Mark), Vec<SpanIx>>,
}

impl OwnWords {
    pub fn of(all: &Crossings<'_>) -> OwnWords {
        let mut by_name: HashMap<(NodeIx, String), Vec<SpanIx>> = HashMap::new();
        for (ix, span) in all.evidence.spans.iter().enumerate() {
            for name in message_names(span).filter(|_| is_receipt(span) && !is_receive(span)) {
                by_name.entry((span.node, name.to_owned())).or_default().push(SpanIx(ix));
            }
        }
        OwnWords { by_name, sent_on: sent_on(all) }
    }

    /// Spans that name the message of this crossing.
    pub fn naming(&self, all: &Crossings<'_>, crossing: &Crossing) -> Vec<SpanIx> {
        let Some(message) = message(all, crossing) else { return Vec::new() };
        let offset = message.offset.map(|(_, offset)| offset.to_string());
        let Some(name) = offset.or_else(|| message.id.clone()) else { return Vec::new() };
        let spans = self.by_name.get(&(all.receiver(crossing), name)).into_iter().flatten().copied();
        spans.filter(|span| names_message(all, all.spans.get(*span), message) == Some(true)).collect()
    }

    /// Spans for something received below which something with this mark was sent.
    pub fn sent_on(&self, node: NodeIx, mark: Mark) -> &[SpanIx] {
        self.sent_on.get(&(node, mark)).map_or(&[], Vec::as_slice)
    }
}

/// Whether the span says that it is about another message than this crossing's. One that processes a batch may name any
/// of its messages.
pub fn names_another(all: &Crossings<'_>, crossing: &Crossing, span: SpanIx) -> bool {
    let seen = all.spans.get(span);
    let several = seen.links.len() > 1 || seen.marks.len() > 1;
    let Some(message) = message(all, crossing).filter(|_| !several) else { return false };
    names_message(all, seen, message) == Some(false)
}

fn message<'a>(all: &Crossings<'a>, crossing: &Crossing) -> Option<&'a Message> {
    all.evidence.captures[all.seen_at_receiver(crossing)?.0].message.as_ref()
}

fn sent_on(all: &Crossings<'_>) -> IdMap<(NodeIx, Mark), Vec<SpanIx>> {
    let mut found: IdMap<(NodeIx, Mark), Vec<SpanIx>> = IdMap::default();
    for (ix, crossing) in all.records() {
        let (node, Some(mark)) = (all.sender(crossing), mark(all, ix)) else { continue };
        for context in all.wire(crossing).into_iter().flat_map(|wire| wire.contexts()) {
            let named = all.spans.with_id(node, context.parent_id.as_bytes()).iter();
            for span in named.flat_map(|span| all.spans.upwards(*span)) {
                if is_receipt(all.spans.get(span)) {
                    found.entry((node, mark)).or_default().push(span);
                }
            }
        }
    }
    found
}
