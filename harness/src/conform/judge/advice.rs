//! The next step about a call that carries the wrong format, or none: the propagator to configure.

use super::mismatch::{Mismatch, MismatchKind};
use super::outgoing::contexts_of;
use super::{Call, VectorExchange};
use crate::conform::suite::{Configuration, Setting, Vector};
use crate::evidence::RawFields;
use crate::wire::Format;

/// Adds the next step to a mismatch of a vector that chooses the formats.
pub(super) fn with_advice(
    mut mismatch: Mismatch,
    vector: &Vector,
    exchange: &VectorExchange,
    call: &Call,
) -> Mismatch {
    let configuration = &vector.configuration;
    if let Some(set) = settings(configuration) {
        mismatch.advice = match &mismatch.kind {
            MismatchKind::Missing(field) => Some(inject(field, &call.fields, &set)),
            MismatchKind::TraceIdChanged if is_narrowed(&mismatch) => Some(WIDEN.to_owned()),
            MismatchKind::TraceIdChanged => extract(&exchange.sent, &set),
            _ => None,
        };
    }
    mismatch
}

/// Datadog's field with the high half of a trace id.
const HIGH_HALF: &str = "x-datadog-tags";

const WIDEN: &str =
    "configure trace ids of 128 bits: the low 64 bits are those that were sent, and the high ones are lost";

/// Returns true where the call carries the low half of the trace id that was expected.
fn is_narrowed(mismatch: &Mismatch) -> bool {
    let Some(difference) = &mismatch.difference else { return false };
    if difference.field == HIGH_HALF {
        return true;
    }
    let lines = [difference.expected.as_deref().unwrap_or_default(), &difference.actual[..]];
    let low = lines.map(|line| {
        let field = vec![(difference.field.clone().into_bytes(), line.to_vec())];
        let format = Format::of_field(difference.field.as_bytes());
        format.and_then(|format| contexts_of(&[format], &field).pop()).map(|context| context.low_trace_id())
    });
    low[0].is_some() && low[0] == low[1]
}

/// Returns the variables that choose the formats; `None` where the target has its default.
fn settings(configuration: &Configuration) -> Option<String> {
    let lists = [Setting::Propagators, Setting::Extract, Setting::Inject];
    let set = lists.iter().filter_map(|list| Some((list.variable()?, configuration.get(*list)?)));
    let set: Vec<String> = set.map(|(variable, value)| format!("{variable}={value}")).collect();
    (!set.is_empty()).then(|| set.join(" "))
}

/// Returns the step for a call without the field of a format.
fn inject(field: &str, sent: &RawFields, set: &str) -> String {
    let wanted = match Format::of_field(field.as_bytes()) {
        Some(format) => format.word(),
        None => field,
    };
    let found: Vec<&str> =
        Format::among(sent.iter().map(|(name, _)| &name[..])).into_iter().map(Format::name).collect();
    let instead = if found.is_empty() {
        "the call carries no context in any format".to_owned()
    } else {
        format!("the call carries {}", found.join(", "))
    };
    format!("configure the propagator `{wanted}` for calls: {instead}; {}", selected_by(set))
}

/// Returns the step for a target that did not read what was sent.
fn extract(sent: &RawFields, set: &str) -> Option<String> {
    let found: Vec<String> = Format::among(sent.iter().map(|(name, _)| &name[..]))
        .into_iter()
        .map(|format| format!("`{}`", format.word()))
        .collect();
    if found.is_empty() {
        return None;
    }
    let one = if found.len() == 1 { "propagator" } else { "propagators" };
    Some(format!("configure the {one} {} for requests; {}", found.join(" and "), selected_by(set)))
}

fn selected_by(set: &str) -> String {
    format!(
        "the target was started with {set}: if it selects propagators in another way, map the configuration in a \
         target file (`unbroken schema target`)"
    )
}
