//! All formats: printing and parsing are inverse. Vectors stand beside each format.

use proptest::prelude::*;

use super::*;
use crate::wire::{ContextPart, ContextReason, Decision, Flags, PartDefect, Reason, SpanId, TraceId};

/// Returns the context that fields carry in a format.
pub(in crate::wire) fn extract(
    format: Format,
    fields: &[(&str, &str)],
) -> Result<Option<RemoteContext>, Refusal> {
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    format.extract(&Carrier::new(fields))
}

/// Returns the trace id, the span id and the decision of fields that must carry a context.
pub(in crate::wire) fn ids(format: Format, fields: &[(&str, &str)]) -> (String, String, Decision) {
    let context = extract(format, fields).unwrap().unwrap();
    (context.trace_id.to_string(), context.span_id.to_string(), context.decision)
}

/// Checks that fields are refused for this part and defect, with a clause and a caret inside the field.
pub(in crate::wire) fn refuses(
    format: Format,
    fields: &[(&str, &str)],
    (part, defect): (ContextPart, PartDefect),
) {
    let refusal = extract(format, fields).expect_err(&format!("{fields:?}"));
    assert_eq!(refusal.reason, Reason::Context(ContextReason { format, part, defect }), "{fields:?}");
    assert!(format.fields().contains(&refusal.field), "{fields:?}: {refusal:?}");
    let named = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(refusal.field));
    let length = named.map_or(0, |(_, value)| value.len());
    assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= length, "{fields:?}: {refusal:?}");
    assert!(!refusal.to_string().is_empty() && refusal.clause().len() > 20, "{fields:?}");
}

#[test]
fn no_fields_of_a_format_are_no_context_and_no_refusal() {
    for format in Format::ALL {
        let fields: Vec<_> = Format::ALL
            .iter()
            .filter(|other| *other != format)
            .flat_map(|other| other.fields().iter().map(|field| (*field, "\u{e4}")))
            .collect();
        assert_eq!(extract(*format, &fields), Ok(None), "{format:?}");
        assert_eq!(extract(*format, &[]), Ok(None), "{format:?}");
    }
}

#[test]
fn a_repeated_context_is_read_copy_by_copy() {
    let two = [
        (&b"x-b3-traceid"[..], &b"a3ce929d0e0e4736"[..]),
        (b"x-b3-spanid", b"00f067aa0ba902b7"),
        (b"X-B3-SpanId", b"00f067aa0ba902b8"),
    ];
    let all = Format::B3Multi.extract_all(&Carrier::new(two));
    let spans: Vec<String> = all.iter().map(|one| one.as_ref().unwrap().span_id.to_string()).collect();
    assert_eq!(spans, ["00f067aa0ba902b7", "00f067aa0ba902b8"]);
    let second = Carrier::new([(&b"b3"[..], &b"d"[..]), (b"b3", b"x")]);
    assert_eq!(Format::B3Single.extract_all(&second)[1].as_ref().unwrap_err().line, 1);
}

#[test]
fn w3c_trace_context_is_a_format_like_the_others() {
    let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    let context = extract(Format::TraceContext, &[("Traceparent", value)]).unwrap().unwrap();
    assert_eq!((context.decision, context.flags), (Decision::Sampled, Some(Flags(3))));
    assert_eq!(Format::TraceContext.inject(&context), [("traceparent", value.as_bytes().to_vec())]);
    assert_eq!(extract(Format::TraceContext, &[("traceparent", "00")]).unwrap_err().field, "traceparent");
}

fn any_context() -> impl Strategy<Value = RemoteContext> {
    let decision = proptest::sample::select(&Decision::ALL[..]);
    (any::<[u8; 16]>(), any::<[u8; 8]>(), decision).prop_filter_map("zero", |(trace, span, decision)| {
        Some(RemoteContext::new(TraceId::new(trace)?, SpanId::new(span)?, decision))
    })
}

fn any_format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL)
}

/// Fields of one format with values that are often nearly right.
fn any_fields() -> impl Strategy<Value = (Format, Vec<(&'static str, Vec<u8>)>)> {
    let value = prop_oneof![
        any::<Vec<u8>>(),
        "[0-9a-fA-F;:/=,%o-]{0,64}".prop_map(String::into_bytes),
        "(Root=1-[0-9a-f]{8}-[0-9a-f]{24})?;?(Parent=[0-9a-f]{16})?;(Sampled=[01?])?"
            .prop_map(String::into_bytes),
    ];
    any_format().prop_flat_map(move |format| {
        let field = (proptest::sample::select(format.fields()), value.clone());
        (Just(format), proptest::collection::vec(field, 0..6))
    })
}

proptest! {
    #[test]
    fn what_a_format_injects_it_extracts(format in any_format(), context in any_context()) {
        let fields = format.inject(&context);
        let carrier = Carrier::new(fields.iter().map(|(name, value)| (name.as_bytes(), &value[..])));
        let found = format.extract(&carrier).unwrap().unwrap();
        prop_assert_eq!(found.trace_id, context.trace_id);
        // Datadog's trace id of 64 bits is zero where the low half is: nothing can carry that.
        prop_assert_eq!(found.span_id, context.span_id);
        prop_assert_eq!(found.decision, format.decision_after(context.decision));
        prop_assert_eq!(format.carries(context.decision), found.decision == context.decision);
        prop_assert_eq!(format.inject(&found), fields);
    }

    #[test]
    fn every_injected_field_is_listed_in_lower_case(format in any_format(), context in any_context()) {
        for (name, _) in format.inject(&context) {
            prop_assert!(format.fields().contains(&name), "{}", name);
        }
    }

    #[test]
    fn extracting_never_panics_and_points_into_the_value((format, fields) in any_fields()) {
        let carrier = Carrier::new(fields.iter().map(|(name, value)| (name.as_bytes(), &value[..])));
        for found in format.extract_all(&carrier) {
            if let Err(refusal) = found {
                let value = carrier.value(refusal.field, refusal.line).unwrap_or_default();
                prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len(), "{:?}", refusal);
            }
        }
    }
}
