//! One call against one outcome in a format other than W3C Trace Context: ids and the decision to sample.

use super::mismatch::{Mismatch, MismatchKind};
use super::outgoing::OutgoingContext;
use super::{Call, VectorExchange, context, lists};
use crate::conform::suite::{AllowedOutcome, ContextFlag, Demands, OutcomeKind};
use crate::wire::{ContextPart, Decision, Format, RemoteContext};

/// Checks a call that has to carry a context in this format.
pub(super) fn check(
    format: Format,
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
    call: &Call,
) -> Result<(), Mismatch> {
    let sent = OutgoingContext::read(format, &call.fields)?;
    match outcome.kind {
        OutcomeKind::Continue => continues(outcome, exchange, &sent)?,
        OutcomeKind::Restart => {
            if let Some(kind) = context::origin(exchange, &sent.context.trace_id.to_string()) {
                return Err(sent.mismatch(kind, ContextPart::TraceId, None));
            }
        }
        OutcomeKind::PassThrough | OutcomeKind::Nothing | OutcomeKind::Refuse => {}
    }
    flags(outcome, &sent)?;
    lists::check(&outcome.demands, exchange, call)
}

fn continues(
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
    sent: &OutgoingContext<'_>,
) -> Result<(), Mismatch> {
    let (minted, demands) = (&exchange.minted, &outcome.demands);
    let trace_id = context::expected_id(demands.trace_id.as_ref(), &minted.trace_id, minted);
    if sent.context.trace_id.to_string() != trace_id {
        let expected = sent.with_trace_id(&trace_id).map(|context| RemoteContext {
            decision: decision_by_rule(demands).unwrap_or(context.decision),
            ..context
        });
        return Err(sent.mismatch(MismatchKind::TraceIdChanged, ContextPart::TraceId, expected));
    }
    let parent_id = context::expected_id(demands.parent_id.as_ref(), &minted.parent_id, minted);
    if sent.context.span_id.to_string() == parent_id {
        return Err(sent.mismatch(MismatchKind::ParentIdKept, ContextPart::SpanId, None));
    }
    Ok(())
}

fn flags(outcome: &AllowedOutcome, sent: &OutgoingContext<'_>) -> Result<(), Mismatch> {
    let decision = sent.context.decision;
    let demands = &outcome.demands;
    let unset = demands.set.iter().find(|flag| !is_set(**flag, decision)).map(|flag| (*flag, true));
    let set = demands.clear.iter().find(|flag| !is_clear(**flag, decision)).map(|flag| (*flag, false));
    let Some((flag, due)) = unset.or(set) else { return Ok(()) };
    let expected = match (flag, due) {
        (ContextFlag::Debug, true) => Decision::Debug,
        (_, true) | (ContextFlag::Debug, false) => Decision::Sampled,
        (_, false) => Decision::NotSampled,
    };
    let expected = RemoteContext { decision: expected, ..sent.context };
    Err(sent.mismatch(MismatchKind::Flag(flag, due), ContextPart::Decision, Some(expected)))
}

/// Returns the decision that an outcome demands; `None` where it leaves it open.
pub(super) fn decision_by_rule(demands: &Demands) -> Option<Decision> {
    if demands.set.contains(&ContextFlag::Debug) {
        return Some(Decision::Debug);
    }
    if demands.set.contains(&ContextFlag::Sampled) {
        return Some(Decision::Sampled);
    }
    demands.clear.contains(&ContextFlag::Sampled).then_some(Decision::NotSampled)
}

fn is_set(flag: ContextFlag, decision: Decision) -> bool {
    match flag {
        ContextFlag::Sampled => decision.is_sampled() == Some(true),
        ContextFlag::Debug => decision == Decision::Debug,
        ContextFlag::Random | ContextFlag::Undefined => false,
    }
}

/// Returns false for a decision that is left to the receiver where it was taken not to sample.
fn is_clear(flag: ContextFlag, decision: Decision) -> bool {
    match flag {
        ContextFlag::Sampled => decision == Decision::NotSampled,
        ContextFlag::Debug => decision != Decision::Debug,
        ContextFlag::Random | ContextFlag::Undefined => true,
    }
}

/// Checks that all formats of a call carry one context: the ids and the decision of the first.
pub(super) fn one_context(formats: &[Format], call: &Call) -> Result<(), Mismatch> {
    let [first, others @ ..] = formats else { return Ok(()) };
    if others.is_empty() {
        return Ok(());
    }
    let due = OutgoingContext::read(*first, &call.fields)?.context;
    for format in others {
        let other = OutgoingContext::read(*format, &call.fields)?;
        let found = other.context;
        let part = if found.trace_id != due.trace_id {
            ContextPart::TraceId
        } else if found.span_id != due.span_id {
            ContextPart::SpanId
        } else if found.decision.is_sampled() != due.decision.is_sampled() {
            ContextPart::Decision
        } else {
            continue;
        };
        return Err(other.mismatch(MismatchKind::Conflict(*first, *format, part), part, Some(due)));
    }
    Ok(())
}
