//! Checks that every node is given the addresses that it needs: of the tap before each neighbour, and of each broker.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft, TemplateSubject};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::Transport;
use crate::scenario::index::NodeIx;
use crate::scenario::node::Node;
use crate::scenario::node_kind::{BrokerKind, NodeKind};
use crate::scenario::reference::address_of;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for hop in &draft.hops {
        neighbour(draft, hop, complaints);
        broker(draft, hop, complaints);
    }
}

/// Returns where the scenario can give a service an address; `None` where the service gets none from the scenario, or
/// where only the mounted file shows it.
fn where_given(node: &Node) -> Option<&'static str> {
    match &node.kind {
        // What a file says is read when the program is started.
        NodeKind::Command(command) if !command.files.is_empty() || command.gateway.is_some() => None,
        NodeKind::Command(_) => Some("its `env` or `command`"),
        // What a file says is read when it is mounted.
        NodeKind::Image(image) if image.mounts.iter().any(|mount| mount.templates) => None,
        NodeKind::Image(_) => Some("its `env`, its `args` or a file that it mounts with `templates: true`"),
        NodeKind::Client
        | NodeKind::Relay(_)
        | NodeKind::Url(_)
        | NodeKind::Stub(_)
        | NodeKind::InProcess
        | NodeKind::Broker(_)
        | NodeKind::Collector(_) => None,
    }
}

/// Reports a caller that is not given the tap's address: it would call past the tap.
fn neighbour(draft: &Draft<'_>, HopDraft { hop, transport, .. }: &HopDraft<'_>, complaints: &mut Complaints) {
    let (subject, member) = match hop.transport {
        Transport::Http(_) => (TemplateSubject::Http(hop.to), "url"),
        Transport::Grpc(_) => (TemplateSubject::Grpc(hop.to), "grpc"),
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => return,
    };
    if !hop.tapped {
        return;
    }
    let sender = draft.node(hop.from);
    let (from, to) = (&sender.name, &draft.node(hop.to).name);
    let template = format!("`${{{to}.{member}}}`");
    let untapped = without_tap(draft, hop.to);
    let place = transport.value_place("to");
    if sender.kind.runs_already() {
        if has_fixed_tap(draft, hop.from, hop.to, hop.transport.word()) {
            return;
        }
        let message =
            format!("`{from}` is already running and cannot receive the address of the tap for `{to}`");
        let help = format!(
            "add `tap: {{ listen: 127.0.0.1:18080 }}` to this hop, with a free port, and configure `{from}` to call `{to}` \
             there; or replace `url` at `{from}` with `command` or `image`, and give it the template {template}{untapped}"
        );
        let found = Diagnostic::new("address-not-given", place, message).label("called past the tap");
        complaints.report(found.also(sender.place, "already runs").help(help));
        return;
    }
    let Some(given) = where_given(sender) else { return };
    let known = draft.uses.iter().any(|used| {
        used.user == hop.from && (used.what == subject || used.what == TemplateSubject::Address(hop.to))
    });
    if known || draft.misread.contains(&hop.from) {
        return;
    }
    let message =
        format!("`{from}` has no template for the address of `{to}`, so its calls would bypass the tap");
    let help = format!("give `{from}` the template {template} in {given}{untapped}");
    let found =
        Diagnostic::new("address-not-given", place, message).label("no address is given for this call");
    complaints.report(found.also(sender.place, format!("{template} is missing here")).help(help));
}

/// Returns whether a hop fixes the address of the tap through which a node calls another one, or reaches a broker.
fn has_fixed_tap(draft: &Draft<'_>, from: NodeIx, to: NodeIx, word: &str) -> bool {
    draft.hops.iter().map(|hop| &hop.hop).filter(|hop| hop.transport.word() == word).any(|hop| {
        let Some(fixed) = hop.fixed_tap else { return false };
        let called = hop.transport.via().unwrap_or(hop.to);
        let sends = hop.from == from && fixed.listen.is_some();
        let reads = hop.to == from && fixed.reader.is_some();
        called == to && (sends || reads)
    })
}

/// Returns the advice to judge a hop without a tap, where spans of the receiver can witness it.
fn without_tap(draft: &Draft<'_>, receiver: NodeIx) -> String {
    let receiver = &draft.nodes[receiver.0];
    if !receiver.known || !receiver.node.exports_telemetry() {
        return String::new();
    }
    format!("; with `tap: none` the hop is judged by the spans of `{}` alone", receiver.node.name)
}

/// Reports the same for both ends of a hop through a broker. Where the broker already runs, only a tap needs an
/// address.
fn broker(draft: &Draft<'_>, hop: &HopDraft<'_>, complaints: &mut Complaints) {
    let Some(broker) = hop.hop.transport.via() else { return };
    let Some(described) = draft.node(broker).kind.as_broker() else { return };
    // The tap of Kafka reads beside the broker, not before it.
    let tapped = hop.hop.tapped && described.kind != BrokerKind::Kafka;
    if described.address.is_some() && !tapped {
        return;
    }
    for (key, end) in [("from", hop.hop.from), ("to", hop.hop.to)] {
        let node = draft.node(end);
        let (name, via) = (&node.name, &draft.node(broker).name);
        let place = hop.transport.value_place(key);
        if node.kind.runs_already() {
            if tapped && has_fixed_tap(draft, end, broker, hop.hop.transport.word()) {
                continue;
            }
            let replace = format!("replace `url` at `{name}` with `command` or `image`");
            let own_key = if key == "from" { "listen" } else { "reader" };
            let help = match described.kind {
                BrokerKind::Kafka => format!("set `address` of `{via}` to the broker that `{name}` uses"),
                BrokerKind::RabbitMq | BrokerKind::Sqs if tapped => format!(
                    "add `tap: {{ {own_key}: 127.0.0.1:18080 }}` to this hop, with a free port, and configure `{name}` to \
                     reach `{via}` there; or {replace}{}",
                    without_tap(draft, hop.hop.to)
                ),
                BrokerKind::RabbitMq | BrokerKind::Sqs => {
                    format!("set `address` of `{via}` to the broker that `{name}` uses")
                }
            };
            let message = format!("`{name}` is already running and cannot receive the address of `{via}`");
            let found = Diagnostic::new("address-not-given", place, message);
            complaints.report(found.label("uses the broker at an unknown address").help(help));
            continue;
        }
        let Some(given) = where_given(node) else { continue };
        let subject = TemplateSubject::Broker(broker);
        let known = draft.uses.iter().any(|used| used.user == end && used.what == subject);
        if known || draft.misread.contains(&end) {
            continue;
        }
        let template = format!("`${{{via}.{}}}`", address_of(described.kind));
        let message = format!("`{name}` has no template for the address of `{via}`");
        let help = format!("give `{name}` the template {template} in {given}");
        let found =
            Diagnostic::new("address-not-given", place, message).label("no address is given for this");
        complaints.report(found.also(node.place, format!("{template} is missing here")).help(help));
    }
}
