//! From a checked case and a seed to a plan: taps, calls, stimuli and the order of flushing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

mod raw_lines;

use raw_lines::MintedIds;

use super::broker::{brokers, subscriptions};
use super::instruction::calls_of;
use super::seed::Ids;
use super::tap::TapCarrier;
use super::{
    CallIx, ListenProtocols, Mark, Plan, Seed, Stimulus, StimulusContext, StimulusIx, TapIx, TapPlan,
    TapProtocol,
};
use crate::scenario::{Drive, DriveContext, Hop, HopIx, NodeIx, Scenario, TemplatePart, Transport};
use crate::wire::{Decision, Flags, Format, RemoteContext, SpanId, TraceId, TraceParent};

impl Plan {
    /// Builds the plan of one case. `folder` is the folder of its file, for relative programs.
    pub fn build(scenario: Arc<Scenario>, folder: PathBuf, seed: Seed) -> Plan {
        let part = seed.part(&scenario.title());
        let TapLayout { taps, hop_taps, arrival_taps } = taps(&scenario);
        let (brokers, subscriptions) = (brokers(&scenario), subscriptions(&scenario));
        let calls = calls_of(&scenario);
        let stimuli = stimuli(&scenario, part, &calls);
        let flush_order = flush_order(&scenario);
        let listens = listens(&scenario);
        let run = run_tag(part);
        Plan {
            scenario,
            folder,
            seed,
            run,
            taps,
            hop_taps,
            arrival_taps,
            brokers,
            subscriptions,
            calls,
            stimuli,
            flush_order,
            listens,
        }
    }
}

fn run_tag(part: Seed) -> u32 {
    u32::try_from(Ids::new(part).next_u64() >> 32).expect("the upper half of 64 bits fits 32")
}

fn protocol(transport: &Transport) -> TapProtocol {
    match transport {
        Transport::Http(_) => TapProtocol::Http,
        Transport::Grpc(_) => TapProtocol::Grpc,
        Transport::Kafka(_) => TapProtocol::Kafka,
        Transport::RabbitMq(_) => TapProtocol::Amqp,
        Transport::Sqs(_) => TapProtocol::Sqs,
    }
}

/// The taps of a case, and the hops that each sees.
struct TapLayout {
    taps: Vec<TapPlan>,
    hop_taps: Vec<Option<TapIx>>,
    arrival_taps: Vec<Option<TapIx>>,
}

/// The two sides of a tap, and where it listens if the hop fixes it.
#[derive(Clone, Copy)]
struct TapEnds {
    from: NodeIx,
    to: NodeIx,
    listen: Option<SocketAddr>,
}

fn taps(scenario: &Scenario) -> TapLayout {
    let mut layout = TapLayout { taps: Vec::new(), hop_taps: Vec::new(), arrival_taps: Vec::new() };
    for hop in &scenario.hops {
        let protocol = protocol(&hop.transport);
        let listen = hop.fixed_tap.and_then(|fixed| fixed.listen);
        let reader = hop.fixed_tap.and_then(|fixed| fixed.reader);
        let (sent, read) = match hop.transport.via() {
            _ if !hop.tapped => (None, None),
            None => (Some(TapEnds { from: hop.from, to: hop.to, listen }), None),
            Some(broker) if protocol == TapProtocol::Kafka => {
                let beside = TapEnds { from: broker, to: broker, listen: None };
                (Some(beside), Some(beside))
            }
            Some(broker) => {
                let sent = TapEnds { from: hop.from, to: broker, listen };
                (Some(sent), Some(TapEnds { from: hop.to, to: broker, listen: reader }))
            }
        };
        let sent = sent.map(|ends| layout.tap(scenario, ends, protocol, hop));
        let read = read.map(|ends| layout.tap(scenario, ends, protocol, hop));
        layout.hop_taps.push(sent);
        layout.arrival_taps.push(read);
    }
    layout
}

