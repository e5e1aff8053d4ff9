//! X: what spans report of a crossing against what was on the wire, in fields for which no other row held.
//!
//! Ids are a finding. Flags, remote bit and trace state are a note about a relay, a finding under `--strict`; about a
//! service they are a quirk of its SDK (Python: no sampled bit, no trace state of links), one line for each node. What
//! is on the wire decides a break.

use super::break_kind::ReportedField;
use super::{Break, BreakKind, Breaks, Grade, Side, Value};
use crate::crossings::id_map::IdSet;
use crate::crossings::{CarriedContext, CarriedFields, CrossingIx, CrossingRef, Crossings};
use crate::evidence::{Link, SpanIx};
use crate::wire::tracestate::{RawMember, TraceState};
use crate::wire::{Decision, Format, Level};

/// OTLP `Span.flags`: whether the remote bit means anything, and whether the parent is remote.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let broken: IdSet<(CrossingIx, Side)> =
        found.list.iter().filter_map(|one| Some((one.crossing?, one.side))).collect();
    for crossing in all.iter() {
        let sent = !crossing.is_from_client() && crossing.sends_first();
        if sent && !broken.contains(&(crossing.ix(), Side::Sender)) {
            found.list.extend(by_sender(crossing));
        }
        if !broken.contains(&(crossing.ix(), Side::Receiver)) && !crossing.is_undelivered() {
            found.list.extend(by_receiver(crossing));
        }
    }
}

fn by_sender(crossing: CrossingRef<'_>) -> Option<Break> {
    let wire = crossing.wire()?;
    let context = wire.context()?;
    let named = crossing.named_span_ix()?;
    if crossing.call_span_ix().is_some_and(|call| call != named) {
        return None;
    }
    let span = crossing.all().spans.get(named);
    let field = if span.trace_id != context.trace_id.as_bytes() {
        ReportedField::TraceId
    } else if differs_in_sampling(span.flags, context) {
        ReportedField::SampledFlag
    } else if !is_state_of(&span.trace_state, wire) {
        ReportedField::TraceState
    } else {
        return None;
    };
    Some(differing(crossing, Side::Sender, field, named))
}

fn by_receiver(crossing: CrossingRef<'_>) -> Option<Break> {
    let wire = crossing.arrived()?;
    let context = wire.context()?;
    let span = crossing.receiver_span()?;
    let field = if span.trace_id != context.trace_id.as_bytes() {
        let link = span.links.iter().find(|link| is_to(link, context))?;
        if !differs_in_sampling(link.flags, context) && is_state_of(&link.trace_state, wire) {
            return None;
        }
        ReportedField::Link
    } else if differs_in_sampling(span.flags, context) {
        ReportedField::SampledFlag
    } else if span.flags & HAS_IS_REMOTE != 0 && span.flags & IS_REMOTE == 0 {
        ReportedField::RemoteBit
    } else if !is_state_of(&span.trace_state, wire) {
        ReportedField::TraceState
    } else {
        return None;
    };
    Some(differing(crossing, Side::Receiver, field, crossing.receiver_span_ix()?))
}

fn differing(crossing: CrossingRef<'_>, side: Side, field: ReportedField, span: SpanIx) -> Break {
    let differing = Break::on(crossing, BreakKind::TelemetryDiffers(field), side);
    let relay = crossing.all().plan.scenario.node(differing.node).kind.keeps_relay_contract();
    let grade = match field {
        ReportedField::TraceId => Grade::Fault,
        // A service does not choose them: its SDK does, for every service alike.
        ReportedField::SampledFlag
        | ReportedField::TraceState
        | ReportedField::RemoteBit
        | ReportedField::Link => {
            if relay {
                Grade::Note
            } else {
                Grade::Quirk
            }
        }
    };
    let differing = differing.graded(grade);
    differing.of_span(span).values(Value::Implied, Value::Span(span))
}

fn is_to(link: &Link, context: &CarriedContext) -> bool {
    link.trace_id == context.trace_id.as_bytes() && link.span_id == context.parent_id.as_bytes()
}

fn differs_in_sampling(reported: u32, context: &CarriedContext) -> bool {
    context.decision != Decision::Deferred && reported & 1 != u32::from(context.flags.sampled())
}

/// Returns whether a span reports the members that are on the wire; of a list that is not read strictly it may report
/// anything.
fn is_state_of(reported: &str, wire: &CarriedFields) -> bool {
    let refused = |member: &RawMember| member.refusal(Level::One).is_some();
    // No other format has a place for the members.
    if wire.format != Format::TraceContext {
        return true;
    }
    if wire.lists.tracestate_open || wire.lists.members.iter().any(refused) {
        return true;
    }
    let reported = TraceState::members_of([reported.as_bytes()]);
    reported.iter().map(|member| &member.bytes).eq(wire.lists.members.iter().map(|member| &member.bytes))
}
