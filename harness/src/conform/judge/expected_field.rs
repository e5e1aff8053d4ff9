//! The field that an outcome demands of a call, for the report: `<new span id>` stands where the target chooses.
//!
//! It judges nothing: a mismatch that was found gets the bytes that a correct target would have sent.

use super::VectorExchange;
use super::context::{TRACEPARENT, expected_id, flags_by_rule};
use super::foreign::decision_by_rule;
use super::mismatch::{Mismatch, MismatchKind};
use super::outgoing::{field_of, range_of};
use crate::conform::suite::{AllowedOutcome, Demands, FieldDifference, OutcomeKind};
use crate::wire::{ContextPart, Decision, Format, RemoteContext, SpanId, TraceId};

/// Stands for an id that the target chooses.
const NEW_TRACE: &str = "<new trace id>";
const NEW_SPAN: &str = "<new span id>";
const NEW_PARENT: &str = "<new parent id>";
const ANY_DECISION: &str = "<any decision>";

/// Adds the expected field to a mismatch of a call that must carry a context in this format.
pub(super) fn with_expected(
    mut mismatch: Mismatch,
    format: Format,
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
) -> Mismatch {
    if mismatch.difference.as_ref().is_some_and(|difference| difference.expected.is_some()) {
        return mismatch;
    }
    let Some(field) = field_of_mismatch(&mismatch) else { return mismatch };
    let Some(expected) = value(format, &field, outcome, exchange) else { return mismatch };
    match &mut mismatch.difference {
        Some(difference) => difference.expected = Some(expected),
        None => {
            let expected = Some(expected);
            let difference = FieldDifference { field, expected, actual: Vec::new(), caret: 0..0 };
            mismatch.difference = Some(Box::new(difference));
        }
    }
    mismatch
}

/// Returns the field of a context that is missing or wrong; `None` where the mismatch is about something else.
fn field_of_mismatch(mismatch: &Mismatch) -> Option<String> {
    match &mismatch.kind {
        MismatchKind::Missing(field)
        | MismatchKind::Malformed(field, _)
        | MismatchKind::NotPadded(field, ..)
        | MismatchKind::Repeated(field, _) => Some((*field).to_owned()),
        MismatchKind::ParentIdKept
        | MismatchKind::TraceIdKept
        | MismatchKind::TraceIdDerived
        | MismatchKind::TraceIdChanged
        | MismatchKind::Version(_) => mismatch.difference.as_ref().map(|difference| difference.field.clone()),
        _ => None,
    }
}

/// Returns the value that a field must have, with placeholders; `None` where the format has no such field.
fn value(
    format: Format,
    field: &str,
    outcome: &AllowedOutcome,
    exchange: &VectorExchange,
) -> Option<Vec<u8>> {
    let trace_id = match outcome.kind {
        OutcomeKind::Restart => None,
        OutcomeKind::Continue | OutcomeKind::PassThrough | OutcomeKind::Nothing | OutcomeKind::Refuse => {
            let demanded = outcome.demands.trace_id.as_ref();
            Some(expected_id(demanded, &exchange.minted.trace_id, &exchange.minted))
        }
    };
    match format {
        Format::TraceContext => {
            let wanted = traceparent(trace_id.as_deref(), outcome, exchange);
            (field == TRACEPARENT).then(|| wanted.into_bytes())
        }
        Format::GrpcTraceBin => Some(binary(trace_id.as_deref(), &outcome.demands).into_bytes()),
        Format::B3Single
        | Format::B3Multi
        | Format::Jaeger
        | Format::XRay
        | Format::Datadog
        | Format::GoogleCloud
        | Format::OtTrace => text(format, field, trace_id.as_deref(), &outcome.demands),
    }
}

fn traceparent(trace_id: Option<&str>, outcome: &AllowedOutcome, exchange: &VectorExchange) -> String {
    let (minted, demands) = (&exchange.minted, &outcome.demands);
    let keeps_parent = trace_id.is_some() && (demands.keeps_parent || exchange.is_without_span);
    let parent_id = if keeps_parent {
        expected_id(demands.parent_id.as_ref(), &minted.parent_id, minted)
    } else {
        NEW_PARENT.to_owned()
    };
    format!("00-{}-{parent_id}-{}", trace_id.unwrap_or(NEW_TRACE), flags_by_rule(demands))
}

