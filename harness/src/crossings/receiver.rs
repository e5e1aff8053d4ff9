//! The receiver's span of each crossing: its parent or link is what crossed; else it has the mark; else it
//! fits.
//!
//! Each span goes to one crossing, and as many crossings as possible get one.

use std::cell::OnceCell;

use super::attribute_match::{fits, named};
use super::free_spans::FreeSpans;
use super::hashing::{IdMap, IdSet};
use super::span_claims::{OwnWords, names_another};
use super::span_index::is_receipt;
use super::{Crossing, CrossingIx, Crossings, Nature};
use crate::evidence::{Span, SpanIx, SpanKind, mark_of};
use crate::plan::{Mark, StimulusIx};
use crate::scenario::{NodeIx, Relation, RestartSide};
use crate::wire::TraceId;

/// From the surest witness to the weakest.
#[derive(Clone, Copy)]
enum Tier {
    /// Its parent or link is what crossed, and it has the mark.
    ContinuesAndMarked,
    /// The same, and it neither has a mark nor names another message.
    ContinuesUnmarked,
    /// It has the mark, whatever it continues.
    CaptureMark,
    /// It names the message, whatever it continues.
    Names,
    /// Its parent or link is what crossed, and it has the mark of something else.
    Continues,
    Fits,
    /// What was sent below it has the mark, and nothing else is known of it.
    SentOn,
    /// One receive returned it together with others, whose span is known.
    Batch,
    /// Nothing saw what crossed (`tap: none`): it is in a trace of the stimulus.
    Untapped,
}

pub fn pair(all: &mut Crossings<'_>) {
    let mut claimed: IdSet<SpanIx> = IdSet::default();
    let (free, words) = (OnceCell::new(), OnceCell::new());
    let polls = Polls::of(all);
    let mut received: Received = IdMap::default();
    let tiers = [
        Tier::ContinuesAndMarked,
        Tier::ContinuesUnmarked,
        Tier::CaptureMark,
        Tier::Names,
        Tier::Continues,
        Tier::Fits,
        Tier::SentOn,
        Tier::Batch,
        Tier::Untapped,
    ];
    for tier in tiers {
        for ix in 0..all.list.len() {
            if all.list[ix].receiver_span.is_some() || !all.exports(all.receiver(&all.list[ix])) {
                continue;
            }
            let crossing = CrossingIx(ix);
            if all.is_undelivered(&all.list[ix]) {
                continue;
            }
            let span = match tier {
                Tier::ContinuesAndMarked | Tier::ContinuesUnmarked | Tier::Continues => {
                    let found = continuing(all, crossing, &Taken { claimed: &claimed, polls: &polls }, tier);
                    let poll = found.filter(|span| is_linking_poll(all, crossing, *span));
                    let words = || words.get_or_init(|| OwnWords::of(all));
                    poll.and_then(|_| of_own_words(all, crossing, &claimed, words())).or(found)
                }
                Tier::CaptureMark => marked(all, crossing, &claimed),
                Tier::Names => naming(all, crossing, &claimed, words.get_or_init(|| OwnWords::of(all))),
                Tier::Fits => {
                    let taken = Taken { claimed: &claimed, polls: &polls };
                    fitting(all, crossing, &taken, free.get_or_init(|| FreeSpans::of(all)))
                }
                Tier::SentOn => sent_on(all, crossing, &claimed, words.get_or_init(|| OwnWords::of(all))),
                Tier::Batch => batch(all, crossing),
                Tier::Untapped => {
                    let story = Story { free: free.get_or_init(|| FreeSpans::of(all)), received: &received };
                    untapped(all, crossing, &claimed, &story)
                }
            };
            if let Some(span) = span {
                claimed.insert(span);
                let at = (all.receiver(&all.list[ix]), all.list[ix].stimulus);
                received.entry(at).or_default().push(span);
                all.list[ix].receiver_span = Some(span);
            }
        }
    }
}

/// The mark of a crossing, where its capture has one of this run.
pub fn mark(all: &Crossings<'_>, crossing: CrossingIx) -> Option<Mark> {
    let capture = all.seen_at_receiver(all.record(crossing))?;
    mark_of(&all.evidence.captures[capture.0].marked)
}

