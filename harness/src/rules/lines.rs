//! The bytes on both sides of a break, with a caret under those that it is about.

use std::ops::Range;

use super::Line;
use super::wording::Example;
use crate::breaks::{Break, BreakKind, Caret, Side};
use crate::crossings::{CarriedFields, ContextField, CrossingRef, Crossings};
use crate::evidence::{Capture, CaptureIx, SpanIx};
use crate::wire::hex::encode as hex;

/// Returns what crossed before, what crossed here, and the spans on both sides.
pub fn lines(all: &Crossings<'_>, broken: &Break) -> Vec<Line> {
    let Some(crossing) = broken.crossing.map(|ix| all.get(ix)) else { return Vec::new() };
    let view = View { all, broken, crossing };
    let (from, to) = (crossing.sender_name(), crossing.receiver_name());
    let broker = crossing.hop().transport.via().map(|via| all.node_name(via));
    let delivered = if crossing.delivery().is_some() { broker } else { None };
    let mut lines = Vec::new();
    if broken.side != Side::Receiver {
        if let Some(cause) = crossing.cause() {
            lines.extend(view.wire(cause.received_capture(), &format!("into `{from}`"), false));
        }
        let span = crossing.call_span_ix().or(crossing.named_span_ix());
        lines.extend(span.map(|span| view.span(span, from)));
    }
    let sender_broke = match broken.side {
        Side::Sender => true,
        Side::Intermediary => broker.is_none(),
        Side::Receiver | Side::Unknown => false,
    };
    let label = format!("`{from}` to `{}`", delivered.unwrap_or(to));
    lines.extend(view.wire(crossing.sent_capture(), &label, sender_broke));
    if let Some(broker) = delivered
        && broken.side != Side::Sender
    {
        let label = format!("`{broker}` to `{to}`");
        lines.extend(view.wire(crossing.received_capture(), &label, broken.side == Side::Intermediary));
    }
    if broken.side == Side::Receiver {
        lines.extend(crossing.receiver_span_ix().map(|span| view.span(span, to)));
    }
    lines
}

/// A break and the crossing whose bytes are shown.
struct View<'a> {
    all: &'a Crossings<'a>,
    broken: &'a Break,
    crossing: CrossingRef<'a>,
}

impl View<'_> {
    /// Returns the field lines of one end of a crossing that the break is about.
    fn wire(&self, capture: Option<CaptureIx>, label: &str, at_fault: bool) -> Vec<Line> {
        let Some(capture_ix) = capture else { return Vec::new() };
        let capture = self.all.capture(capture_ix);
        let line = |text: String| Line { label: label.to_owned(), text, caret: None, caption: String::new() };
        if matches!(self.broken.caret, Caret::Format(_)) || self.broken.kind == BreakKind::NotAdded {
            return vec![line(format!("fields: {}", names(capture)))];
        }
        let field = self.broken.caret.field().unwrap_or(ContextField::TraceParent);
        // A gateway takes one format and sends another: each wire is shown in its own.
        let carried = &self.all.carried[capture_ix.0];
        let name = field.name_in(carried.format);
        let values = values(carried, field);
        if values.is_empty() {
            let place = self.all.carrier_of(capture_ix);
            let place = place.map(|carrier| format!(" in {}", carrier.shown())).unwrap_or_default();
            return vec![line(format!("no {name}{place}; fields: {}", names(capture)))];
        }
        let keys = keys(capture, name);
        let mut lines = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            let key = keys.get(at).map_or(name, String::as_str);
            let mut line = line(format!("{key}: {}", value.escape_ascii()));
            if at_fault {
                let start = key.len() + 2;
                line.caret =
                    shown_caret(self.broken, at, value).map(|caret| start + caret.start..start + caret.end);
            }
            if line.caret.is_some() {
                line.caption = Example::of(self.crossing.all(), self.broken).actual();
            }
            lines.push(line);
        }
        lines
    }

    fn span(&self, span: SpanIx, node: &str) -> Line {
        let span = self.all.spans.get(span);
        let parent = if span.parent_id.is_empty() { "none".to_owned() } else { hex(&span.parent_id) };
        let mut text = format!("trace {} span {} parent {parent}", hex(&span.trace_id), hex(&span.span_id));
        for link in &span.links {
            text += &format!(" link {}/{}", hex(&link.trace_id), hex(&link.span_id));
        }
        let label = format!("{} span of `{node}`", span.kind.word());
        Line { label, text, caret: None, caption: String::new() }
    }
}

/// Returns the keys of a message's field as they stand there: they are bytes. Names of header fields have no case (RFC
/// 9110 5.1).
fn keys(capture: &Capture, name: &str) -> Vec<String> {
    if capture.message.is_none() {
        return Vec::new();
    }
    let headers = capture.context_fields();
    let same = headers.filter(|header| header.name.eq_ignore_ascii_case(name.as_bytes()));
    same.map(|header| header.name.escape_ascii().to_string()).collect()
}

fn values(carried: &CarriedFields, field: ContextField) -> Vec<&[u8]> {
    match field {
        ContextField::TraceParent => carried.copies.iter().map(|line| line.0.as_slice()).collect(),
        ContextField::TraceState => carried.lists.tracestate_lines.iter().map(Vec::as_slice).collect(),
        ContextField::Baggage => carried.lists.baggage_lines.iter().map(Vec::as_slice).collect(),
    }
}

/// Returns where a caret stands under a value as it is shown, with what does not print as `\xNN`.
fn shown_caret(broken: &Break, line: usize, value: &[u8]) -> Option<Range<usize>> {
    if let Caret::Bytes { line: wanted, .. } = &broken.caret
        && *wanted != line
    {
        return None;
    }
    let shown = |end: usize| value[..end].escape_ascii().count();
    broken.caret.range(broken.format, value.len()).map(|bytes| shown(bytes.start)..shown(bytes.end))
}

/// Returns the names of the fields that were there, so that a reader sees that the call itself arrived.
fn names(capture: &Capture) -> String {
    let names: Vec<String> =
        capture.context_fields().map(|field| field.name.escape_ascii().to_string()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
