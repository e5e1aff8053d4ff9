//! Checks of `carrier:`: it needs a body that a tap reads, nodes that do not carry the context in headers by contract,
//! and hops of one tap that agree.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, Transport};

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (ix, hop) in draft.hops.iter().enumerate() {
        if hop.hop.carrier.is_some() {
            unusable(draft, hop, complaints);
        }
        if let Some(other) = draft.hops[..ix].iter().find(|other| differ(&other.hop, &hop.hop)) {
            let message = format!(
                "`{}` and `{}` go the same way, and the context is at different places in them",
                other.hop.id, hop.hop.id
            );
            let place = hop.tree.entry("carrier").map_or(hop.hop.place, |entry| entry.value.place);
            let diagnostic = Diagnostic::new("mixed-carriers", place, message);
            let help = "set the same `carrier` for both";
            complaints.report(diagnostic.also(other.hop.place, "the other hop").help(help));
        }
    }
}

/// Reports what keeps the body of a hop from carrying the context.
fn unusable(draft: &Draft<'_>, HopDraft { hop, tree, .. }: &HopDraft<'_>, complaints: &mut Complaints) {
    let ends = [hop.from, hop.to].map(|end| draft.node(end));
    let relay = ends.iter().find(|node| node.kind.keeps_relay_contract());
    let (message, help) = match (&hop.transport, relay) {
        (Transport::Grpc(_), _) => {
            ("`carrier` names a place in a JSON body, and this hop goes over gRPC".to_owned(), "remove it")
        }
        (_, Some(relay)) => {
            let message = format!("`{}` is a relay, which has the context in headers", relay.name);
            (message, "remove `carrier`, or use a `command` node")
        }
        _ if !hop.tapped => {
            let message = "`carrier` tells the tap where the context is, and this hop has no tap".to_owned();
            (message, "remove `carrier`, or remove `tap: none`")
        }
        _ => return,
    };
    complaints.report(Diagnostic::new("wrong-carrier", tree.place_of("carrier"), message).help(help));
}

/// Returns whether one tap sees both hops, nothing tells them apart before they are read, and their carriers differ.
fn differ(one: &Hop, other: &Hop) -> bool {
    let same_tap = match (&one.transport, &other.transport) {
        (Transport::Http(_), Transport::Http(_)) => (one.from, one.to) == (other.from, other.to),
        (Transport::RabbitMq(_), Transport::RabbitMq(_)) => {
            let broker = one.transport.via() == other.transport.via();
            let ends = [one.from, one.to];
            broker && (ends.contains(&other.from) || ends.contains(&other.to))
        }
        (Transport::Kafka(_), Transport::Kafka(_)) | (Transport::Sqs(_), Transport::Sqs(_)) => {
            one.transport.via() == other.transport.via() && one.transport.source() == other.transport.source()
        }
        (
            Transport::Http(_)
            | Transport::Grpc(_)
            | Transport::Kafka(_)
            | Transport::RabbitMq(_)
            | Transport::Sqs(_),
            _,
        ) => false,
    };
    same_tap && one.carrier != other.carrier
}
