//! Witnesses that are missing, and remarks that belong to a finding.

use super::{Example, answers};
use crate::breaks::{Remark, Witness};
use crate::crossings::CrossingIx;
use crate::evidence::Completion;

pub(super) fn witness(example: Example<'_>, witness: Witness) -> String {
    let who = example.who();
    match witness {
        Witness::Marker => "a marker: a request on this hop belongs to no known stimulus".to_owned(),
        Witness::Answer(cause) => {
            format!("a successful answer of {who} to what it received: {}", ended(example, cause))
        }
        Witness::Tap => match example.all.plan.scenario.hop(example.broken.hop).fixed_tap {
            None => "a tap on this hop (it says `tap: none`)".to_owned(),
            Some(_) => "a tap on this hop (the one that it has saw no connection)".to_owned(),
        },
        Witness::TapAddress => {
            let to = example.receiver();
            format!(
                "a call through the tap: configure {who} with the address of the tap for {to}, or set `tap: none`"
            )
        }
        Witness::SenderOfRecord => {
            "the sender of the second record: no tap on Kafka shows whether its first sender or its reader sent it again"
                .to_owned()
        }
        Witness::IncomingSpan => format!("{who}'s own span for what it received"),
        Witness::AnySpan => any_span(example),
        Witness::Flush => match unknown(example) {
            Some(why) => format!("a flush of {who}: {why}"),
            None if is_ordered(example) => format!(
                "a flush of {who}: it exports in order, as further requests showed, and no span of this trace came; \
                 its exporter dropped or holds the spans of this trace"
            ),
            None => format!("a flush of {who} after the call"),
        },
    }
}

fn any_span(example: Example<'_>) -> String {
    let who = example.who();
    let scenario = &example.all.plan.scenario;
    let node = scenario.node(example.broken.node);
    match (node.kind.runs_already(), scenario.otlp_listen) {
        (false, _) => {}
        (true, None) => {
            return format!(
                "any span of {who}: it runs already and exports elsewhere; add `otlp: {{ listen: 127.0.0.1:4318 }}` and \
                 configure its exporter with this address, or say `telemetry: none`"
            );
        }
        (true, Some(listen)) => {
            let service = node.service.as_ref().unwrap_or(&node.name);
            return format!(
                "any span of {who}: is its exporter configured with {listen}, and its `service.name` `{service}`?"
            );
        }
    }
    match unknown(example) {
        Some(why) => format!("any span of {who}, and a flush of it: {why}"),
        None => format!("any span of {who}: does it export to the endpoint that it was given?"),
    }
}

/// Returns whether only the order of exports shows that the node has exported everything.
fn is_ordered(example: Example<'_>) -> bool {
    let completion = example.all.evidence.completions.get(example.broken.node.0);
    matches!(completion, Some(Completion::Ordered { .. }))
}

/// Returns why the node may not have exported all that it had.
fn unknown(example: Example<'_>) -> Option<&str> {
    match example.all.evidence.completions.get(example.broken.node.0)? {
        Completion::Unknown(why) => Some(why),
        Completion::NothingDue
        | Completion::Flushed { .. }
        | Completion::Stopped { .. }
        | Completion::Ordered { .. }
        | Completion::Quiet { .. } => None,
    }
}

fn ended(example: Example<'_>, cause: CrossingIx) -> String {
    let cause = example.all.get(cause);
    match cause.received() {
        Some(_) if cause.is_undelivered() => "the message was not delivered".to_owned(),
        Some(capture) => answers::end(&capture.end),
        None => "not seen".to_owned(),
    }
}

pub(super) fn remark(example: Example<'_>, remark: Remark) -> String {
    let who = example.who();
    match remark {
        Remark::ExtractedCorrectly(span) => {
            let span = &example.all.spans.get(span).name;
            format!("{who} extracted the incoming context correctly (span `{span}`)")
        }
        Remark::ExtractedIntoItsTrace(span) => {
            let span = &example.all.spans.get(span).name;
            format!("{who} extracted the incoming context correctly (span `{span}`, in the expected trace)")
        }
        Remark::NoIncomingSpan(node) => {
            format!("`{}` exported no span for what it received", example.all.node_name(node))
        }
    }
}