/// Spans under or linked to one of the contexts that crossed.
fn continuing(all: &Crossings<'_>, ix: CrossingIx, taken: &Taken<'_>, tier: Tier) -> Option<SpanIx> {
    let crossing = all.record(ix);
    let node = all.receiver(crossing);
    let mark = mark(all, ix);
    let mut best: Option<(u8, bool, u64, SpanIx)> = None;
    for context in all.arrived(crossing)?.contexts() {
        let (trace, parent) = (context.trace_id, context.parent_id);
        let under = all.evidence.spans_under(&all.spans, node, trace, parent);
        for span in under {
            let seen = all.spans.get(span);
            let marks = match tier {
                Tier::ContinuesAndMarked => mark.is_some_and(|mark| seen.marks.contains(&mark)),
                Tier::ContinuesUnmarked => {
                    (seen.marks.is_empty() || mark.is_none()) && !names_another(all, crossing, span)
                }
                _ => true,
            };
            let free = marks
                && is_free(all, crossing, span, taken.claimed)
                && taken.polls.stand_for(all, crossing, seen);
            let child = seen.trace_id == trace.as_bytes() && seen.parent_id == parent.as_bytes();
            let rank = (receipt_rank(seen), !child, seen.start_nanos, span);
            if free && best.is_none_or(|known| rank < known) {
                best = Some(rank);
            }
        }
    }
    best.map(|(_, _, _, span)| span)
}

/// What keeps a span from standing for a crossing.
struct Taken<'t> {
    claimed: &'t IdSet<SpanIx>,
    polls: &'t Polls,
}

/// A poll that links to what it brought, behind a hop where the work's own span links.
fn is_linking_poll(all: &Crossings<'_>, ix: CrossingIx, span: SpanIx) -> bool {
    let crossing = all.record(ix);
    let seen = all.spans.get(span);
    let mut contexts = all.arrived(crossing).into_iter().flat_map(|wire| wire.contexts());
    all.plan.scenario.hop(crossing.hop).relation.receiver_links()
        && is_receive(seen)
        && !contexts.any(|context| seen.trace_id == context.trace_id.as_bytes())
}

/// A span of the work that names the message or has its mark, whatever else links to it.
fn of_own_words(
    all: &Crossings<'_>,
    ix: CrossingIx,
    claimed: &IdSet<SpanIx>,
    words: &OwnWords,
) -> Option<SpanIx> {
    let node = all.receiver(all.record(ix));
    let marked = mark(all, ix).map_or(&[][..], |mark| all.spans.marked(node, mark)).iter().copied();
    let work = |span: &SpanIx| {
        let seen = all.spans.get(*span);
        is_receipt(seen) && !is_receive(seen)
    };
    earliest(all, ix, claimed, words.naming(all, all.record(ix)).into_iter().chain(marked).filter(work))
}

/// A span that processes a batch stands for each of its messages.
fn is_free(all: &Crossings<'_>, crossing: &Crossing, span: SpanIx, claimed: &IdSet<SpanIx>) -> bool {
    let hop = all.plan.scenario.hop(crossing.hop);
    let seen = all.spans.get(span);
    let several = seen.marks.len() > 1 || seen.links.len() > 1;
    !claimed.contains(&span) || (several && hop.transport.via().is_some())
}

/// A poll or a receive, which is not what is done with the message (OpenTelemetry, messaging spans).
pub fn is_receive(span: &Span) -> bool {
    const RECEIVES: [&str; 6] = ["receive", "poll", "settle", "ack", "commit", "delete"];
    operation(span).is_some_and(|operation| RECEIVES.contains(&operation))
}

/// What the span says that it does with a message.
pub fn operation(span: &Span) -> Option<&str> {
    const OPERATION: [&str; 3] =
        ["messaging.operation.type", "messaging.operation", "messaging.operation.name"];
    OPERATION.iter().find_map(|name| attribute(span, name))
}

fn attribute<'s>(span: &'s Span, name: &str) -> Option<&'s str> {
    span.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// SERVER and CONSUMER before anything else; a receive comes later, and a call of the receiver that continues what
/// crossed comes last.
fn receipt_rank(span: &Span) -> u8 {
    match span.kind {
        SpanKind::Server | SpanKind::Consumer if is_receive(span) => 1,
        SpanKind::Server | SpanKind::Consumer => 0,
        SpanKind::Internal | SpanKind::Unspecified => 1,
        SpanKind::Client | SpanKind::Producer => 2,
    }
}

