//! A receiver whose server or consumer makes no span, while each of its calls begins a trace of its own: one break
//! where the request arrived, and none at the calls, which all follow from it.
//!
//! A receiver that makes a single call cannot be distinguished from one that lost its context on the way: that is S6.

use super::break_kind::Extraction;
use super::{Break, BreakKind, Breaks, Caret, Value};
use crate::crossings::CrossingRef;

/// Adds the break, where the relation needs a child. Where it needs a link, R8 names the same cause.
pub(super) fn row(crossing: CrossingRef<'_>, found: &mut Breaks) -> bool {
    let Some(context) = crossing.arrived().and_then(|wire| wire.context()) else { return false };
    if crossing.relation().receiver_may_begin() || !crossing.is_uninstrumented() {
        return false;
    }
    let missing = Break::by_receiver(crossing, BreakKind::NotExtracted(Extraction::Uninstrumented));
    found.list.push(missing.at(Caret::TraceId).values(Value::SpanUnder(*context), Value::NoSpan));
    true
}
