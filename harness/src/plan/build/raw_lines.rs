//! `raw-headers`: the context that a receiver may read in the field lines of a stimulus.
//!
//! Nothing is normalised: the lines are sent as they are written, and only what they carry is worked out here.

use crate::plan::StimulusContext;
use crate::wire::{Decision, Level, SpanId, TraceId, TraceParent};

/// The ids for `${trace-id}` and `${parent-id}`.
#[derive(Clone, Copy)]
pub(super) struct MintedIds {
    pub trace_id: TraceId,
    pub parent_id: SpanId,
}

impl MintedIds {
    fn fill(self, text: &str) -> String {
        let text = text.replace("${trace-id}", &self.trace_id.to_string());
        text.replace("${parent-id}", &self.parent_id.to_string())
    }
}

/// Returns what the lines carry, `${trace-id}` and `${parent-id}` in them filled. A traceparent that stands there once,
/// or more than once with one text, is the context; several that differ are none.
pub(super) fn carried(lines: &[(String, String)], root: Option<bool>, minted: MintedIds) -> StimulusContext {
    let fields: Vec<(String, Vec<u8>)> =
        lines.iter().map(|(name, value)| (name.clone(), minted.fill(value).into_bytes())).collect();
    let values = |field: &str| -> Vec<Vec<u8>> {
        let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field));
        named.map(|(_, value)| value.clone()).collect()
    };
    let own = values("traceparent");
    let context = match own.as_slice() {
        [first, further @ ..] if further.iter().all(|line| line == first) => {
            TraceParent::parse(first, Level::Two).ok()
        }
        _ => None,
    };
    let sampled = context.as_ref().map_or(root.unwrap_or(true), |context| context.flags.sampled());
    let decision = if context.is_some() { Decision::of(sampled) } else { Decision::Sampled };
    let MintedIds { trace_id, parent_id } = context
        .as_ref()
        .map_or(minted, |context| MintedIds { trace_id: context.trace_id, parent_id: context.parent_id });
    StimulusContext {
        trace_id: *trace_id.as_bytes(),
        parent_id: *parent_id.as_bytes(),
        valid: own.is_empty() || context.is_some(),
        traceparent: own.into_iter().next(),
        sampled,
        decision,
        tracestate: values("tracestate"),
        baggage: values("baggage"),
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> StimulusContext {
        let lines: Vec<(String, String)> = lines
            .iter()
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (trace_id, parent_id) = (TraceId::new([1; 16]).unwrap(), SpanId::new([2; 8]).unwrap());
        carried(&lines, None, MintedIds { trace_id, parent_id })
    }

    #[test]
    fn one_traceparent_in_any_case_is_the_context_and_several_that_differ_are_none() {
        let own = "TRACEPARENT: 00-${trace-id}-${parent-id}-00";
        let other = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let future = "traceparent: cc-${trace-id}-${parent-id}-01-more";
        for (lines, valid, sampled) in [
            (vec![own], true, false),
            (vec![future], true, true),
            (vec![own, own], true, false),
            (vec![own, other], false, true),
            (vec!["traceparent"], false, true),
            (vec!["Tracestate: a=1"], true, true),
        ] {
            let sent = of(&lines);
            assert_eq!((sent.valid, sent.sampled), (valid, sampled), "{lines:?}");
            assert_eq!(sent.fields.len(), lines.len());
        }
        assert_eq!(of(&[own]).fields[0].0, "TRACEPARENT");
        assert_eq!(of(&[other]).trace_id[0], 0x0a, "the ids that are sent, not those that were minted");
        assert_eq!(of(&["TraceState: a=1", "tracestate: b=2"]).tracestate, [b"a=1", b"b=2"]);
    }
}
