//! The next steps after a finding: by what the evidence shows, and then by class and side, the likeliest first.
//! `explain CLASS` says more.

use super::instrumentation_advice::{self, has_receipts};
use super::wording;
use crate::breaks::break_kind::{BaggageLoss, Duplication, Extraction, Miss, Restart};
use crate::breaks::{Break, BreakKind, Class, Side, Value};
use crate::crossings::{CrossingRef, Crossings};
use crate::scenario::{HopIx, NodeIx};
use crate::wire::Format;

/// Returns the next steps, the likeliest first.
pub fn next_steps(all: &Crossings<'_>, broken: &Break) -> Vec<String> {
    let crossing = broken.crossing.map(|ix| all.get(ix));
    if let Some(step) = crossing.and_then(|crossing| by_cause(broken, crossing)) {
        return vec![step];
    }
    if broken.class() == Class::NotCrossed && all.evidence.has_died(broken.node) {
        return vec![format!(
            "find out why `{}` ended: its last lines stand with its end",
            all.node_name(broken.node)
        )];
    }
    let mut steps: Vec<String> =
        crossing.and_then(|crossing| by_evidence(broken, crossing)).into_iter().collect();
    steps.extend(other_call(all, broken));
    if broken.side == Side::Intermediary && all.plan.scenario.node(broken.node).kind.as_broker().is_some() {
        steps.push("check the client libraries on both sides, and plugins or policies of the broker that rewrite headers".into());
        return steps;
    }
    if let BreakKind::NotCrossed(Miss::PastTheTap | Miss::PerhapsPastTheTap) = broken.kind {
        steps.push(past_the_tap(all, broken));
        return steps;
    }
    steps.extend(by_class(broken.class(), broken.side).iter().map(|step| (*step).to_owned()));
    steps
}

/// Returns the step for a sender that does not call the tap.
fn past_the_tap(all: &Crossings<'_>, broken: &Break) -> String {
    let scenario = &all.plan.scenario;
    let hop = scenario.hop(broken.hop);
    let called = &scenario.node(hop.transport.via().unwrap_or(hop.to)).name;
    match all.plan.hop_taps[broken.hop.0].and_then(|tap| all.plan.tap(tap).listen) {
        Some(at) => format!(
            "configure every instance of `{}` to reach `{called}` at {at}, where the tap listens",
            scenario.node(hop.from).name
        ),
        None => "use the template of the neighbour's address, such as `${ledger.url}`, in the settings of the node".into(),
    }
}

/// Returns the one step where the evidence names the cause: what fits the class in general would mislead.
fn by_cause(broken: &Break, crossing: CrossingRef<'_>) -> Option<String> {
    let (all, node) = (crossing.all(), broken.node);
    match (broken.kind, &broken.actual) {
        (BreakKind::NotInjected, Value::Formats(formats)) => {
            Some(other_formats(all.node_name(node), formats, crossing))
        }
        (BreakKind::NotInjected, _) if broken.capture.is_some_and(|at| all.carrier_of(at).is_some()) => {
            let carrier = all.carrier_of(broken.capture?)?;
            Some(format!(
                "inject the current context into {}: the instrumentation of the transport writes headers only",
                carrier.shown()
            ))
        }
        (BreakKind::BaggageLost(BaggageLoss::NotAdded), _) => Some(
            "set the member in the context that is current where the call is made: a context that is attached in another \
             task or thread is not"
                .to_owned(),
        ),
        (BreakKind::Duplicated(Duplication::BesideBody), _) => Some(
            "inject into the body while the span of this call is current, so that body and headers are of one trace"
                .to_owned(),
        ),
        (BreakKind::PreflightRefused, _) => Some(allow(all, broken)),
        (BreakKind::Restarted(Restart::BeforeItsHop(hop)), _) => Some(restart_at_receiver(crossing, hop)),
        (BreakKind::PassedThrough, _) if has_receipts(all, node) => Some(format!(
            "`{}` has spans of its own: remove the code that copies the incoming header, and instrument the client that makes \
             this call",
            all.node_name(node)
        )),
        (
            BreakKind::NotExtracted(Extraction::Seen | Extraction::Uninstrumented)
            | BreakKind::LinkMissing(_),
            _,
        ) if !crossing.fields_not_requested().is_empty() => {
            Some(not_requested(all.node_name(node), &crossing.fields_not_requested()))
        }
        (BreakKind::NotExtracted(Extraction::Seen), _) if has_receipts(all, node) => {
            Some(instrumentation_advice::propagator(all, node))
        }
        (BreakKind::Restarted(Restart::AtOrAfterEntry), _) if !has_receipts(all, node) => {
            Some(no_receipts(all, node, crossing.cause()?))
        }
        _ => None,
    }
}

