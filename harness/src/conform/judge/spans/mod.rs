//! Statements about the exported spans of one request. A statement that speaks of a call's span needs the call.

mod exemplars;
mod links;
mod response;
mod threshold;
mod tree;

use std::collections::BTreeSet;

use super::exported_span::{ExportedLink, ExportedSpan};
use super::fields::values;
use super::mismatch::{Mismatch, MismatchKind};
use super::outgoing::contexts_of;
use super::{Call, TargetAnswer, VectorExchange};
use crate::conform::suite::SpanStatement;
use crate::evidence::SpanKind;
use crate::wire::{Baggage, Format, RemoteContext, hex};

/// Bits 0 to 7 of `Span.flags`.
const W3C_FLAGS: u32 = 0xff;
const SAMPLED: u32 = 0x01;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Checks statements about the spans of an exchange whose calls carry these formats.
pub(super) fn check(
    statements: &[SpanStatement],
    formats: &[Format],
    exchange: &VectorExchange,
) -> Result<(), Mismatch> {
    if statements.is_empty() {
        return Ok(());
    }
    let seen = RequestSpans::of(formats, exchange);
    for statement in statements {
        if let Err(Contradiction(actual)) = seen.statement(*statement) {
            return Err(MismatchKind::Spans(*statement, actual).into());
        }
    }
    Ok(())
}

/// The spans that contradict a statement, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Contradiction(String);

/// The spans of one request beside what was on the wire.
struct RequestSpans<'a> {
    exchange: &'a VectorExchange,
    /// The calls that carry a valid context.
    calls: Vec<(&'a Call, RemoteContext)>,
    spans: Vec<&'a ExportedSpan>,
}

impl<'a> RequestSpans<'a> {
    /// Takes the spans of the traces that the calls carry, or of the trace that was sent.
    fn of(formats: &[Format], exchange: &'a VectorExchange) -> Self {
        let mut calls: Vec<(&Call, RemoteContext)> = Vec::new();
        for call in &exchange.calls {
            calls.extend(contexts_of(formats, &call.fields).into_iter().map(|context| (call, context)));
        }
        let minted = hex::decode(exchange.minted.trace_id.as_bytes()).unwrap_or_default();
        let mut traces: BTreeSet<Vec<u8>> =
            calls.iter().map(|(_, parent)| parent.trace_id.as_bytes().to_vec()).collect();
        traces.insert(minted.clone());
        let all: Vec<&ExportedSpan> =
            exchange.telemetry.spans.iter().filter(|span| traces.contains(&span.trace_id)).collect();
        let sent = hex::decode(exchange.minted.parent_id.as_bytes()).unwrap_or_default();
        let mut own: BTreeSet<&[u8]> =
            calls.iter().map(|(_, parent)| &parent.span_id.as_bytes()[..]).collect();
        own.insert(&sent);
        // A trace id that is the same in every request stands for the spans of several.
        let is_shared = |span: &&&ExportedSpan| span.trace_id != minted;
        let connected = tree::connected(all.iter().filter(is_shared).copied(), own);
        let spans =
            all.into_iter().filter(|span| span.trace_id == minted || connected.contains(&span.span_id[..]));
        let spans = spans.collect();
        RequestSpans { exchange, calls, spans }
    }

    /// Returns what contradicts a statement.
    fn statement(&self, statement: SpanStatement) -> Result<(), Contradiction> {
        match statement {
            SpanStatement::Exported => self.exported(),
            SpanStatement::NotExported => match self.spans.first() {
                Some(span) => Err(Contradiction(format!("the span {} was exported", span.words()))),
                None => Ok(()),
            },
            SpanStatement::EntryParent => self.entry_parent(),
            SpanStatement::EntryRoot => match self.entry()?.parent_id.as_slice() {
                [] => Ok(()),
                parent => {
                    Err(Contradiction(format!("the entry span has the parent {}", hex::encode(parent))))
                }
            },
            SpanStatement::CallsNameSpans => self.each_call(|_, _, _| Ok(())),
            SpanStatement::ParentsExist => self.parents_exist(),
            SpanStatement::OneTree => self.one_tree(),
            SpanStatement::TimesOrdered => self.times_ordered(),
            SpanStatement::Kinds => self.kinds(),
            SpanStatement::ValidIds => self.valid_ids(),
            SpanStatement::RemoteParents => self.remote_parents(),
            SpanStatement::FlagsOfCall => self.each_call(|_, sent, span| {
                let wire = u32::from(sent.traceparent().flags.0);
                // Other formats have the decision alone.
                let exported = span.flags & if sent.flags.is_some() { W3C_FLAGS } else { SAMPLED };
                if wire == exported {
                    return Ok(());
                }
                Err(Contradiction(format!(
                    "the call carries the flags {wire:02x}, its span {} has {exported:02x}",
                    span.words()
                )))
            }),
            SpanStatement::TracestateOfCall => self.each_call(tracestate_of_call),
            SpanStatement::SampledOnly => self.sampled_only(),
            SpanStatement::NoBaggageAttributes => self.no_baggage_attributes(),
            SpanStatement::NoOtherTraces => match self.exchange.telemetry.other_traces.first() {
                Some(span) => Err(Contradiction(format!(
                    "the span {} is in the trace {}, which no request and no call carried",
                    span.words(),
                    hex::encode(&span.trace_id)
                ))),
                None => Ok(()),
            },
            SpanStatement::LinkedToEntry => self.linked_to_entry(),
            SpanStatement::SendLinksToCall => self.send_links_to_call(),
            SpanStatement::ThresholdsHold => threshold::check(&self.spans),
            SpanStatement::LinkedToSent => self.linked_to_sent(),
            SpanStatement::Redelivered => self.redelivered(),
            SpanStatement::FailedDelivery => self.failed_delivery(),
            SpanStatement::ExemplarOfEntry => self.exemplar_of_entry(),
            SpanStatement::NoExemplar => self.no_exemplar(),
            SpanStatement::ResponseOfEntry => self.response_of_entry(),
            SpanStatement::HttpAttributes => self.http_attributes(),
            SpanStatement::LowCardinalityName => self.low_cardinality_name(),
            SpanStatement::ResourceNamed => {
                match self.spans.iter().find(|span| span.service_name.as_deref().is_none_or(str::is_empty)) {
                    Some(span) => Err(Contradiction(format!(
                        "the resource of the span {} has no `service.name`",
                        span.words()
                    ))),
                    None => self.entry().map(|_| ()),
                }
            }
        }
    }

