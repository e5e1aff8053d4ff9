//! Checks the addresses that taps and the OTLP endpoint have in every run: each port once, and each tap with a caller.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::Transport;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::NodeKind;
use crate::scenario::pattern::listen_address;
use crate::scenario::tree::Tree;
use crate::source::Place;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    let mut used = Vec::new();
    for node in &draft.nodes {
        used.extend(node_ports(&node.node.kind, node.tree));
    }
    if let Some(listen) = draft.otlp_listen {
        used.extend(UsedPort::of_listener(listen, PortUser::Otlp));
    }
    for hop in &draft.hops {
        keys_fit(draft, hop, complaints);
        used.extend(tap_ports(hop));
    }
    for (ix, second) in used.iter().enumerate() {
        if let Some(first) = used[..ix].iter().find(|first| first.conflicts_with(second)) {
            complaints.report(conflict(first, second));
        }
    }
    services(draft, complaints);
}

/// A port of this machine that the scenario names.
struct UsedPort<'a> {
    port: u16,
    text: &'a str,
    place: Place,
    user: PortUser,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PortUser {
    Node,
    Otlp,
    /// The tap between a node and the one that it calls, or a broker.
    Tap {
        from: NodeIx,
        to: NodeIx,
        protocol: &'static str,
    },
}

impl PortUser {
    fn what(self) -> &'static str {
        match self {
            PortUser::Node => "a node",
            PortUser::Otlp => "the OTLP endpoint",
            PortUser::Tap { .. } => "a tap",
        }
    }
}

impl<'a> UsedPort<'a> {
    fn of_listener(tree: &'a Tree, user: PortUser) -> Option<UsedPort<'a>> {
        let text = tree.text()?;
        Some(UsedPort { port: listen_address(text).ok()?.port(), text, place: tree.place, user })
    }

    /// Returns whether both cannot listen, or one tap would listen at two addresses. Two nodes may be one service.
    fn conflicts_with(&self, other: &UsedPort<'_>) -> bool {
        let both_nodes = self.user == PortUser::Node && other.user == PortUser::Node;
        match (self.user, other.user) {
            (PortUser::Tap { .. }, PortUser::Tap { .. }) if self.user == other.user => {
                listen_address(self.text) != listen_address(other.text)
            }
            _ => !both_nodes && self.port == other.port,
        }
    }
}

/// Returns the ports of this machine at which a node listens.
fn node_ports<'a>(kind: &NodeKind, tree: Option<&'a Tree>) -> Vec<UsedPort<'a>> {
    let values: Vec<&Tree> = match kind {
        NodeKind::Command(_) => tree.and_then(|tree| tree.get("port")).into_iter().collect(),
        NodeKind::Url(_) => match tree.and_then(|tree| tree.get("url")) {
            Some(url) if url.text().is_some() => vec![url],
            Some(url) => ["http", "grpc"].iter().filter_map(|key| url.get(key)).collect(),
            None => Vec::new(),
        },
        NodeKind::Broker(broker) => {
            let keys = tree.and_then(|tree| tree.get(broker.kind.word()));
            keys.and_then(|keys| keys.get("address")).into_iter().collect()
        }
        NodeKind::Client
        | NodeKind::Relay(_)
        | NodeKind::Image(_)
        | NodeKind::Stub(_)
        | NodeKind::Collector(_)
        | NodeKind::InProcess => Vec::new(),
    };
    let ports = values.into_iter().filter_map(|value| {
        let text = value.text()?;
        Some(UsedPort { port: port_of_this_machine(text)?, text, place: value.place, user: PortUser::Node })
    });
    ports.collect()
}

/// Returns the port of `8080`, `http://localhost:8080`, `127.0.0.1:9092` or `amqp://me:secret@127.0.0.1:5672/shop`.
fn port_of_this_machine(text: &str) -> Option<u16> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let address = listen_address(address).ok()?;
    (address.ip().is_loopback() || address.ip().is_unspecified()).then_some(address.port())
}

