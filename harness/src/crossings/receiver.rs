//! The receiver's span of each crossing: its parent or link is what crossed; else it has the mark; else it
//! fits.
//!
//! Each span goes to one crossing, and as many crossings as possible get one.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::attribute_match::{fits, named};
use super::free_spans::FreeSpans;
use super::polls::{Polls, is_linking_poll};
use super::span_claims::{SpanClaims, names_another};
use super::span_role::{attribute, is_receive, is_work};
use super::strays::Strays;
use super::{CrossingIx, CrossingRef, Crossings, IdMap, IdSet};
use crate::evidence::{CaptureIx, Span, SpanIx, SpanKind};
use crate::plan::StimulusIx;
use crate::scenario::NodeIx;

/// The ways to find the span, from the surest to the weakest.
#[derive(Clone, Copy, Debug)]
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
    /// It is a root that fits, and what crossed has no context.
    FitsAsRoot,
    Fits,
    /// Something sent below it has the mark, and nothing else is known of it.
    SentBelow,
    /// One receive returned it together with others, whose span is known.
    Batch,
    /// Nothing saw what crossed (`tap: none`): it is in a trace of the stimulus.
    Untapped,
    /// It continues another request, and began during this one.
    Stray,
}

impl Tier {
    const ALL: [Tier; 11] = [
        Tier::ContinuesAndMarked,
        Tier::ContinuesUnmarked,
        Tier::CaptureMark,
        Tier::Names,
        Tier::Continues,
        Tier::FitsAsRoot,
        Tier::Fits,
        Tier::SentBelow,
        Tier::Batch,
        Tier::Untapped,
        Tier::Stray,
    ];
}

/// Finds the receiver's span of each crossing.
pub(super) fn pair(all: &mut Crossings<'_>) {
    let mut search = Search::new(all);
    for tier in Tier::ALL {
        for ix in 0..all.list.len() {
            let crossing = all.get(CrossingIx(ix));
            let due = all.exports(crossing.receiver()) && !crossing.is_undelivered();
            let due = due && all.list[ix].stream_mark.is_none();
            if crossing.receiver_span_ix().is_some() || !due {
                continue;
            }
            if let Some(span) = search.find(crossing, tier) {
                search.claim(crossing, span);
                all.list[ix].receiver_span = Some(span);
            }
        }
    }
    share_stream_spans(all);
}

/// Gives each further message of a gRPC stream the span of the stream.
fn share_stream_spans(all: &mut Crossings<'_>) {
    let mut of_stream: IdMap<CaptureIx, Option<SpanIx>> = IdMap::default();
    for crossing in &mut all.list {
        let Some(capture) = crossing.capture else { continue };
        match crossing.stream_mark {
            Some(_) => crossing.receiver_span = of_stream.get(&capture).copied().flatten(),
            None => drop(of_stream.insert(capture, crossing.receiver_span)),
        }
    }
}

/// The spans found so far, and what tiers look up.
struct Search {
    claimed: IdSet<SpanIx>,
    /// The spans of receivers found so far, by node and stimulus.
    received: IdMap<(NodeIx, StimulusIx), Vec<SpanIx>>,
    polls: Polls,
    free: OnceCell<FreeSpans>,
    claims: OnceCell<SpanClaims>,
    strays: OnceCell<Strays>,
}

impl Search {
    fn new(all: &Crossings<'_>) -> Search {
        Search {
            claimed: IdSet::default(),
            received: IdMap::default(),
            polls: Polls::of(all),
            free: OnceCell::new(),
            claims: OnceCell::new(),
            strays: OnceCell::new(),
        }
    }

    fn claim(&mut self, crossing: CrossingRef<'_>, span: SpanIx) {
        self.claimed.insert(span);
        self.received.entry((crossing.receiver(), crossing.stimulus_ix())).or_default().push(span);
    }

