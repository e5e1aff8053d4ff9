//! What one hop says, by itself and against the two nodes at its ends.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Step, Transport};
use crate::scenario::index::NodeIx;
use crate::scenario::node::Role;
use crate::scenario::relation::Relation;

/// What every relay listens to over gRPC (relay contract, section 1).
const RELAY_METHODS: [&str; 2] = ["unbroken.relay.v1.Relay/Handle", "unbroken.relay.v1.Relay/HandleStream"];

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for hop in &draft.hops {
        let mut check = HopCheck { draft, hop, complaints };
        check.ends();
        if !check.complaints.misfit(hop.hop.relation_place) {
            check.relation();
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
            let mistake =
                Diagnostic::new("hop-to-client", transport.value_place("to"), "no hop can end at `client`")
                    .label("`client` only sends")
                    .help("add a `stub: {}` node, if the harness is to answer");
            self.complaints.say(mistake);
        }
        let sender = &self.draft.nodes[hop.from.0];
        if sender.node.kind.only_receives() && sender.known {
            let message = format!("`{}` is a stub, and a stub never calls", sender.node.name);
            let help = "make it a `relay` or a `command`, or take the hop away";
            self.complaints
                .say(Diagnostic::new("hop-from-stub", transport.value_place("from"), message).help(help));
        }
        for (key, end) in [("from", hop.from), ("to", hop.to)] {
            let Some(broker) = self.draft.node(end).kind.as_broker() else { continue };
            let (name, word) = (&self.draft.node(end).name, broker.kind.word());
            let message = format!("`{name}` is a broker, and hops go through it, not {key} it");
            let help = format!(
                "name the service that {} there, and say `via: {name}` in a hop over {word}",
                match key {
                    "from" => "reads",
                    _ => "is reached",
                }
            );
            let place = transport.value_place(key);
            self.complaints.say(Diagnostic::new("broker-at-an-end", place, message).help(help));
        }
    }

    fn relation(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        let place = hop.relation_place;
        if hop.relation.needs_message() && hop.transport.via().is_none() {
            let (word, relation) = (hop.transport.word(), hop.relation.word());
            let message = format!("`{relation}` cannot be kept over {word}");
            let mistake = Diagnostic::new("relation-of-transport", place, message)
                .label("a relation of messages")
                .help(
                    "say `relation: restart-with-link, at: receiver`: the receiver begins a trace that links",
                );
            self.complaints.say(mistake);
        }
        if let (Some(stray), None) = (tree.entry("at"), hop.relation.restarts_at()) {
            let message = "`at` goes with `restart` and `restart-with-link`";
            let help = "leave `at` out, or name the relation that begins a new trace";
            self.complaints.say(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        if let (Some(kept), false) = (tree.entry("baggage"), hop.relation.may_leave_trace()) {
            let message = match hop.relation {
                Relation::None => "no context may cross this hop, so baggage cannot be kept",
                _ if hop.transport.via().is_some() => {
                    "`baggage: kept` goes with `link`, `child-or-link`, `restart` and `restart-with-link`"
                }
                _ => "`baggage: kept` goes with `restart` and `restart-with-link`",
            };
            let help = "leave it out; where no new trace begins, `baggage.kept` asks for baggage anyway";
            self.complaints.say(Diagnostic::new("stray-key", kept.key.place, message).help(help));
        }
    }

    /// A forwarder passes on what came in; nobody else does.
    fn forwarder(&mut self) {
        let hop = &self.hop.hop;
        let sender = &self.draft.nodes[hop.from.0];
        let name = &sender.node.name;
        let forwards = sender.node.role == Role::Forwarder;
        let place = hop.relation_place;
        if hop.relation == Relation::Unchanged && !forwards {
            let message = format!("`unchanged` needs a forwarder as sender, and `{name}` is none");
            let mistake =
                Diagnostic::new("relation-of-role", place, message).label("passed on unchanged by whom?");
            self.complaints.say(match hop.from {
                NodeIx::CLIENT => mistake.help("`client` begins the story; say `child`"),
                _ => mistake
                    .also(sender.node.place, "a participant")
                    .help(format!("give `{name}` the key `role: forwarder`, or say `child`")),
            });
        }
        if forwards && !hop.relation.fits_forwarder() {
            let message = format!("`{name}` is a forwarder, and what it sends on is `unchanged` or `none`");
            let mistake = Diagnostic::new("relation-of-role", place, message)
                .label(format!("this hop is `{}`", hop.relation.word()))
                .also(sender.node.place, "a forwarder")
                .help("say `relation: unchanged`");
            self.complaints.say(mistake);
        }
    }

    fn times(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        if hop.times.min > hop.times.max || hop.times.max == 0 {
            let (min, max) = (hop.times.min, hop.times.max);
            let message = match max {
                0 => "a hop that never happens cannot be judged".to_owned(),
                _ => format!("`min` is {min} and `max` is {max}"),
            };
            let help = match max {
                0 => "take the hop away, or say `times: { min: 0, max: N }`",
                _ => "`min` must not be above `max`",
            };
            self.complaints.say(Diagnostic::new("bad-times", tree.value_place("times"), message).help(help));
        }
        if let (Some(stray), NodeIx::CLIENT) = (tree.entry("times"), hop.from) {
            let message = "how often a hop from `client` happens is said by its drive";
            let help = "move `times` to the drive";
            self.complaints.say(Diagnostic::new("stray-key", stray.key.place, message).help(help));
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
                let message = format!("this step is done by the {who}, and `{name}` is not a relay");
                let label = format!("`{name}` cannot be told to");
                let help = "steps are for relays; other services do what they do";
                let mistake = Diagnostic::new("step-without-relay", item.place, message).label(label);
                self.complaints.say(mistake.help(help));
            }
            if matches!(step, Step::Fail(how) if ["nack", "reject"].contains(&how.as_str()))
                && hop.transport.via().is_none()
            {
                let word = hop.transport.word();
                let message = format!("a request over {word} cannot be given back or up");
                let mistake = Diagnostic::new("step-of-transport", item.place, message);
                self.complaints.say(mistake.label("a step of messages").help("say `{ fail: 500 }`"));
            }
        }
    }

    fn tap(&mut self) {
        let HopDraft { hop, tree, .. } = self.hop;
        if let (Some(host), false) = (tree.entry("host"), hop.tapped) {
            let message = "`host` is written by the tap, and this hop has none";
            let mistake = Diagnostic::new("stray-key", host.key.place, message);
            self.complaints.say(mistake.also(tree.place_of("tap"), "no tap").help("keep one of the two"));
        }
    }

    fn http(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        let Transport::Http(http) = &hop.transport else { return };
        if let (Some(version), true) = (transport.entry("version"), hop.from != NodeIx::CLIENT) {
            let message = "`version` says how the driver speaks, and this hop is not from `client`";
            let help = "leave it out: the service speaks as it does, and the tap reads both";
            self.complaints.say(Diagnostic::new("stray-key", version.key.place, message).help(help));
        }
        let Some(relay) = self.relay_at_an_end() else { return };
        let post = http.method.as_deref().is_none_or(|method| method == "POST");
        if !post {
            let message = format!("`{relay}` is a relay, and relays are told what to do by POST");
            let help = "say `method: POST`, or leave it out";
            self.complaints
                .say(Diagnostic::new("not-for-relays", transport.value_place("method"), message).help(help));
        }
        let reserved = http.path.as_ref().is_some_and(|path| path.0.starts_with("/-/"));
        if reserved && self.draft.is_relay(hop.to) {
            let message = "paths that begin with `/-/` are the relay's own";
            self.complaints.say(Diagnostic::new("not-for-relays", transport.value_place("path"), message));
        }
    }

    fn grpc(&mut self) {
        let HopDraft { hop, transport, .. } = self.hop;
        let Transport::Grpc(grpc) = &hop.transport else { return };
        match (self.relay_at_an_end(), &grpc.method) {
            (Some(relay), Some(method)) if method != RELAY_METHODS[usize::from(grpc.stream)] => {
                let message =
                    format!("`{relay}` is a relay, and relays speak `unbroken.relay.v1.Relay` only");
                let help = "leave `method` out";
                let place = transport.value_place("method");
                self.complaints.say(Diagnostic::new("not-for-relays", place, message).help(help));
            }
            (None, None) if hop.from == NodeIx::CLIENT => {
                let message = "the driver must know which method it calls";
                let help = "add `method: package.Service/Method`";
                let mistake = Diagnostic::new("missing-key", transport.place_of("to"), message);
                self.complaints.say(mistake.label("not a relay").help(help));
            }
            _ => {}
        }
    }

    /// The name of a relay that decides how this hop is spoken: one that sends, or that `client` sends to.
    fn relay_at_an_end(&self) -> Option<&str> {
        let hop = &self.hop.hop;
        let deciding = [hop.from, hop.to].into_iter().find(|node| self.draft.is_relay(*node))?;
        Some(self.draft.node(deciding).name.as_str())
    }
}

/// The steps that stand in the file; a `restart` that was added stands in front of them.
fn written(steps: &[Step], count: usize) -> &[Step] {
    &steps[steps.len().saturating_sub(count)..]
}