/// Returns the step for a preflight whose answer does not allow a context.
fn allow(all: &Crossings<'_>, broken: &Break) -> String {
    let drive = broken.stimulus.map(|ix| &all.plan.scenario.drives[all.plan.stimulus(ix).drive]);
    let origin = drive.and_then(|drive| drive.origin.as_deref()).unwrap_or("*");
    let name = all.node_name(broken.node);
    match broken.expected.header_names() {
        [] => format!(
            "let `{name}` answer `OPTIONS` with a status of 200 to 299 and `Access-Control-Allow-Origin: {origin}`, also where a \
             router or an authentication stands before the handler"
        ),
        names => format!("add `{}` to `Access-Control-Allow-Headers` at `{name}`", names.join(", ")),
    }
}

/// Returns the step for a node that starts a new trace when it receives, and not on the hop that declares it.
fn restart_at_receiver(crossing: CrossingRef<'_>, hop: HopIx) -> String {
    let hop = crossing.all().plan.scenario.hop(hop);
    let (relation, behind, into) = (hop.relation.word(), &hop.id, &crossing.hop().id);
    let name = crossing.receiver_name();
    if crossing.receiver_node().is_gateway {
        return format!(
            "if `{name}` is to start new traces, write `trust: restart` at `{name}` and remove `relation: {relation}` from \
             `{behind}`; otherwise configure it to continue the trace that comes in"
        );
    }
    format!(
        "if `{name}` is to start new traces, write `relation: {relation}, at: receiver` at `{into}` and remove \
         `relation: {relation}` from `{behind}`; otherwise extract the context of `{into}` before its span starts"
    )
}

/// Returns the step that the spans of the nodes suggest.
fn by_evidence(broken: &Break, crossing: CrossingRef<'_>) -> Option<String> {
    let all = crossing.all();
    let node = format!("`{}`", all.node_name(broken.node));
    match broken.kind {
        BreakKind::NotInjected | BreakKind::PassedThrough | BreakKind::Restarted(Restart::AtOrAfterEntry) => {
            let call = crossing.call_span_ix().filter(|call| Some(*call) != crossing.named_span_ix())?;
            let (call, kind) = (&all.spans.get(call).name, all.spans.get(call).kind.word());
            Some(format!(
                "{node} has the {kind} span `{call}` for this call, which was created and not injected: inject its context"
            ))
        }
        BreakKind::Restarted(Restart::LinkedByReceiver) if crossing.is_message() => {
            Some("if the link is meant, declare `relation: child-or-link` or `relation: link`".to_owned())
        }
        BreakKind::LinkMissing(_)
        | BreakKind::NotExported(_)
        | BreakKind::NotExtracted(Extraction::Seen | Extraction::Uninstrumented) => {
            (!has_receipts(all, broken.node)).then(|| no_receipts(all, broken.node, crossing))
        }
        BreakKind::NotCrossed(_)
        | BreakKind::Refused
        | BreakKind::PreflightRefused
        | BreakKind::Leaked(_)
        | BreakKind::BaggageLeaked
        | BreakKind::Malformed { .. }
        | BreakKind::Duplicated(_)
        | BreakKind::Swapped(_)
        | BreakKind::Joined(_)
        | BreakKind::Restarted(_)
        | BreakKind::Reparented(_)
        | BreakKind::FlagChanged { .. }
        | BreakKind::TracestateLeaked
        | BreakKind::TracestateAltered(_)
        | BreakKind::TracestateCut
        | BreakKind::TracestateLost
        | BreakKind::TracestateReordered(_)
        | BreakKind::BaggageLost(_)
        | BreakKind::BaggageAltered(_)
        | BreakKind::LinkWrong(_)
        | BreakKind::Stripped(_)
        | BreakKind::Altered(_)
        | BreakKind::NotAdded
        | BreakKind::Adopted
        | BreakKind::SampledOut(_)
        | BreakKind::NotExtracted(_)
        | BreakKind::SampledIn(_)
        | BreakKind::TelemetryDiffers(_)
        | BreakKind::SpanIdRepeated
        | BreakKind::SpanMalformed(_)
        | BreakKind::ParentMissing
        | BreakKind::KindWrong
        | BreakKind::TimeInverted
        | BreakKind::ResourceMissing
        | BreakKind::LogUncorrelated(_)
        | BreakKind::ContractBroken(_)
        | BreakKind::TraceSplit(_)
        | BreakKind::TraceDropped
        | BreakKind::TraceKept
        | BreakKind::CollectorAltered(_)
        | BreakKind::Undeclared => None,
    }
}

