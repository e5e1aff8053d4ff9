//! The attributes of spans compared with captures: what is there must agree, what is missing proves nothing.
//!
//! Names follow the OpenTelemetry semantic conventions for HTTP, RPC and messaging, current and former.

use std::collections::HashSet;

use super::Crossings;
use super::span_role::attribute;
use crate::evidence::{Capture, Evidence, Message, Span};
use crate::plan::Plan;
use crate::scenario::{HopIx, Transport};

/// Returns whether address, path and method of the span agree with the capture wherever the span names them.
pub fn fits(all: &Crossings<'_>, span: &Span, capture: &Capture, at_sender: bool) -> bool {
    if let Some(message) = &capture.message {
        return destination_fits(span, message) && id_fits(span, message);
    }
    method_fits(span, capture) && path_fits(span, capture) && (!at_sender || port_fits(all, span, capture))
}

/// Returns whether a CLIENT or PRODUCER span names a call over this hop, where no tap saw one. A span that names
/// nothing of a call over this transport is for something else, such as a database.
pub fn fits_hop(all: &Crossings<'_>, span: &Span, hop: HopIx) -> bool {
    let hop = all.plan.scenario.hop(hop);
    let value = |names| attribute(span, names).map(|(_, value)| value);
    // Taps see the calls to their own ports.
    let tapped = value(PORT)
        .and_then(|port| port.parse().ok())
        .is_some_and(|port: u16| port != 0 && all.evidence.tap_ports.contains(&port));
    let rpc = value(RPC).is_some();
    match &hop.transport {
        Transport::Http(http) => {
            let (method, path) = (value(METHOD), value(PATH).map(path_of));
            let method_fits = match (&http.method, method) {
                (Some(due), Some(method)) => method == "_OTHER" || method.eq_ignore_ascii_case(due),
                (None, _) | (_, None) => true,
            };
            let path_fits = match (&http.path, path) {
                (Some(due), Some(path)) => due.matches(path),
                (None, _) | (_, None) => true,
            };
            !tapped && !rpc && (method.is_some() || path.is_some()) && method_fits && path_fits
        }
        Transport::Grpc(grpc) => {
            // A relay calls a service of its own, whatever the method is called.
            let by_relay = all.plan.scenario.node(hop.from).kind.keeps_relay_contract();
            let method_fits = match (&grpc.method, value(&["rpc.method"])) {
                (Some(due), Some(method)) => by_relay || due.ends_with(method.trim_start_matches('/')),
                (None, _) | (_, None) => true,
            };
            !tapped && rpc && method_fits
        }
        Transport::Kafka(kafka) => {
            value(DESTINATION).is_some_and(|named| names_part(named, |part| part == kafka.topic))
        }
        Transport::Sqs(sqs) => {
            value(DESTINATION).is_some_and(|named| names_part(named, |part| part == sqs.queue))
        }
        Transport::RabbitMq(rabbit) => value(DESTINATION).is_some_and(|named| {
            names_part(named, |part| {
                let exchange = rabbit.exchange.as_ref().is_some_and(|exchange| part == exchange.name);
                exchange || part == rabbit.queue || part == rabbit.routing_key
            })
        }),
    }
}

/// Counts the attributes of a call or message that the span names: more is a better fit.
pub fn named(span: &Span) -> usize {
    let groups: [&[&str]; 5] = [METHOD, PATH, PORT, DESTINATION, MESSAGE];
    groups.iter().filter(|names| attribute(span, names).is_some()).count()
}

const METHOD: &[&str] = &["http.request.method", "http.method", "rpc.method"];
const PATH: &[&str] = &["url.path", "url.full", "http.target", "http.url"];
const PORT: &[&str] = &["server.port", "net.peer.port"];
const RPC: &[&str] = &["rpc.system", "rpc.system.name", "rpc.service", "rpc.method"];

const DESTINATION: &[&str] = &["messaging.destination.name", "messaging.destination"];
const MESSAGE: &[&str] = &[
    "messaging.message.id",
    "messaging.message_id",
    "messaging.kafka.offset",
    "messaging.kafka.message.offset",
];
const ID: &[&str] = &["messaging.message.id", "messaging.message_id"];
const OFFSET: &[&str] = &["messaging.kafka.offset", "messaging.kafka.message.offset"];
const PARTITION: &[&str] = &[
    "messaging.destination.partition.id",
    "messaging.kafka.destination.partition",
    "messaging.kafka.source.partition",
    "messaging.kafka.partition",
];