    fn find(&self, crossing: CrossingRef<'_>, tier: Tier) -> Option<SpanIx> {
        match tier {
            Tier::ContinuesAndMarked | Tier::ContinuesUnmarked | Tier::Continues => {
                let found = self.continuing(crossing, tier)?;
                let poll = is_linking_poll(crossing, found);
                let work = if poll { self.work_of_own_claim(crossing) } else { None };
                Some(work.unwrap_or(found))
            }
            Tier::CaptureMark => {
                let marked = marked(crossing).iter().copied();
                self.earliest(crossing, marked.filter(|span| !is_root_of_restart(crossing, *span)))
            }
            Tier::Names => self.earliest(crossing, self.claims(crossing.all()).naming(crossing).into_iter()),
            Tier::FitsAsRoot if crossing.arrived_contexts().next().is_some() => None,
            Tier::FitsAsRoot => self.fitting(crossing, |span| span.parent_id.is_empty()),
            Tier::Fits => self.fitting(crossing, |_span| true),
            Tier::SentBelow => {
                let claims = self.claims(crossing.all());
                let spans = claims.sent_below(crossing.receiver(), crossing.mark()?);
                self.earliest(crossing, spans.iter().copied())
            }
            Tier::Batch => batch(crossing),
            Tier::Untapped => self.untapped(crossing),
            Tier::Stray => {
                let strays = self.strays.get_or_init(|| Strays::of(crossing.all(), &self.claimed));
                strays.find(crossing, &self.claimed)
            }
        }
    }

    fn free(&self, all: &Crossings<'_>) -> &FreeSpans {
        self.free.get_or_init(|| FreeSpans::of(all))
    }

    fn claims(&self, all: &Crossings<'_>) -> &SpanClaims {
        self.claims.get_or_init(|| SpanClaims::of(all))
    }

    /// Returns whether no other crossing has the span. One that processes a batch stands for each of its messages.
    fn is_free(&self, crossing: CrossingRef<'_>, span: SpanIx) -> bool {
        let seen = crossing.all().spans.get(span);
        let several = seen.marks.len() > 1 || seen.links.len() > 1;
        !self.claimed.contains(&span) || (several && crossing.is_message())
    }

    /// Returns a span under or linked to one of the contexts that crossed.
    fn continuing(&self, crossing: CrossingRef<'_>, tier: Tier) -> Option<SpanIx> {
        let spans = &crossing.all().spans;
        let mark = crossing.mark();
        let mut best: Option<(u8, bool, u64, SpanIx)> = None;
        for context in crossing.arrived_contexts() {
            let (trace, parent) = (context.trace_id.as_bytes(), context.parent_id.as_bytes());
            for span in spans.continuing(crossing.receiver(), context) {
                let seen = spans.get(span);
                let marks = match tier {
                    Tier::ContinuesAndMarked => mark.is_some_and(|mark| seen.marks.contains(&mark)),
                    Tier::ContinuesUnmarked => {
                        (seen.marks.is_empty() || mark.is_none()) && !names_another(crossing, span)
                    }
                    Tier::Continues
                    | Tier::CaptureMark
                    | Tier::Names
                    | Tier::FitsAsRoot
                    | Tier::Fits
                    | Tier::SentBelow
                    | Tier::Batch
                    | Tier::Untapped
                    | Tier::Stray => true,
                };
                let child = seen.trace_id == trace && seen.parent_id == parent;
                let rank = (receipt_rank(seen), !child, seen.start_nanos, span);
                if marks
                    && best.is_none_or(|known| rank < known)
                    && self.is_free(crossing, span)
                    && self.polls.may_stand_for(crossing, seen)
                {
                    best = Some(rank);
                }
            }
        }
        best.map(|(_, _, _, span)| span)
    }

    /// Returns a span of the work that names the message or has its mark, whatever else links to it.
    fn work_of_own_claim(&self, crossing: CrossingRef<'_>) -> Option<SpanIx> {
        let spans = &crossing.all().spans;
        let naming = self.claims(crossing.all()).naming(crossing);
        let own = naming.into_iter().chain(marked(crossing).iter().copied());
        self.earliest(crossing, own.filter(|span| is_work(spans.get(*span))))
    }

    fn earliest(&self, crossing: CrossingRef<'_>, found: impl Iterator<Item = SpanIx>) -> Option<SpanIx> {
        let spans = &crossing.all().spans;
        let free = found.filter(|span| {
            self.is_free(crossing, *span) && !self.polls.is_beside_work(crossing, spans.get(*span))
        });
        free.min_by_key(|span| (receipt_rank(spans.get(*span)), spans.get(*span).start_nanos))
    }