/// Returns the step for a node that made no span for anything that it received.
fn no_receipts(all: &Crossings<'_>, node: NodeIx, received: CrossingRef<'_>) -> String {
    let (kind, side) = if received.is_message() { ("CONSUMER", "consumer") } else { ("SERVER", "server") };
    let how = instrumentation_advice::how(all, node, received.hop());
    format!(
        "`{}` exported no {kind} span at all: check that the instrumentation of its {side} is loaded{}",
        all.node_name(node),
        how.map_or_else(String::new, |how| format!("; {how}"))
    )
}

/// Returns the step for a consumer of SQS that did not request the attributes with the context.
fn not_requested(node: &str, fields: &[&str]) -> String {
    let list = fields.join("`, `");
    let parameter =
        if fields == ["AWSTraceHeader"] { "MessageSystemAttributeNames" } else { "MessageAttributeNames" };
    format!(
        "`{node}` did not request `{list}`: SQS delivers only the attributes that ReceiveMessage names; add them to \
         `{parameter}`, or instrument the client that receives, which does"
    )
}

/// Returns the step for a node that injects in other formats than the hop declares.
fn other_formats(node: &str, formats: &[Format], crossing: CrossingRef<'_>) -> String {
    let words: Vec<&str> = formats.iter().map(|format| format.word()).collect();
    let due: Vec<&str> = crossing.hop().formats.iter().map(|format| format.word()).collect();
    format!(
        "`{node}` injects `{}` only: add `{}` to its propagators (`OTEL_PROPAGATORS`), or declare `formats: [{}]` if that is meant",
        words.join("`, `"),
        due.join("`, `"),
        words.join(", ")
    )
}

/// Returns the step for a hop that nothing crossed while its sender called the receiver in another way.
fn other_call(all: &Crossings<'_>, broken: &Break) -> Option<String> {
    if broken.class() != Class::NotCrossed {
        return None;
    }
    let scenario = &all.plan.scenario;
    let hop = scenario.hop(broken.hop);
    let called = hop.transport.via().unwrap_or(hop.to);
    let mut undeclared = all.undeclared.iter().map(|capture| &all.evidence.captures[capture.0]);
    let other = undeclared.find(|capture| {
        let tap = all.plan.tap(capture.tap);
        (tap.from, tap.to) == (hop.from, called)
    })?;
    let (from, call, id) = (&scenario.node(hop.from).name, wording::call(all, other), &hop.id);
    let called = &scenario.node(called).name;
    Some(match &other.message {
        Some(_) => format!(
            "`{from}` used `{called}` in a way that no hop declares ({call}): declare that as a hop, or check the queue, \
             exchange and routing key of `{id}`"
        ),
        None => format!(
            "`{from}` called `{called}` with `{call}`, which no hop declares: check `path:` and `method:` of `{id}`"
        ),
    })
}

const REFUSED: &[&str] = &[
    "read the gateway's error log: a limit on header fields, a missing route or method, or an authentication refuses it",
    "if it must refuse this request, set `answers:` on the drive and `times: { min: 0, max: 1 }` on this hop",
];

const NOT_CROSSED: &[&str] =
    &["read the last output of the node, and check that it calls the address of the tap"];

const NOT_ADDED: &[&str] = &[
    "configure the gateway to set it on the requests of this route, or remove it from `adds`",
    "check that no later filter of the gateway removes it again",
];

const NOT_EXPORTED: &[&str] =
    &["check the node's exporter, its endpoint, and that it flushes when it is stopped"];

const JOINED: &[&str] =
    &["start a new root span where the scenario says `restart` or `link`, or declare `child`"];