fn tap_ports<'a>(hop: &HopDraft<'a>) -> Vec<UsedPort<'a>> {
    let Some(tap) = hop.tree.get("tap") else { return Vec::new() };
    let to = hop.hop.transport.via().unwrap_or(hop.hop.to);
    let protocol = hop.hop.transport.word();
    let sender = PortUser::Tap { from: hop.hop.from, to, protocol };
    let reader = PortUser::Tap { from: hop.hop.to, to, protocol };
    let ports = [("listen", sender), ("reader", reader)].into_iter();
    ports.filter_map(|(key, user)| UsedPort::of_listener(tap.get(key)?, user)).collect()
}

fn conflict(first: &UsedPort<'_>, second: &UsedPort<'_>) -> Diagnostic {
    if first.user == second.user {
        let message = "the hops of one tap name two addresses for it".to_owned();
        let help = "calls between the same nodes over one transport go through one tap: write the same address, or write it once";
        return Diagnostic::new("port-conflict", second.place, message)
            .label("second")
            .also(first.place, "first")
            .help(help);
    }
    let (one, two, port) = (first.user.what(), second.user.what(), second.port);
    let both = if one == two { format!("two {}s", &one[2..]) } else { format!("{two} and {one}") };
    let message = format!("{both} cannot both listen on port {port}");
    let help = match (first.user, second.user) {
        (PortUser::Node, _) | (_, PortUser::Node) => {
            "choose another port for the listener of `unbroken`, and configure the nodes that call it with that one"
        }
        (PortUser::Otlp | PortUser::Tap { .. }, PortUser::Otlp | PortUser::Tap { .. }) => {
            "choose another port for one of them"
        }
    };
    let label = format!("used by {two}");
    Diagnostic::new("port-conflict", second.place, message)
        .label(label)
        .also(first.place, format!("used by {one}"))
        .help(help)
}

/// Reports addresses of taps that nobody calls.
fn keys_fit(draft: &Draft<'_>, hop: &HopDraft<'_>, complaints: &mut Complaints) {
    let Some(tap) = hop.tree.get("tap") else { return };
    let word = hop.hop.transport.word();
    if let (Transport::Kafka(_), Some(entry)) = (&hop.hop.transport, tap.entries().first()) {
        let message = "the tap of a Kafka hop reads the topic beside its clients, so it has no address";
        let help = "remove `tap`: give the broker an `address:`, and configure the nodes with the same one";
        complaints.report(Diagnostic::new("stray-key", entry.key.place, message).help(help));
        return;
    }
    if let (None, Some(entry)) = (hop.hop.transport.via(), tap.entry("reader")) {
        let message = format!("`reader` is the tap of the reader of a queue, and this hop is {word}");
        let help = "the sender calls the tap: write `listen`";
        complaints.report(Diagnostic::new("stray-key", entry.key.place, message).help(help));
    }
    if let (true, Some(entry)) = (hop.hop.dead_letter_of.is_some(), tap.entry("listen")) {
        let message = "the broker sends this message, and it needs no tap for that";
        let name = &draft.node(hop.hop.to).name;
        let help = format!("write `reader` for the tap through which `{name}` reads");
        complaints.report(Diagnostic::new("stray-key", entry.key.place, message).help(help));
    }
}

/// Reports two nodes that export with one `service.name` to the endpoint that nodes share.
fn services(draft: &Draft<'_>, complaints: &mut Complaints) {
    if draft.otlp_listen.is_none() {
        return;
    }
    let exporting = draft.nodes.iter().filter(|node| node.known && node.node.exports_telemetry());
    let named: Vec<(&str, Place)> = exporting
        .map(|node| {
            let place = node.tree.map_or(node.node.place, |tree| tree.value_place("service"));
            match &node.node.service {
                Some(service) => (service.as_str(), place),
                None => (node.node.name.as_str(), node.node.place),
            }
        })
        .collect();
    for (ix, (service, place)) in named.iter().enumerate() {
        if let Some((_, first)) = named[..ix].iter().find(|(other, _)| other == service) {
            let message = format!("two nodes export with the `service.name` `{service}`");
            let help = "one node is one service: give each its own `service:`, or make them one node";
            let twice = Diagnostic::new("service-twice", *place, message).label("second");
            complaints.report(twice.also(*first, "first").help(help));
        }
    }
}