impl TapLayout {
    /// Returns the tap between these ends, with the settings of one more hop added.
    fn tap(&mut self, scenario: &Scenario, ends: TapEnds, protocol: TapProtocol, hop: &Hop) -> TapIx {
        let TapEnds { from, to, listen } = ends;
        let known = self.taps.iter().position(|tap| (tap.from, tap.to, tap.protocol) == (from, to, protocol));
        let ix = known.unwrap_or_else(|| {
            self.taps.push(TapPlan { tls: hop.tls, ..TapPlan::between(from, to, protocol) });
            self.taps.len() - 1
        });
        let tap = &mut self.taps[ix];
        for marker in [hop.from, hop.to].iter().filter_map(|node| scenario.node(*node).marker.clone()) {
            if !tap.markers.contains(&marker) {
                tap.markers.push(marker);
            }
        }
        if let Some(carrier) = hop.carrier.clone() {
            // A tap of RabbitMQ sees exchanges, which need not have the names of queues.
            let named = matches!(protocol, TapProtocol::Kafka | TapProtocol::Sqs);
            let source = if named { hop.transport.source().map(str::to_owned) } else { None };
            tap.carriers.push(TapCarrier { source, carrier });
        }
        tap.tls |= hop.tls;
        tap.client_certificate = tap.client_certificate.take().or_else(|| hop.client_certificate.clone());
        tap.listen = tap.listen.or(listen);
        tap.host = tap.host.take().or_else(|| hop.host.clone());
        TapIx(ix)
    }
}

fn listens(scenario: &Scenario) -> Vec<ListenProtocols> {
    let mut listens = vec![ListenProtocols::default(); scenario.nodes.len()];
    for hop in &scenario.hops {
        match hop.transport {
            Transport::Http(_) => listens[hop.to.0].http = true,
            Transport::Grpc(_) => listens[hop.to.0].grpc = true,
            Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {}
        }
    }
    for (node, listens) in scenario.nodes.iter().zip(&mut listens) {
        listens.http |= node.is_helper;
    }
    listens
}

fn stimuli(scenario: &Scenario, part: Seed, calls: &[super::PlannedCall]) -> Vec<Stimulus> {
    let run = run_tag(part);
    let mut ids = Ids::new(part.part("ids"));
    let mut stimuli = Vec::new();
    for (ix, drive) in scenario.drives.iter().enumerate() {
        let call = first_call(calls, drive.send);
        for _ in 0..drive.times {
            let stimulus = StimulusIx(stimuli.len());
            let mark = Mark { run, stimulus, call: Some(call), item: None };
            let sent = sent(scenario, drive, &drive.context, mark, &mut ids);
            stimuli.push(Stimulus { ix: stimulus, drive: ix, hop: drive.send, call, mark, sent });
        }
    }
    stimuli
}

/// Returns the driver's own call over a hop from `client`.
pub(super) fn first_call(calls: &[super::PlannedCall], hop: HopIx) -> CallIx {
    let first = calls.iter().position(|call| call.hop == hop && call.parent.is_none());
    first.map(CallIx).expect("every hop from `client` has a call of its own")
}

/// Returns what one stimulus of a drive carries, in this context.
pub(super) fn sent(
    scenario: &Scenario,
    drive: &Drive,
    context: &DriveContext,
    mark: Mark,
    ids: &mut Ids,
) -> StimulusContext {
    let trace_id = TraceId::new(ids.trace_id()).expect("minted ids are never zero");
    let parent_id = SpanId::new(ids.span_id()).expect("minted ids are never zero");
    if let DriveContext::Raw { lines: raw, root } = context {
        let mut carried = raw_lines::carried(raw, *root, MintedIds { trace_id, parent_id });
        carried.tracestate.extend(lines(drive, "tracestate", mark));
        carried.baggage.extend(lines(drive, "baggage", mark));
        return carried;
    }
    let mut decided = Decision::Sampled;
    let (traceparent, valid, sampled) = match context {
        DriveContext::Valid { decision, random } => {
            decided = *decision;
            let sampled = decision.is_sampled().unwrap_or(false);
            let context = TraceParent::new(trace_id, parent_id, Flags::new(sampled, *random));
            (Some(context.to_string().into_bytes()), true, sampled)
        }
        DriveContext::None { root } => (None, true, root.unwrap_or(true)),
        DriveContext::Invalid { traceparent, root } => {
            let text = traceparent.replace("${trace-id}", &trace_id.to_string());
            let text = text.replace("${parent-id}", &parent_id.to_string());
            (Some(text.into_bytes()), false, root.unwrap_or(true))
        }
        DriveContext::Raw { .. } => unreachable!("its lines say what they carry"),
    };
    let remote = RemoteContext::new(trace_id, parent_id, decided);
    let fields = fields(scenario.hop(drive.send), traceparent.as_deref(), &remote);
    let tracestate = lines(drive, "tracestate", mark);
    let baggage = lines(drive, "baggage", mark);
    let (trace_id, parent_id) = (*trace_id.as_bytes(), *parent_id.as_bytes());
    StimulusContext {
        trace_id,
        parent_id,
        traceparent,
        fields,
        valid,
        sampled,
        decision: decided,
        tracestate,
        baggage,
    }
}