const SPLIT: &[&str] = &[
    "send all spans of a trace to one collector before a tail sampler decides: `load_balancing` with `routing_key: traceID`",
    "raise `decision_wait` and `num_traces` of a tail sampler whose late spans are decided again",
];

const ALTERED: &[&str] = &[
    "remove the statement or the processor that sets this field; `filter` and `transform` are the usual ones",
    "give `probabilistic_sampler` `mode: proportional` or `equalizing`: `hash_seed` writes its own randomness into tracestate",
];

fn by_class(class: Class, side: Side) -> &'static [&'static str] {
    match (class, side) {
        (Class::NotCrossed, _) => NOT_CROSSED,
        (Class::NotInjected, _) => &[
            "instrument the client library that makes this call, or inject the current context by hand",
            "check `OTEL_PROPAGATORS`, and that a propagator is set before the client is created",
        ],
        (Class::NotExtracted, _) | (Class::Restarted, Side::Receiver) => &[
            "instrument the server or consumer that receives this, or extract the context before the span starts",
        ],
        (Class::Restarted, _) => &["pass the context to the thread, task or queue that makes the call"],
        (Class::PassedThrough, _) => &["enable tracing in this node, or declare `role: forwarder`"],
        (Class::Reparented, Side::Sender) => {
            &["inject inside the CLIENT span, after it was started and made current"]
        }
        (Class::Reparented, _) => &["start the span from the context that was extracted from this request"],
        (Class::Malformed, _) => &["let the propagator of the SDK write the field"],
        (Class::Duplicated, _) => {
            &["set the field instead of adding it; look for two instrumentations of one call"]
        }
        (Class::Swapped, _) => {
            &["look for a context in a process-wide or reused variable; run with concurrency 1 to compare"]
        }
        (Class::FlagChanged | Class::SampledIn | Class::SampledOut, _) => {
            &["use a parent-based sampler (`OTEL_TRACES_SAMPLER=parentbased_always_on`)"]
        }
        (Class::NotExported, _) => NOT_EXPORTED,
        (Class::Joined, _) => JOINED,
        (Class::LinkMissing | Class::LinkWrong, _) => {
            &["add a link to the context that was received when the new root is started"]
        }
        (Class::Adopted, _) => &["do not use any part of a traceparent that does not parse"],
        (Class::Stripped | Class::Altered, _) => &["forward the field unchanged"],
        (Class::NotAdded, _) => NOT_ADDED,
        (Class::Leaked, _) => &["exclude this host from propagation in the client library"],
        (Class::BaggageLeaked, Side::Intermediary) => &["remove `baggage` at this gateway"],
        (Class::BaggageLeaked, _) => &[
            "give this client a propagator without baggage, or remove `baggage` at the egress gateway",
            "clear the baggage in the context of this call",
        ],
        (Class::BaggageLost | Class::BaggageAltered, _) => &[
            "add the baggage propagator, and keep the baggage in the current context",
            "or declare `baggage: dropped` on the hop, if no baggage is to cross it",
        ],
        (
            Class::TracestateLost
            | Class::TracestateAltered
            | Class::TracestateCut
            | Class::TracestateReordered
            | Class::TracestateLeaked,
            _,
        ) => &["let the SDK propagate tracestate; do not rebuild it"],
        (Class::TelemetryDiffers, _) => &["compare the exporter's fields with the context that was injected"],
        (Class::Refused, _) => REFUSED,
        (Class::TraceSplit, _) => SPLIT,
        (Class::TraceDropped, _) => &["check the policies of its sampler: none of them keeps this trace"],
        (Class::TraceKept, _) => &["check the policies of its sampler: one of them keeps this trace"],
        (Class::CollectorAltered, _) => ALTERED,
        (Class::ParentMissing, _) => &["end every span, and flush before the process ends"],
        (Class::ResourceMissing, _) => &["set `OTEL_SERVICE_NAME`"],
        (Class::LogUncorrelated, _) => &["write logs through an appender that reads the current span"],
        (Class::Undeclared, _) => &["declare a hop for it, or remove `hops.only-declared` from `expect:`"],
        (Class::ContractBroken, _) => {
            &["read fixtures/CONTRACT.md; the relay cannot be judged until it keeps it"]
        }
        (Class::SpanIdRepeated | Class::SpanMalformed | Class::KindWrong | Class::TimeInverted, _) => {
            &["let the SDK create the span"]
        }
    }
}
