//! Requests and messages that a node sends by itself: polls, health checks, ticks of a scheduler.
//!
//! A kind (method and path, or the destination of a message) is background when it was seen before the story, or while
//! nothing was under way and all that was due had crossed without it; or when all that may cross has crossed without
//! it, and each request of it carries a trace of its own in which its sender, which traces its other calls, made no
//! span. Any other kind that is seen only under a stimulus stays judged.

use std::collections::{BTreeMap, HashSet};

use super::Crossings;
use crate::evidence::{CaptureIx, MessageDirection, SpanIx};
use crate::scenario::{HopIx, NodeIx, Transport};

/// The captures on declared hops, by the way in which their stimulus is known.
pub(super) struct CaptureGroups<'w> {
    /// Before the first stimulus.
    pub early: &'w [(CaptureIx, HopIx)],
    /// By mark or by trace.
    pub tied: Vec<(CaptureIx, HopIx)>,
    pub untied: Vec<(CaptureIx, HopIx)>,
}

/// A hop, and what distinguishes one kind of request on it from another.
type Kind = (HopIx, String);

/// Returns the untied captures that are background.
pub(super) fn find(all: &Crossings<'_>, groups: &CaptureGroups<'_>) -> HashSet<CaptureIx> {
    let mut kinds: BTreeMap<Kind, Vec<CaptureIx>> = BTreeMap::new();
    for (ix, hop) in &groups.untied {
        kinds.entry(kind(all, *hop, *ix)).or_default().push(*ix);
    }
    let early: HashSet<Kind> = groups.early.iter().map(|(ix, hop)| kind(all, *hop, *ix)).collect();
    let mut background = HashSet::new();
    for (kind, captures) in &kinds {
        if early.contains(kind)
            || captures.iter().any(|ix| is_surplus(all, groups, kind, *ix))
            || is_polled_without_spans(all, groups, kind, captures)
        {
            background.extend(captures.iter().copied());
        }
    }
    background
}

/// Returns whether nothing was under way when this was sent, and all that was due on its hop had crossed without its
/// kind.
fn is_surplus(all: &Crossings<'_>, groups: &CaptureGroups<'_>, of: &Kind, ix: CaptureIx) -> bool {
    let at = all.capture(ix).begun_nanos;
    let under_way = all
        .evidence
        .exchanges
        .iter()
        .any(|one| one.sent_nanos <= at && one.answered_nanos.is_none_or(|ended| ended >= at));
    let declared = all.plan.scenario.hop(of.0);
    let Some(within) = declared.within else { return false };
    // What may have caused it is not known.
    if under_way || groups.untied.iter().any(|(_, hop)| *hop == within) {
        return false;
    }
    let (mut causes, mut crossed) = (0, 0);
    for (ix, hop) in &groups.tied {
        let before = all.capture(*ix).begun_nanos < at;
        causes += usize::from(before && *hop == within);
        crossed += usize::from(before && *hop == of.0);
    }
    for (ix, hop) in &groups.untied {
        let before = all.capture(*ix).begun_nanos < at;
        crossed += usize::from(before && *hop == of.0 && kind(all, *hop, *ix) != *of);
    }
    let due = usize::try_from(declared.times.min).unwrap_or(usize::MAX).saturating_mul(causes);
    due > 0 && crossed >= due
}

/// Returns whether the other kinds on a hop were sent as often as the scenario allows and are in spans of their sender,
/// and each request of this kind is in a trace of its own, in which its sender made no span.
fn is_polled_without_spans(
    all: &Crossings<'_>,
    groups: &CaptureGroups<'_>,
    of: &Kind,
    captures: &[CaptureIx],
) -> bool {
    let hop = of.0;
    let declared = all.plan.scenario.hop(hop);
    let tied = |hop: HopIx| groups.tied.iter().filter(move |(_, on)| *on == hop).map(|(ix, _)| *ix);
    let Some(within) = declared.within else { return false };
    let most = usize::try_from(declared.times.max).unwrap_or(usize::MAX);
    let allowed = most.saturating_mul(tied(within).count());
    if allowed == 0 || tied(hop).count() < allowed || groups.untied.iter().any(|(_, on)| *on == within) {
        return false;
    }
    if tied(hop).any(|ix| named_span(all, declared.from, ix).is_none() || kind(all, hop, ix) == *of) {
        return false;
    }
    let mut traces = HashSet::new();
    captures.iter().all(|ix| {
        let context = all.carried(*ix).context();
        let own = context.is_some_and(|context| {
            traces.insert(context.trace_id)
                && all.spans.in_trace(declared.from, context.trace_id.as_bytes()).is_empty()
        });
        own && named_span(all, declared.from, *ix).is_none()
    })
}

fn named_span(all: &Crossings<'_>, node: NodeIx, ix: CaptureIx) -> Option<SpanIx> {
    all.spans.named(node, all.carried(ix).first()?)
}

fn kind(all: &Crossings<'_>, hop: HopIx, ix: CaptureIx) -> Kind {
    let capture = all.capture(ix);
    let name = match (&capture.message, &all.plan.scenario.hop(hop).transport) {
        (Some(message), _) => {
            format!("{} {}", message.destination, message.routing_key.as_deref().unwrap_or_default())
        }
        (None, Transport::Http(http)) if http.path.is_some() => capture.method.clone(),
        (None, _) => format!("{} {}", capture.method, capture.path),
    };
    (hop, name)
}

/// Moves deliveries of messages that are background, or were sent before the story, to the background.
pub(super) fn move_deliveries(
    all: &Crossings<'_>,
    sent: &[CaptureIx],
    unattributed: &mut Vec<(CaptureIx, HopIx)>,
) -> Vec<(CaptureIx, HopIx)> {
    unattributed.extract_if(.., |(ix, _)| sent.iter().any(|sent| is_delivery_of(all, *ix, *sent))).collect()
}

fn is_delivery_of(all: &Crossings<'_>, delivery: CaptureIx, sent: CaptureIx) -> bool {
    let (Some(message), Some(other)) = (&all.capture(delivery).message, &all.capture(sent).message) else {
        return false;
    };
    let id = message.id.is_some() && message.id == other.id;
    let context = all.carried(delivery).first();
    message.direction == MessageDirection::Delivered
        && match message.offset {
            Some(_) => message.offset == other.offset && message.destination == other.destination,
            None => id || (context.is_some() && context == all.carried(sent).first()),
        }
}