/// Returns the fields that carry a context in the formats of a hop; none without a context.
fn fields(hop: &Hop, traceparent: Option<&[u8]>, context: &RemoteContext) -> Vec<(String, Vec<u8>)> {
    let Some(traceparent) = traceparent else { return Vec::new() };
    let mut fields = Vec::new();
    for format in &hop.formats {
        match (format, &hop.transport) {
            (Format::TraceContext, _) => fields.push(("traceparent".to_owned(), traceparent.to_vec())),
            (Format::XRay, Transport::Sqs(_)) => {
                let values = format.inject(context).into_iter();
                fields.extend(values.map(|(_, value)| ("AWSTraceHeader".to_owned(), value)));
            }
            (format, _) => {
                let injected = format.inject(context).into_iter();
                fields.extend(injected.map(|(name, value)| (name.to_owned(), value)));
            }
        }
    }
    fields
}

/// Returns the drive's header lines of this name. Environment variables are the driver's; a list that needs one is
/// not judged.
fn lines(drive: &Drive, name: &str, mark: Mark) -> Vec<Vec<u8>> {
    let named = drive.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    named
        .filter_map(|(_, template)| {
            let text: Option<String> = template
                .parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Text(text) => Some(text.clone()),
                    TemplatePart::Mark => Some(mark.to_string()),
                    TemplatePart::Url(_)
                    | TemplatePart::Grpc(_)
                    | TemplatePart::Broker(..)
                    | TemplatePart::OtlpEndpoint
                    | TemplatePart::OtlpAddress(_)
                    | TemplatePart::Export(..)
                    | TemplatePart::Neighbour(..)
                    | TemplatePart::GrpcNeighbour(..)
                    | TemplatePart::SelfPort
                    | TemplatePart::NamedPort(_)
                    | TemplatePart::SelfDir
                    | TemplatePart::Env(_)
                    | TemplatePart::Secret(_)
                    | TemplatePart::ScenarioDir => None,
                })
                .collect();
            text.map(String::into_bytes)
        })
        .collect()
}

/// Returns the nodes in the order in which they may be stopped: each after every node that may cause a call to it.
/// Nodes that call each other in a circle stand together.
///
/// The key is the number of nodes from which hops lead to a node: a caller has fewer of them than the node that it
/// calls, unless both are in one circle, and then they have the same ones.
fn flush_order(scenario: &Scenario) -> Vec<Vec<NodeIx>> {
    let mut levels: BTreeMap<usize, Vec<NodeIx>> = BTreeMap::new();
    for (ix, node) in scenario.nodes.iter().enumerate() {
        let callers = callers(scenario, NodeIx(ix));
        if callers.contains(&NodeIx::CLIENT) && node.kind.can_export_telemetry() {
            levels.entry(callers.len()).or_default().push(NodeIx(ix));
        }
    }
    levels.into_values().collect()
}

/// Returns the node and every node from which hops lead to it.
fn callers(scenario: &Scenario, node: NodeIx) -> BTreeSet<NodeIx> {
    let mut callers = BTreeSet::from([node]);
    let mut left = vec![node];
    while let Some(called) = left.pop() {
        for hop in scenario.hops.iter().filter(|hop| hop.to == called) {
            if callers.insert(hop.from) {
                left.push(hop.from);
            }
        }
    }
    callers
}

#[cfg(test)]
mod tests;
