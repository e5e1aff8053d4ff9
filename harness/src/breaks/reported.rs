//! X: what spans report of a crossing against what was on the wire, in fields for which no other row held.
//!
//! Ids are a finding; flags, remote bit and trace state are notes, findings under `--strict`: published SDKs leave
//! them out (Python no sampled bit, no trace state of links), and what is on the wire decides a break.

use super::fault::{Break, Grade};
use super::sender_spans::described;
use super::{Breaks, Class, Side, name, on_crossing};
use crate::crossings::hashing::IdSet;
use crate::crossings::{Carried, CrossingIx, Crossings};
use crate::evidence::{Link, Span};
use crate::scenario::NodeIx;
use crate::wire::TraceParent;

/// OTLP `Span.flags`: whether the remote bit means anything, and whether the parent is remote.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let told = found.list.iter().filter_map(|told| Some((told.crossing?, told.side)));
    let told: IdSet<(CrossingIx, Side)> = told.collect();
    for (ix, crossing) in all.iter() {
        let context = |wire: Option<&Carried>| wire.and_then(|wire| wire.context()).copied();
        let (sent, came) = (context(all.wire(crossing)), context(all.arrived(crossing)));
        let clean = |side: Side| !told.contains(&(ix, side));
        let (sender, receiver) = (clean(Side::Sender), clean(Side::Receiver));
        let asked = sender && super::sends_first(all, ix) && all.sender(crossing) != NodeIx::CLIENT;
        if let Some(context) = sent.filter(|_| asked) {
            found.list.extend(by_sender(all, ix, &context));
        }
        if let Some(context) = came.filter(|_| receiver && !all.is_undelivered(crossing)) {
            found.list.extend(by_receiver(all, ix, &context));
        }
    }
}

fn by_sender(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let span = crossing.named_span.filter(|named| crossing.call_span.is_none_or(|call| call == *named))?;
    let span = all.spans.get(span);
    let told = |grade, what: &str| {
        Some(told(all, on_crossing(all, ix, Class::TelemetryDiffers, Side::Sender).graded(grade), span, what))
    };
    if span.trace_id != context.trace_id.as_bytes() {
        return told(Grade::Fault, "the trace id");
    }
    if span.flags & 1 != u32::from(context.flags.sampled()) {
        return told(Grade::Note, "the sampled flag");
    }
    (!same_state(&span.trace_state, all.wire(crossing)))
        .then(|| told(Grade::Note, "the trace state"))
        .flatten()
}

fn by_receiver(all: &Crossings<'_>, ix: CrossingIx, context: &TraceParent) -> Option<Break> {
    let crossing = all.get(ix);
    let span = all.spans.get(crossing.receiver_span?);
    let told = |grade, what: &str| {
        Some(told(
            all,
            on_crossing(all, ix, Class::TelemetryDiffers, Side::Receiver).graded(grade),
            span,
            what,
        ))
    };
    if span.trace_id != context.trace_id.as_bytes() {
        let link = span.links.iter().find(|link| is_to(link, context))?;
        let bare = link.flags & 1 != u32::from(context.flags.sampled())
            || !same_state(&link.trace_state, all.arrived(crossing));
        return bare.then(|| told(Grade::Note, "the flags or trace state of its link")).flatten();
    }
    if span.flags & 1 != u32::from(context.flags.sampled()) {
        return told(Grade::Note, "the sampled flag");
    }
    if span.flags & HAS_IS_REMOTE != 0 && span.flags & IS_REMOTE == 0 {
        return told(Grade::Note, "the remote bit of its parent");
    }
    (!same_state(&span.trace_state, all.arrived(crossing)))
        .then(|| told(Grade::Note, "the trace state"))
        .flatten()
}

fn is_to(link: &Link, context: &TraceParent) -> bool {
    link.trace_id == context.trace_id.as_bytes() && link.span_id == context.parent_id.as_bytes()
}

fn same_state(reported: &str, wire: Option<&Carried>) -> bool {
    let Some(wire) = wire else { return true };
    let reported = crate::wire::tracestate::TraceState::members_of([reported.as_bytes()]);
    wire.lists.tracestate_open
        || reported.iter().map(|member| &member.bytes).eq(wire
            .lists
            .members
            .iter()
            .map(|member| &member.bytes))
}

fn told(all: &Crossings<'_>, told: Break, span: &Span, what: &str) -> Break {
    let who = name(all, told.node);
    let message =
        format!("{who} reports {what} otherwise than the wire shows it, on its span `{}`", span.name);
    told.told(message, "what was on the wire".into(), described(span))
}