/// Returns the bytes of `grpc-trace-bin` in words: no part of base64 can be replaced.
fn binary(trace_id: Option<&str>, demands: &Demands) -> String {
    let options = match decision_by_rule(demands).and_then(Decision::is_sampled) {
        Some(sampled) => format!("{:02x}", u8::from(sampled)),
        None => ANY_DECISION.to_owned(),
    };
    format!("<base64 of 00 00 {} 01 {NEW_SPAN} 02 {options}>", trace_id.unwrap_or(NEW_TRACE))
}

/// Returns the value of a format whose parts are text.
fn text(format: Format, field: &str, trace_id: Option<&str>, demands: &Demands) -> Option<Vec<u8>> {
    let decision = decision_by_rule(demands);
    let context = RemoteContext::new(
        TraceId::from_hex(trace_id.unwrap_or("00000000000000000000000000000001").as_bytes())?,
        SpanId::from_hex(b"0000000000000001")?,
        decision.unwrap_or(Decision::Sampled),
    );
    let (_, mut value) = format.inject(&context).into_iter().find(|(name, _)| *name == field)?;
    // From the last part to the first, so that the places of the others stay.
    let chosen = [
        (decision.is_none(), ContextPart::Decision, ANY_DECISION),
        (true, ContextPart::SpanId, NEW_SPAN),
        (trace_id.is_none(), ContextPart::TraceId, NEW_TRACE),
    ];
    for (is_chosen, part, placeholder) in chosen {
        if is_chosen && field_of(format, part) == field {
            let at = range_of(format, part, &value);
            value.splice(at, placeholder.bytes());
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::End;
    use super::super::tests::end_of;

    const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
    const P: &str = "00f067aa0ba902b7";

    /// Returns the field that is expected, as `name: value`.
    fn expected(text: &str, call: &[(&str, &str)]) -> String {
        let End::Misfits(mismatch) = end_of(text, &[call]) else { panic!("{text}: it fits") };
        let difference = mismatch.difference.unwrap_or_else(|| panic!("{:?}", mismatch.kind));
        let value = difference.expected.unwrap_or_else(|| panic!("{:?}", mismatch.kind));
        format!("{}: {}", difference.field, String::from_utf8(value).unwrap())
    }

    #[test]
    fn a_field_that_is_missing_is_written_down_in_each_format() {
        for (format, due) in [
            ("w3c", "traceparent: 00-{T}-<new parent id>-<sampled set>"),
            ("b3", "b3: {T}-<new span id>-1"),
            ("b3multi", "x-b3-traceid: {T}"),
            ("jaeger", "uber-trace-id: {T}:<new span id>:0:1"),
            (
                "xray",
                "x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=<new span id>;Sampled=1",
            ),
            ("datadog", "x-datadog-trace-id: 11803532876627986230"),
            ("google", "x-cloud-trace-context: {T}/<new span id>;o=1"),
            ("grpc-trace-bin", "grpc-trace-bin: <base64 of 00 00 {T} 01 <new span id> 02 01>"),
            ("ottrace", "ot-tracer-traceid: {T}"),
        ] {
            let text = format!(
                "{{ send: [[x, '{{T}}']], expect: {{ continue: {{ format: {format}, set: sampled }} }} }}"
            );
            assert_eq!(expected(&text, &[]), due.replace("{T}", T), "{format}");
        }
    }

    #[test]
    fn what_the_target_chooses_is_a_placeholder() {
        let restart = "{ send: [[b3, '{T}']], expect: { restart: { format: b3 } } }";
        let kept = format!("{T}-00f067aa0ba902b8-1");
        assert_eq!(expected(restart, &[("b3", &kept)]), "b3: <new trace id>-<new span id>-<any decision>");
        let continued = "{ send: [[x-b3-traceid, '{T}']], expect: { continue: { format: b3multi } } }";
        let call = [("x-b3-traceid", T), ("x-b3-spanid", P), ("x-b3-sampled", "1")];
        assert_eq!(expected(continued, &call), "x-b3-spanid: <new span id>");
        let call = [("x-b3-traceid", T), ("x-b3-spanid", "7")];
        assert_eq!(expected(continued, &call), "x-b3-spanid: <new span id>");
        let plain = "{ send: [[traceparent, '00-{T}-{P}-01']], expect: continue }";
        let line = format!("00-{T}-{P}-01");
        let due = format!("traceparent: 00-{T}-<new parent id>-<any flags>");
        assert_eq!(expected(plain, &[("traceparent", &line)]), due);
        assert_eq!(expected(plain, &[("traceparent", "00-zz")]), due);
        let line = format!("00-{OTHER}-{P}-01");
        assert_eq!(expected(plain, &[("traceparent", &line)]), due);
    }
}
