//! Statements about links, and about the deliveries of one message.

use super::{Contradiction, ExportedSpan, RequestSpans, W3C_FLAGS, without_spaces};
use crate::conform::judge::fields::values;
use crate::evidence::SpanKind;
use crate::wire::{Level, TraceParent, hex};

impl<'a> RequestSpans<'a> {
    pub(super) fn send_links_to_call(&self) -> Result<(), Contradiction> {
        for (_, sent) in &self.calls {
            let (trace, span) = (sent.trace_id.as_bytes(), sent.span_id.as_bytes());
            let mut sends = self.spans.iter().filter(|span| span.is_call());
            if !sends.any(|send| send.links.iter().any(|link| link.is_to(trace, span))) {
                let (trace, span, list) = (sent.trace_id, sent.span_id, self.list());
                return Err(Contradiction(format!("no link to {trace}-{span}; {list}")));
            }
        }
        Ok(())
    }

    /// Checks that the entry span links to the context that was sent, and that the link has its flags and trace state.
    pub(super) fn linked_to_sent(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        let (trace, span) = self.sent_ids();
        let Some(link) = entry.links.iter().find(|link| link.is_to(&trace, &span)) else {
            let count = entry.links.len();
            return Err(Contradiction(format!(
                "the span {} has {count} links, and none to {}-{}",
                entry.words(),
                hex::encode(&trace),
                hex::encode(&span)
            )));
        };
        let sent = &self.exchange.sent;
        let line =
            values(sent, "traceparent").first().and_then(|line| TraceParent::parse(line, Level::Two).ok());
        let (expected, actual) = (line.map(|parent| u32::from(parent.flags.0)), link.flags & W3C_FLAGS);
        if expected.is_some_and(|expected| expected != actual) {
            let expected = expected.unwrap_or_default();
            return Err(Contradiction(format!(
                "the link has the flags {actual:02x}, expected {expected:02x}"
            )));
        }
        let state = values(sent, "tracestate");
        let state = state.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join(",");
        if without_spaces(&state) != without_spaces(&link.trace_state) {
            let actual = &link.trace_state;
            return Err(Contradiction(format!(
                "the link has the trace state `{actual}`, expected `{state}`"
            )));
        }
        Ok(())
    }

    /// Checks that a message that came twice has two spans, each with the relation to it that was configured.
    pub(super) fn redelivered(&self) -> Result<(), Contradiction> {
        let deliveries = self.deliveries();
        if deliveries.len() >= 2 {
            return Ok(());
        }
        let count = deliveries.len();
        let list = self.list();
        Err(Contradiction(format!("{count} spans have the message as parent or link, expected 2; {list}")))
    }

    pub(super) fn failed_delivery(&self) -> Result<(), Contradiction> {
        match self.deliveries().first() {
            Some(first) if first.is_failed => Ok(()),
            Some(first) => {
                Err(Contradiction(format!("the status of the span {} is not ERROR", first.words())))
            }
            None => Err(Contradiction("no span of a delivery was exported".to_owned())),
        }
    }

    /// Returns the CONSUMER spans of the message, in the order in which they began.
    fn deliveries(&self) -> Vec<&'a ExportedSpan> {
        let (trace, span) = self.sent_ids();
        let is_of_message = |one: &&ExportedSpan| {
            one.kind == SpanKind::Consumer
                && (one.trace_id == trace && one.parent_id == span
                    || one.links.iter().any(|link| link.is_to(&trace, &span)))
        };
        let mut found: Vec<&ExportedSpan> = self.spans.iter().copied().filter(is_of_message).collect();
        found.sort_by_key(|span| span.start_nanos);
        found
    }

    fn sent_ids(&self) -> (Vec<u8>, Vec<u8>) {
        let minted = &self.exchange.minted;
        let ids = [&minted.trace_id, &minted.parent_id];
        let [trace, span] = ids.map(|id| hex::decode(id.as_bytes()).unwrap_or_default());
        (trace, span)
    }
}