fn marked(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>) -> Option<SpanIx> {
    let mark = mark(all, ix)?;
    let node = all.receiver(all.record(ix));
    earliest(all, ix, claimed, all.spans.marked(node, mark).iter().copied())
}

/// A span that says by id or offset which message it is about.
fn naming(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>, words: &OwnWords) -> Option<SpanIx> {
    earliest(all, ix, claimed, words.naming(all, all.record(ix)).into_iter())
}

/// A span below which something of the stimulus was sent.
fn sent_on(all: &Crossings<'_>, ix: CrossingIx, claimed: &IdSet<SpanIx>, words: &OwnWords) -> Option<SpanIx> {
    let node = all.receiver(all.record(ix));
    earliest(all, ix, claimed, words.sent_on(node, mark(all, ix)?).iter().copied())
}

fn earliest(
    all: &Crossings<'_>,
    ix: CrossingIx,
    claimed: &IdSet<SpanIx>,
    spans: impl Iterator<Item = SpanIx>,
) -> Option<SpanIx> {
    let free = spans.filter(|span| is_free(all, all.record(ix), *span, claimed));
    free.min_by_key(|span| (receipt_rank(all.spans.get(*span)), all.spans.get(*span).start_nanos))
}

/// A span for something received that fits, and that no other wire claims by its parent.
fn fitting(all: &Crossings<'_>, ix: CrossingIx, taken: &Taken<'_>, free: &FreeSpans) -> Option<SpanIx> {
    let crossing = all.record(ix);
    let node = all.receiver(crossing);
    let capture = &all.evidence.captures[all.seen_at_receiver(crossing)?.0];
    let fitting = |span: &&SpanIx| {
        let seen = all.spans.get(**span);
        let own = free.owned.says(node, seen, crossing.stimulus);
        let marked_elsewhere =
            !seen.marks.is_empty() && mark(all, ix).is_none_or(|mark| !seen.marks.contains(&mark));
        is_free(all, crossing, **span, taken.claimed)
            && taken.polls.stand_for(all, crossing, seen)
            && own != Some(false)
            && !marked_elsewhere
            && (named(seen) > 0 || own == Some(true))
            && fits(all, seen, capture, false)
    };
    free.of_node.get(&node)?.iter().filter(fitting).copied().min_by_key(|span| {
        let seen = all.spans.get(*span);
        let own = free.owned.says(node, seen, crossing.stimulus) == Some(true);
        (!own, std::cmp::Reverse(named(seen)), seen.start_nanos)
    })
}

/// The span of what the same receive returned.
fn batch(all: &Crossings<'_>, ix: CrossingIx) -> Option<SpanIx> {
    let crossing = all.record(ix);
    let capture = &all.evidence.captures[crossing.arrival?.0];
    let receive = capture.message.as_ref()?.receive?;
    let declared = all.plan.scenario.hop(crossing.hop).transport.batch().is_some();
    let same = |other: &&Crossing| {
        let seen = other.arrival.map(|arrival| &all.evidence.captures[arrival.0]);
        let with = seen.is_some_and(|seen| {
            seen.tap == capture.tap
                && seen.message.as_ref().is_some_and(|other| other.receive == Some(receive))
        });
        with && other.hop == crossing.hop
    };
    let mate = all.list.iter().filter(same).find_map(|other| other.receiver_span)?;
    let span = all.spans.get(mate);
    let counted = attribute(span, "messaging.batch.message_count").is_some_and(|count| count != "1");
    let (links, marks) = (span.links.len() > 1, span.marks.len() > 1);
    (declared || counted || links || marks).then_some(mate)
}

/// The spans of receivers found so far, by node and stimulus.
type Received = IdMap<(NodeIx, StimulusIx), Vec<SpanIx>>;

/// The spans that may be for an untapped crossing, and those known to be of its stimulus.
struct Story<'s> {
    free: &'s FreeSpans,
    received: &'s Received,
}

