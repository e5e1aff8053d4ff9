//! Writes a context.

use super::{Context, Flaw, ForeignPropagation, Style};

impl ForeignPropagation {
    pub(super) fn write(&self, context: &Context, span_id: &str) -> Vec<(&'static str, String)> {
        let trace_id = &context.trace_id;
        let sampled = context.sampled.unwrap_or(true) || self.has(Flaw::AlwaysSampled);
        let debug = context.debug && !self.has(Flaw::DropsDebug);
        let bit = u8::from(sampled);
        let span = u64::from_str_radix(span_id, 16).unwrap();
        let mut fields = match self.style {
            Style::B3 => {
                let state = if debug { "d".to_owned() } else { bit.to_string() };
                vec![("b3", format!("{trace_id}-{span_id}-{state}"))]
            }
            Style::B3Multi => self.multi(context, span_id, debug, bit),
            Style::Jaeger => {
                let flags = bit | u8::from(debug) << 1;
                vec![("uber-trace-id", format!("{trace_id}:{span_id}:0:{flags:x}"))]
            }
            Style::XRay => {
                let (epoch, random) = trace_id.split_at(8);
                let lineage = context.lineage.iter().map(|lineage| format!(";Lineage={lineage}"));
                let lineage: String = lineage.collect();
                let value = format!("Root=1-{epoch}-{random};Parent={span_id};Sampled={bit}{lineage}");
                vec![("X-Amzn-Trace-Id", value)]
            }
            Style::Google => vec![("X-Cloud-Trace-Context", format!("{trace_id}/{span};o={bit}"))],
            Style::Datadog => self.datadog_fields(context, span, bit),
        };
        if self.has(Flaw::InjectsBoth) {
            fields.push(match self.style {
                Style::B3 => ("X-B3-TraceId", trace_id.clone()),
                Style::B3Multi => ("b3", format!("{trace_id}-{span_id}-{bit}")),
                Style::Jaeger | Style::XRay | Style::Google | Style::Datadog => {
                    ("traceparent", format!("00-{trace_id}-{span_id}-0{bit}"))
                }
            });
        }
        fields
    }

    fn multi(&self, context: &Context, span_id: &str, debug: bool, bit: u8) -> Vec<(&'static str, String)> {
        let mut fields =
            vec![("X-B3-TraceId", context.trace_id.clone()), ("X-B3-SpanId", span_id.to_owned())];
        if debug {
            fields.push(("X-B3-Flags", "1".to_owned()));
        }
        if !debug || self.has(Flaw::SendsDecisionWithDebug) {
            fields.push(("X-B3-Sampled", bit.to_string()));
        }
        if self.has(Flaw::SendsParentSpanId) {
            fields.push(("X-B3-ParentSpanId", context.parent_id.clone()));
        }
        fields
    }

    fn datadog_fields(&self, context: &Context, span: u64, bit: u8) -> Vec<(&'static str, String)> {
        let (high, low) = context.trace_id.split_at(16);
        let low = u64::from_str_radix(low, 16).unwrap();
        let mut fields = vec![
            ("x-datadog-trace-id", low.to_string()),
            ("x-datadog-parent-id", span.to_string()),
            ("x-datadog-sampling-priority", bit.to_string()),
        ];
        if high != "0000000000000000" && !self.has(Flaw::DropsHighBits) {
            fields.push(("x-datadog-tags", format!("_dd.p.tid={high}")));
        }
        fields
    }
}
