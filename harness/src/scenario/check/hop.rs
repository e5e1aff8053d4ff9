//! Checks of one hop, by itself and against the two nodes at its ends.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{HopBaggage, Step, Transport};
use crate::scenario::index::NodeIx;
use crate::scenario::node::Role;
use crate::scenario::relation::Relation;

/// The methods that every relay serves over gRPC (relay contract, section 1).
const RELAY_METHODS: [&str; 2] = ["unbroken.relay.v1.Relay/Handle", "unbroken.relay.v1.Relay/HandleStream"];

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for hop in &draft.hops {
        let mut check = HopCheck { draft, hop, complaints };
        check.ends();
        if !check.complaints.misfit(hop.hop.relation_place) {
            check.relation();
            check.baggage();
            check.forwarder();
        }
        check.times();
        check.steps();
        check.tap();
        match &hop.hop.transport {
            Transport::Http(_) => check.http(),
            Transport::Grpc(_) => check.grpc(),
            Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {}
        }
    }
}

struct HopCheck<'d, 'a, 'c> {
    draft: &'d Draft<'a>,
    hop: &'d HopDraft<'a>,
    complaints: &'c mut Complaints,
}

impl HopCheck<'_, '_, '_> {
    fn ends(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        if hop.to == NodeIx::CLIENT {
            let diagnostic =
                Diagnostic::new("hop-to-client", transport.value_place("to"), "a hop cannot end at `client`")
                    .label("`client` only sends")
                    .help("add a `stub: {}` node if the harness should answer");
            self.complaints.report(diagnostic);
        }
        let sender = &self.draft.nodes[hop.from.0];
        if sender.node.kind.only_receives() && sender.known {
            let message = format!("`{}` is a stub, which never calls", sender.node.name);
            let help = "use a `relay` or a `command` instead, or remove the hop";
            self.complaints
                .report(Diagnostic::new("hop-from-stub", transport.value_place("from"), message).help(help));
        }
        for (key, end) in [("from", hop.from), ("to", hop.to)] {
            let Some(broker) = self.draft.node(end).kind.as_broker() else { continue };
            let (name, word) = (&self.draft.node(end).name, broker.kind.word());
            let message = format!("`{name}` is a broker: a hop goes through it, not {key} it");
            let help = format!(
                "name the service that {} it in `{key}`, and use `via: {name}` in a `{word}` hop",
                match key {
                    "from" => "sends through",
                    _ => "reads from",
                }
            );
            let place = transport.value_place(key);
            self.complaints.report(Diagnostic::new("broker-at-an-end", place, message).help(help));
        }
    }

    fn relation(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        let place = hop.relation_place;
        if hop.relation.needs_message() && hop.transport.via().is_none() {
            let (word, relation) = (hop.transport.word(), hop.relation.word());
            let message = format!("`{relation}` is a relation of messages, and this hop goes over {word}");
            let diagnostic = Diagnostic::new("relation-of-transport", place, message)
                .label("needs a broker")
                .help(
                    "use `relation: restart-with-link, at: receiver` if the receiver starts a new trace that links",
                );
            self.complaints.report(diagnostic);
        }
        if let (Some(stray), None) = (tree.entry("at"), hop.relation.restarts_at()) {
            let message = "`at` needs the relation `restart` or `restart-with-link`";
            let help = "remove `at`, or use a relation that starts a new trace";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
    }

    fn baggage(&mut self) {
        let (tree, hop) = (self.hop.tree, &self.hop.hop);
        if let (Some(entry), Some(HopBaggage::Dropped)) = (tree.entry("baggage"), hop.baggage)
            && (hop.relation == Relation::None || hop.from == NodeIx::CLIENT)
        {
            let (message, help) = if hop.relation == Relation::None {
                let message = "`baggage: dropped` adds nothing to `relation: none`";
                (message, "remove it: with `relation: none` no field may cross, baggage included")
            } else {
                let message = "`baggage: dropped` does not apply to a hop from `client`";
                (
                    message,
                    "remove it: the drive decides what it sends; `headers` of the drive holds the baggage",
                )
            };
            self.complaints.report(Diagnostic::new("stray-key", entry.key.place, message).help(help));
        }
        if let (Some(kept), true, false) =
            (tree.entry("baggage"), hop.keeps_baggage(), hop.relation.may_leave_trace())
        {
            let message = match hop.relation {
                Relation::None => "`baggage: kept` contradicts `relation: none`",
                _ if hop.transport.via().is_some() => {
                    "`baggage: kept` needs the relation `link`, `child-or-link`, `restart` or `restart-with-link`"
                }
                _ => "`baggage: kept` needs the relation `restart` or `restart-with-link`",
            };
            let help = "remove it: within one trace the rule `baggage.kept` requires baggage anyway";
            self.complaints.report(Diagnostic::new("stray-key", kept.key.place, message).help(help));
        }
    }

    /// Reports a relation that does not fit its sender: a forwarder forwards what came in, and other nodes do not.
    fn forwarder(&mut self) {
        let hop = &self.hop.hop;
        let sender = &self.draft.nodes[hop.from.0];
        let name = &sender.node.name;
        let forwards = sender.node.role == Role::Forwarder;
        let place = hop.relation_place;
        if hop.relation == Relation::Unchanged && !forwards {
            let message = format!("`unchanged` needs a forwarder as sender, and `{name}` is not a forwarder");
            let diagnostic =
                Diagnostic::new("relation-of-role", place, message).label("sender is not a forwarder");
            self.complaints.report(match hop.from {
                NodeIx::CLIENT => diagnostic.help("use `child`: `client` starts the story"),
                _ => diagnostic
                    .also(sender.node.place, "a participant")
                    .help(format!("add `role: forwarder` to `{name}`, or use `child`")),
            });
        }
        if forwards && !hop.relation.fits_forwarder() {
            let message = format!("`{name}` is a forwarder, so the relation must be `unchanged` or `none`");
            let diagnostic = Diagnostic::new("relation-of-role", place, message)
                .label(format!("this hop is `{}`", hop.relation.word()))
                .also(sender.node.place, "a forwarder")
                .help("use `relation: unchanged`");
            self.complaints.report(diagnostic);
        }
    }

    fn times(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        if hop.times.min > hop.times.max || hop.times.max == 0 {
            let (min, max) = (hop.times.min, hop.times.max);
            let message = match max {
                0 => "`times: 0` leaves nothing to judge".to_owned(),
                _ => format!("`min` is {min}, which is above `max`, {max}"),
            };
            let help = match max {
                0 => "remove the hop, or use `times: { min: 0, max: N }`",
                _ => "swap the two values",
            };
            self.complaints
                .report(Diagnostic::new("bad-times", tree.value_place("times"), message).help(help));
        }
        if let (Some(stray), NodeIx::CLIENT) = (tree.entry("times"), hop.from) {
            let message = "a drive sets how often a hop from `client` happens";
            let help = "move `times` to the drive";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
    }

    fn steps(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        let Some(steps) = tree.get("steps") else { return };
        let (from, to) = (&self.draft.nodes[hop.from.0], &self.draft.nodes[hop.to.0]);
        for (item, step) in steps.items().iter().zip(written(hop.steps.as_slice(), steps.items().len())) {
            let (node, who) = match step {
                Step::Fail(_) => (to, "receiver"),
                _ => (from, "sender"),
            };
            if node.known && !node.node.kind.keeps_relay_contract() {
                let name = &node.node.name;
                let message = format!("the {who} `{name}` is not a relay, so it cannot do this step");
                let label = format!("needs a relay as {who}");
                let help = "remove the step, or use a relay; other services do only what their code does";
                let diagnostic = Diagnostic::new("step-without-relay", item.place, message).label(label);
                self.complaints.report(diagnostic.help(help));
            }
            if matches!(step, Step::Fail(how) if ["nack", "reject"].contains(&how.as_str()))
                && hop.transport.via().is_none()
            {
                let word = hop.transport.word();
                let message = format!("a request over {word} cannot be returned or rejected like a message");
                let diagnostic = Diagnostic::new("step-of-transport", item.place, message);
                self.complaints.report(diagnostic.label("needs a broker").help("use `{ fail: 500 }`"));
            }
        }
    }

    fn tap(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        if let (Some(host), false) = (tree.entry("host"), hop.tapped) {
            let message = "the tap writes `host`, and this hop has no tap";
            let diagnostic = Diagnostic::new("stray-key", host.key.place, message);
            self.complaints
                .report(diagnostic.also(tree.place_of("tap"), "no tap").help("remove `host` or `tap: none`"));
        }
        self.client_certificate();
    }

    fn client_certificate(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        let Some(certificate) = transport.entry("client-certificate") else { return };
        let (message, help) = if !hop.tls {
            ("a client certificate is presented over TLS, and this hop is plaintext", "add `tls: true`")
        } else if !hop.tapped {
            ("the tap presents the client certificate, and this hop has no tap", "remove it or `tap: none`")
        } else {
            return;
        };
        self.complaints.report(Diagnostic::new("stray-key", certificate.key.place, message).help(help));
    }

    fn http(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        let Transport::Http(http) = &hop.transport else { return };
        let sender = &self.draft.node(hop.from).kind;
        let chosen_here = hop.from == NodeIx::CLIENT || sender.has_our_configuration();
        if let (Some(version), false) = (transport.entry("version"), chosen_here) {
            let message =
                "`version` sets what the driver or a `gateway` without a configuration of yours speaks";
            let help = "remove it: the service chooses the version, and the tap reads both";
            self.complaints.report(Diagnostic::new("stray-key", version.key.place, message).help(help));
        }
        let Some(relay) = self.relay_at_an_end() else { return };
        let post = http.method.as_deref().is_none_or(|method| method == "POST");
        if !post {
            let message =
                format!("the relay `{relay}` needs POST: its instruction is the body of the request");
            let help = "use `method: POST`, or remove `method`";
            self.complaints.report(
                Diagnostic::new("not-for-relays", transport.value_place("method"), message).help(help),
            );
        }
        let reserved = http.path.as_ref().is_some_and(|path| path.0.starts_with("/-/"));
        if reserved && self.draft.is_relay(hop.to) {
            let message = "paths that start with `/-/` are reserved for the relay itself";
            self.complaints.report(Diagnostic::new("not-for-relays", transport.value_place("path"), message));
        }
    }

    fn grpc(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        let Transport::Grpc(grpc) = &hop.transport else { return };
        match (self.relay_at_an_end(), &grpc.method) {
            (Some(relay), Some(method)) if method != RELAY_METHODS[usize::from(grpc.stream)] => {
                let message = format!("the relay `{relay}` speaks only `unbroken.relay.v1.Relay`");
                let help = "remove `method`";
                let place = transport.value_place("method");
                self.complaints.report(Diagnostic::new("not-for-relays", place, message).help(help));
            }
            (None, None) if hop.from == NodeIx::CLIENT => {
                let message = "`client` needs the gRPC method to call";
                let help = "add `method: package.Service/Method`";
                let diagnostic = Diagnostic::new("missing-key", transport.place_of("to"), message);
                self.complaints.report(diagnostic.label("no method").help(help));
            }
            _ => {}
        }
    }

    /// Returns the name of a relay that decides how this hop is spoken: one that sends, or that `client` sends to.
    fn relay_at_an_end(&self) -> Option<&str> {
        let hop = &self.hop.hop;
        let deciding = [hop.from, hop.to].into_iter().find(|node| self.draft.is_relay(*node))?;
        Some(self.draft.node(deciding).name.as_str())
    }
}

/// Returns the steps of the file; a `restart` that was added stands before them.
fn written(steps: &[Step], count: usize) -> &[Step] {
    &steps[steps.len().saturating_sub(count)..]
}