impl Story<'_> {
    /// Returns whether a span of the sender is of the crossing's stimulus.
    fn has_sent(&self, all: &Crossings<'_>, crossing: &Crossing, span: SpanIx) -> bool {
        let sender = all.sender(crossing);
        let incoming = self.received.get(&(sender, crossing.stimulus)).map_or(&[][..], Vec::as_slice);
        incoming.iter().any(|incoming| all.spans.is_at_or_below(span, *incoming))
            || self.free.owned.says(sender, all.spans.get(span), crossing.stimulus) == Some(true)
    }
}

/// A span for something received: one under or linked to a span that the sender has for the stimulus, or else one in a
/// trace of the stimulus.
fn untapped(
    all: &Crossings<'_>,
    ix: CrossingIx,
    claimed: &IdSet<SpanIx>,
    story: &Story<'_>,
) -> Option<SpanIx> {
    let crossing = all.record(ix);
    if crossing.capture.is_some() {
        return None;
    }
    let (node, sender) = (all.receiver(crossing), all.sender(crossing));
    let mut best = None;
    for span in story.free.of_node.get(&node)?.iter().copied() {
        let seen = all.spans.get(span);
        let links = seen.links.iter().map(|link| link.span_id.as_slice());
        let mut named = std::iter::once(seen.parent_id.as_slice()).chain(links);
        let sent = named.any(|id| {
            all.spans.with_id(sender, id).iter().any(|above| story.has_sent(all, crossing, *above))
        });
        let own = story.free.owned.says(node, seen, crossing.stimulus) == Some(true);
        let rank = (!sent, seen.start_nanos, span);
        if (sent || own) && is_free(all, crossing, span, claimed) && best.is_none_or(|known| rank < known) {
            best = Some(rank);
        }
    }
    best.map(|(_, _, span)| span)
}

/// When the span of a poll or a receive stands for a message: what is done with the message has a span of its own.
struct Polls {
    /// Nodes that make a CONSUMER span for what they do with a message.
    works: IdSet<NodeIx>,
    /// What nodes sent for a stimulus, and in which traces.
    sent: IdMap<(NodeIx, StimulusIx), Vec<TraceId>>,
}

impl Polls {
    fn of(all: &Crossings<'_>) -> Polls {
        let spans = all.evidence.spans.iter();
        let works =
            spans.filter(|span| is_receipt(span) && !is_receive(span)).map(|span| span.node).collect();
        let mut sent: IdMap<(NodeIx, StimulusIx), Vec<TraceId>> = IdMap::default();
        for (_, crossing) in all.records().filter(|(_, crossing)| crossing.nature == Nature::Sent) {
            let traces = sent.entry((crossing.sender, crossing.stimulus)).or_default();
            let contexts = all.wire(crossing).into_iter().flat_map(|wire| wire.contexts());
            traces.extend(contexts.map(|context| context.trace_id));
        }
        Polls { works, sent }
    }

    fn stand_for(&self, all: &Crossings<'_>, crossing: &Crossing, span: &Span) -> bool {
        if !is_receive(span) {
            return true;
        }
        let node = all.receiver(crossing);
        let relation = all.plan.scenario.hop(crossing.hop).relation;
        let sent = self.sent.get(&(node, crossing.stimulus));
        let contexts: Vec<_> = all.arrived(crossing).into_iter().flat_map(|wire| wire.contexts()).collect();
        let went_on = |traces: &Vec<TraceId>| traces.iter().any(|trace| span.trace_id == trace.as_bytes());
        let goes_on = sent.is_none_or(went_on);
        let child = contexts.iter().any(|context| span.parent_id == context.parent_id.as_bytes());
        let receives_only = !self.works.contains(&node);
        match relation {
            Relation::Link | Relation::None => true,
            Relation::Restart(at) | Relation::RestartWithLink(at) if at == RestartSide::Receiver => true,
            // A sampled message whose only span is the receive that links to it: what the node sends in a trace of its
            // own was lost behind that span.
            Relation::ChildOrLink => {
                let left = contexts.iter().all(|context| {
                    context.flags.sampled() && sent.is_some_and(|traces| !traces.contains(&context.trace_id))
                });
                child || goes_on || (receives_only && left)
            }
            Relation::Child | Relation::Unchanged | Relation::Restart(_) | Relation::RestartWithLink(_) => {
                child || (goes_on && receives_only)
            }
        }
    }
}