    /// Returns a span for something received that fits, and that no other wire claims by its parent.
    fn fitting(&self, crossing: CrossingRef<'_>, may_stand: impl Fn(&Span) -> bool) -> Option<SpanIx> {
        let (all, node) = (crossing.all(), crossing.receiver());
        let (capture, mark) = (crossing.received()?, crossing.mark());
        let free = self.free(all);
        let mut best = None;
        for span in free.of_node(node).iter().copied() {
            let seen = all.spans.get(span);
            let own = free.traces.is_of(node, seen, crossing.stimulus_ix());
            let marked_elsewhere =
                !seen.marks.is_empty() && mark.is_none_or(|mark| !seen.marks.contains(&mark));
            let names = named(seen);
            let rank = (own != Some(true), Reverse(names), seen.start_nanos, span);
            if own != Some(false)
                && may_stand(seen)
                && !marked_elsewhere
                && (names > 0 || own == Some(true))
                && best.is_none_or(|known| rank < known)
                && self.is_free(crossing, span)
                && self.polls.may_stand_for(crossing, seen)
                && fits(all, seen, capture, false)
            {
                best = Some(rank);
            }
        }
        best.map(|(_, _, _, span)| span)
    }

    /// Returns a span for something received: one under or linked to a span that the sender has for the stimulus, or
    /// else one in a trace of the stimulus.
    fn untapped(&self, crossing: CrossingRef<'_>) -> Option<SpanIx> {
        if crossing.sent_capture().is_some() {
            return None;
        }
        let (all, node) = (crossing.all(), crossing.receiver());
        let free = self.free(all);
        let mut best = None;
        for span in free.of_node(node).iter().copied() {
            let seen = all.spans.get(span);
            let links = seen.links.iter().map(|link| link.span_id.as_slice());
            let mut above = std::iter::once(seen.parent_id.as_slice()).chain(links);
            let sent = above.any(|id| self.has_sent(crossing, id));
            let own = free.traces.is_of(node, seen, crossing.stimulus_ix()) == Some(true);
            let rank = (!sent, seen.start_nanos, span);
            if (sent || own) && best.is_none_or(|known| rank < known) && self.is_free(crossing, span) {
                best = Some(rank);
            }
        }
        best.map(|(_, _, span)| span)
    }

    /// Returns whether the sender has a span with this id for the crossing's stimulus.
    fn has_sent(&self, crossing: CrossingRef<'_>, id: &[u8]) -> bool {
        let (all, sender) = (crossing.all(), crossing.sender());
        let incoming = self.received.get(&(sender, crossing.stimulus_ix())).map_or(&[][..], Vec::as_slice);
        all.spans.with_id(sender, id).iter().any(|span| {
            let traces = &self.free(all).traces;
            incoming.iter().any(|incoming| all.spans.is_at_or_below(*span, *incoming))
                || traces.is_of(sender, all.spans.get(*span), crossing.stimulus_ix()) == Some(true)
        })
    }
}

/// Returns the receiver's spans that have the mark of the crossing.
fn marked(crossing: CrossingRef<'_>) -> &[SpanIx] {
    let mark = crossing.mark();
    mark.map_or(&[], |mark| crossing.all().spans.marked(crossing.receiver(), mark))
}

/// Returns whether it is the INTERNAL root that a relay's `restart` step makes on the way to its next call.
fn is_root_of_restart(crossing: CrossingRef<'_>, span: SpanIx) -> bool {
    let seen = crossing.all().spans.get(span);
    let relay = crossing.receiver_node().kind.keeps_relay_contract();
    relay && seen.kind == SpanKind::Internal && seen.parent_id.is_empty()
}

/// Ranks SERVER and CONSUMER before anything else; a receive comes later, and a call of the receiver that continues
/// what crossed comes last.
fn receipt_rank(span: &Span) -> u8 {
    match span.kind {
        SpanKind::Server | SpanKind::Consumer => u8::from(is_receive(span)),
        SpanKind::Internal | SpanKind::Unspecified => 1,
        SpanKind::Client | SpanKind::Producer => 2,
    }
}

/// Returns the span of what the same receive returned.
fn batch(crossing: CrossingRef<'_>) -> Option<SpanIx> {
    let all = crossing.all();
    let capture = all.capture(crossing.delivery()?);
    let receive = capture.message.as_ref()?.receive?;
    let mut mates = all.iter().filter(|other| {
        let seen = other.delivery().map(|delivery| all.capture(delivery));
        let seen = seen.filter(|seen| seen.tap == capture.tap);
        let received = seen.and_then(|seen| seen.message.as_ref()?.receive);
        received == Some(receive) && other.hop_ix() == crossing.hop_ix()
    });
    let mate = mates.find_map(CrossingRef::receiver_span_ix)?;
    let span = all.spans.get(mate);
    let declared = crossing.hop().transport.batch().is_some();
    let counted = attribute(span, &["messaging.batch.message_count"]).is_some_and(|(_, count)| count != "1");
    (declared || counted || span.links.len() > 1 || span.marks.len() > 1).then_some(mate)
}