/// Returns whether the span names this topic or queue, and nothing that contradicts it.
pub fn fits_message(span: &Span, message: &Message) -> bool {
    attribute(span, DESTINATION).is_some() && destination_fits(span, message) && id_fits(span, message)
}

/// Returns whether the id or the offset that the span names is this message's; `None` where one of the two is unnamed.
pub fn is_of_message(span: &Span, message: &Message) -> Option<bool> {
    attribute(span, MESSAGE)?;
    (message.offset.is_some() || message.id.is_some()).then(|| id_fits(span, message))
}

/// Returns the same, where the span names the message as its broker does: a Kafka client may make an id up, and only
/// the offset distinguishes one record from another; in a topic with several partitions only together with its
/// partition. `None` proves nothing.
pub fn names_message(all: &Crossings<'_>, span: &Span, message: &Message) -> Option<bool> {
    let names = if message.offset.is_some() { OFFSET } else { ID };
    let (_, named) = attribute(span, names)?;
    if !destination_fits(span, message) {
        return None;
    }
    let Some((partition, offset)) = message.offset else {
        return message.id.as_deref().map(|id| id == named);
    };
    if named != offset.to_string() {
        return Some(false);
    }
    match attribute(span, PARTITION) {
        Some((_, own)) => Some(own == partition.to_string()),
        None => (!all.split_topics.contains(&message.destination)).then_some(true),
    }
}

/// Returns the topics with several partitions, as the scenario has them or as records show.
pub fn split_topics(plan: &Plan, evidence: &Evidence) -> HashSet<String> {
    let declared = plan.scenario.hops.iter().filter_map(|hop| match &hop.transport {
        Transport::Kafka(kafka) => (kafka.partitions > 1).then(|| kafka.topic.clone()),
        Transport::Http(_) | Transport::Grpc(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
    });
    let messages = evidence.captures.iter().filter_map(|capture| capture.message.as_ref());
    let further = messages.filter(|message| message.offset.is_some_and(|(partition, _)| partition > 0));
    declared.chain(further.map(|message| message.destination.clone())).collect()
}

/// Returns the offset and the id of a message that a span names.
pub fn message_names(span: &Span) -> impl Iterator<Item = &str> {
    [OFFSET, ID].into_iter().filter_map(|names| attribute(span, names)).map(|(_, named)| named)
}

/// Returns whether the destination is this message's. Instrumentations name the exchange, the queue, the routing key,
/// or several of them with colons between; for SQS the queue or its URL.
fn destination_fits(span: &Span, message: &Message) -> bool {
    let Some((_, named)) = attribute(span, DESTINATION) else { return true };
    let key = message.routing_key.as_deref();
    named.is_empty() || names_part(named, |part| part == message.destination || Some(part) == key)
}

/// Returns whether the name, the end of a URL, or a part between colons is known.
fn names_part(named: &str, known: impl Fn(&str) -> bool) -> bool {
    let last = named.rsplit('/').next().unwrap_or_default();
    known(named) || known(last) || named.split(':').any(known)
}

fn id_fits(span: &Span, message: &Message) -> bool {
    let Some((name, named)) = attribute(span, MESSAGE) else { return true };
    let Some((partition, offset)) = message.offset else {
        return message.id.as_deref().is_none_or(|id| id == named);
    };
    !name.starts_with("messaging.kafka") || (named == offset.to_string() && partition_fits(span, partition))
}

fn partition_fits(span: &Span, partition: i32) -> bool {
    attribute(span, PARTITION).is_none_or(|(_, own)| own == partition.to_string())
}

fn method_fits(span: &Span, capture: &Capture) -> bool {
    match attribute(span, METHOD) {
        // gRPC: `Method`, or with its service in front.
        Some(("rpc.method", method)) => capture.path.ends_with(method.trim_start_matches('/')),
        Some((_, method)) => method == "_OTHER" || method.eq_ignore_ascii_case(&capture.method),
        None => true,
    }
}

fn path_fits(span: &Span, capture: &Capture) -> bool {
    let Some((_, text)) = attribute(span, PATH) else { return true };
    path_of(text) == capture.path
}

/// Returns the path in a path or URL, without query and fragment.
fn path_of(text: &str) -> &str {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => text,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

fn port_fits(all: &Crossings<'_>, span: &Span, capture: &Capture) -> bool {
    let tap = all.plan.tap(capture.tap);
    let port = all.evidence.tap_ports.get(capture.tap.0).copied().unwrap_or_default();
    match attribute(span, PORT) {
        Some((_, named)) if tap.host.is_none() && port != 0 => named.parse() == Ok(port),
        Some(_) | None => true,
    }
}
