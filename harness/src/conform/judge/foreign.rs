//! One call against one outcome in a format other than W3C Trace Context: ids and the decision to sample.

use super::formats::{self, OutgoingContext};
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, VectorExchange, context, lists};
use crate::conform::suite::{AllowedOutcome, ContextFlag, OutcomeKind};

/// Checks a call that has to carry a context in the format of the outcome.
pub(super) fn check(
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
    call: &Call,
) -> Result<(), Mismatch> {
    let sent = formats::read(outcome.format, &call.fields)?;
    match outcome.kind {
        OutcomeKind::Continue => continues(outcome, exchange, &sent)?,
        OutcomeKind::Restart => {
            if let Some(kind) = context::origin(exchange, &sent.trace_id) {
                return Err(sent.mismatch(kind));
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
    sent: &OutgoingContext,
) -> Result<(), Mismatch> {
    let (minted, demands) = (&exchange.minted, &outcome.demands);
    let trace_id = context::expected_id(demands.trace_id.as_ref(), &minted.trace_id, minted);
    if sent.trace_id != trace_id {
        return Err(sent.mismatch(MismatchKind::TraceIdChanged));
    }
    if sent.parent_id == context::expected_id(demands.parent_id.as_ref(), &minted.parent_id, minted) {
        return Err(sent.mismatch(MismatchKind::ParentIdKept));
    }
    Ok(())
}

fn flags(outcome: &AllowedOutcome, sent: &OutgoingContext) -> Result<(), Mismatch> {
    let unset = outcome.demands.set.iter().find(|flag| !is_set(**flag, sent));
    let set = outcome.demands.clear.iter().find(|flag| is_set(**flag, sent));
    match (unset, set) {
        (Some(flag), _) => Err(sent.mismatch(MismatchKind::Flag(*flag, true))),
        (None, Some(flag)) => Err(sent.mismatch(MismatchKind::Flag(*flag, false))),
        (None, None) => Ok(()),
    }
}

fn is_set(flag: ContextFlag, sent: &OutgoingContext) -> bool {
    match flag {
        ContextFlag::Sampled => sent.sampled == Some(true),
        ContextFlag::Debug => sent.debug,
        ContextFlag::Random | ContextFlag::Undefined => false,
    }
}