    /// Returns the span that began the work on the request.
    fn entry(&self) -> Result<&'a ExportedSpan, Contradiction> {
        let parent = hex::decode(self.exchange.minted.parent_id.as_bytes()).unwrap_or_default();
        let entries = || self.spans.iter().copied().filter(|span| span.is_entry());
        let below_ours = || self.spans.iter().copied().find(|span| span.parent_id == parent);
        let outermost = || {
            let outer =
                |span: &&ExportedSpan| !self.spans.iter().any(|other| other.span_id == span.parent_id);
            self.spans.iter().copied().find(outer)
        };
        let found = entries().find(|span| span.parent_id == parent).or_else(below_ours);
        let found = found.or_else(|| entries().next()).or_else(outermost);
        found.ok_or_else(|| Contradiction("no span of the request was exported".to_owned()))
    }

    fn exported(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        if entry.is_call() {
            return Err(Contradiction(format!(
                "only the span {} was exported, and none of the request",
                entry.words()
            )));
        }
        self.each_call(|_, _, _| Ok(()))
    }

    fn entry_parent(&self) -> Result<(), Contradiction> {
        let (entry, sent) = (self.entry()?, &self.exchange.minted.parent_id);
        let actual = hex::encode(&entry.parent_id);
        match actual.as_str() {
            actual if actual == sent => Ok(()),
            "" => Err(Contradiction(format!("the span {} has no parent, expected {sent}", entry.words()))),
            actual => Err(Contradiction(format!(
                "the span {} has the parent {actual}, expected {sent}",
                entry.words()
            ))),
        }
    }

    /// Finds the span that each call names and checks it.
    fn each_call(
        &self,
        check: impl Fn(&Call, &RemoteContext, &ExportedSpan) -> Result<(), Contradiction>,
    ) -> Result<(), Contradiction> {
        for (call, sent) in &self.calls {
            let named = self.spans.iter().find(|span| {
                span.span_id == sent.span_id.as_bytes() && span.trace_id == sent.trace_id.as_bytes()
            });
            match named {
                Some(span) => check(call, sent, span)?,
                None => {
                    return Err(Contradiction(format!(
                        "no span with the id {} was exported, which the call carries; {}",
                        sent.span_id,
                        self.list()
                    )));
                }
            }
        }
        Ok(())
    }

    fn list(&self) -> String {
        match self.spans.as_slice() {
            [] => "no span of the trace was exported".to_owned(),
            spans => {
                let named: Vec<String> = spans.iter().take(4).map(|span| span.words()).collect();
                format!("exported: {}", named.join(", "))
            }
        }
    }

    fn kinds(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        let expected = match self.exchange.answer {
            TargetAnswer::Delivered => SpanKind::Consumer,
            TargetAnswer::Status(_)
            | TargetAnswer::None(_)
            | TargetAnswer::BrokenOff(_)
            | TargetAnswer::Ended(..)
            | TargetAnswer::NotSent(_) => SpanKind::Server,
        };
        if entry.kind != expected {
            let (kind, expected) = (entry.kind.word(), expected.word());
            return Err(Contradiction(format!(
                "the entry span {} is of kind {kind}, expected {expected}",
                entry.words()
            )));
        }
        self.each_call(|_, _, span| {
            if span.is_call() {
                return Ok(());
            }
            let kind = span.kind.word();
            Err(Contradiction(format!(
                "the span of the call, {}, is of kind {kind}, expected CLIENT or PRODUCER",
                span.words()
            )))
        })
    }

    fn valid_ids(&self) -> Result<(), Contradiction> {
        self.entry()?;
        let is_valid = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
        for span in &self.spans {
            let parent = &span.parent_id;
            if !is_valid(&span.trace_id, 16)
                || !is_valid(&span.span_id, 8)
                || !(parent.is_empty() || is_valid(parent, 8))
            {
                let (trace, parent) = (hex::encode(&span.trace_id), hex::encode(parent));
                return Err(Contradiction(format!(
                    "the span {} has the trace id {trace} and the parent {parent}",
                    span.words()
                )));
            }
        }
        Ok(())
    }

    fn remote_parents(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        for span in &self.spans {
            let expected = if span.span_id == entry.span_id && !span.parent_id.is_empty() {
                HAS_IS_REMOTE | IS_REMOTE
            } else {
                HAS_IS_REMOTE
            };
            let actual = span.flags & (HAS_IS_REMOTE | IS_REMOTE);
            if actual != expected {
                return Err(Contradiction(format!(
                    "the span {} has {actual:#05x} in its flags, expected {expected:#05x}",
                    span.words()
                )));
            }
        }
        Ok(())
    }

    fn linked_to_entry(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        let mut links = self.spans.iter().filter(|span| span.trace_id != entry.trace_id);
        let is_to_entry = |link: &ExportedLink| link.is_to(&entry.trace_id, &entry.span_id);
        if links.any(|span| span.links.iter().any(is_to_entry)) {
            return Ok(());
        }
        Err(Contradiction(format!("no span of the new trace links to the span {}", entry.words())))
    }

    fn sampled_only(&self) -> Result<(), Contradiction> {
        // An exporter that does not write the flags of the context leaves the bit 0 everywhere.
        let writes_flags = self.spans.iter().any(|span| span.flags & 1 == 1);
        let unsampled = self.spans.iter().find(|span| writes_flags && span.flags & 1 == 0);
        match unsampled {
            Some(span) => {
                Err(Contradiction(format!("the span {} has the flags {:#x}", span.words(), span.flags)))
            }
            None => Ok(()),
        }
    }

    fn no_baggage_attributes(&self) -> Result<(), Contradiction> {
        self.entry()?;
        let lines = values(&self.exchange.sent, "baggage");
        let Ok(baggage) = Baggage::parse(lines) else { return Ok(()) };
        for entry in baggage.entries {
            let value = String::from_utf8_lossy(&entry.value).into_owned();
            for span in &self.spans {
                if let Some((name, _)) = span.attributes.iter().find(|(_, found)| *found == value) {
                    return Err(Contradiction(format!(
                        "the attribute `{name}` of the span {} is `{value}`",
                        span.words()
                    )));
                }
            }
        }
        Ok(())
    }

    fn http_attributes(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        let required: &[&[&str]] = &[
            &["http.request.method", "http.method"],
            &["url.path", "http.target"],
            &["url.scheme", "http.scheme"],
        ];
        if is_of_http(entry, SpanKind::Server) {
            has_attributes(entry, required)?;
        }
        let required: &[&[&str]] = &[
            &["http.request.method", "http.method"],
            &["url.full", "http.url"],
            &["server.address", "net.peer.name"],
            &["server.port", "net.peer.port"],
        ];
        self.each_call(|_, _, span| {
            if !is_of_http(span, SpanKind::Client) {
                return Ok(());
            }
            has_attributes(span, required)
                .map_err(|Contradiction(why)| Contradiction(format!("{why} ({CLIENT_SPANS})")))
        })
    }

    fn low_cardinality_name(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        let minted = &self.exchange.minted;
        if [&minted.trace_id, &minted.parent_id].iter().any(|id| entry.name.contains(id.as_str())) {
            return Err(Contradiction(format!("the name is `{}`", entry.name)));
        }
        if entry.name.is_empty() { Err(Contradiction("the name is empty".to_owned())) } else { Ok(()) }
    }
}

/// The clause for CLIENT spans, where the requirement has the one for SERVER spans.
const CLIENT_SPANS: &str = "https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span";

/// Returns whether a span of this kind is of HTTP: those of gRPC have conventions of their own.
fn is_of_http(span: &ExportedSpan, kind: SpanKind) -> bool {
    span.kind == kind && span.attribute(&["rpc.system", "rpc.system.name"]).is_none()
}

fn has_attributes(span: &ExportedSpan, required: &[&[&str]]) -> Result<(), Contradiction> {
    match required.iter().find(|names| span.attribute(names).is_none()) {
        Some(names) => {
            Err(Contradiction(format!("the span {} has no attribute `{}`", span.words(), names[0])))
        }
        None => Ok(()),
    }
}

fn tracestate_of_call(call: &Call, _sent: &RemoteContext, span: &ExportedSpan) -> Result<(), Contradiction> {
    let lines = values(&call.fields, "tracestate");
    let wire = lines.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join(",");
    if without_spaces(&wire) == without_spaces(&span.trace_state) {
        return Ok(());
    }
    let exported = &span.trace_state;
    Err(Contradiction(format!("the call carries `{wire}`, its span {} has `{exported}`", span.words())))
}

/// Returns the members without the optional white space around them.
fn without_spaces(list: &str) -> String {
    list.split(',').map(str::trim).filter(|member| !member.is_empty()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
