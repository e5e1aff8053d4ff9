//! `hops:`, one hop each, and which hop causes which.

use super::builder::Builder;
use super::draft::HopDraft;
use crate::diagnostic::Diagnostic;
use crate::scenario::body_carrier::BodyCarrier;
use crate::scenario::hop::{
    FixedTap, GrpcHop, Hop, HopBaggage, HttpHop, HttpVersion, PathPattern, Step, Times, Transport,
};
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::node::{Role, StrippedField, Trust};
use crate::scenario::relation::{Relation, RestartSide};
use crate::scenario::tree::{KeyValue, Tree};
use crate::scenario::{pattern, spelling};
use crate::source::{Place, WithPlace};

impl<'a> Builder<'a, '_> {
    /// Returns the hop; `None` when its transport or one of its ends is unknown.
    pub(super) fn hop(&mut self, name: &'a WithPlace<String>, tree: &'a Tree) -> Option<HopDraft<'a>> {
        let words = ["http", "grpc", "kafka", "rabbitmq", "sqs"];
        let KeyValue { key, value: inner } = words.iter().find_map(|word| tree.entry(word))?;
        let (from, to) = (self.end(inner, "from"), self.end(inner, "to"));
        let transport = match key.value.as_str() {
            "http" => Some(Transport::Http(http(inner))),
            "grpc" => Some(Transport::Grpc(grpc(inner))),
            "kafka" => self.kafka(inner),
            "rabbitmq" => self.rabbitmq(inner),
            _ => self.sqs(inner),
        };
        let (from, to, transport) = (from?, to?, transport?);
        let sender = self.draft.node(from);
        let forwards = sender.role == Role::Forwarder;
        let strips_baggage = sender.strips.contains(&StrippedField::Baggage);
        let relation = match tree.entry("relation") {
            None if forwards => Relation::Unchanged,
            None if self.draft.node(to).trust == Trust::Restart => Relation::Restart(RestartSide::Receiver),
            _ => relation(tree, transport.via().is_some()),
        };
        let relation_place = match tree.entry("relation") {
            Some(entry) => entry.value.place,
            None => name.place,
        };
        let hop = Hop {
            id: name.value.clone(),
            place: name.place,
            transport,
            from,
            to,
            relation,
            relation_place,
            times: tree.get("times").and_then(times).unwrap_or(Times::ONCE),
            within: None,
            steps: self.steps(tree, from, relation),
            baggage: baggage(tree).or(strips_baggage.then_some(HopBaggage::Dropped)),
            formats: self.formats_of_hop(tree, from),
            carrier: tree.get("carrier").and_then(|carrier| carrier.text_at("json")).map(BodyCarrier::at),
            host: tree.text_at("host").map(str::to_owned),
            tapped: tree.get("tap").is_none_or(|tap| tap.text().is_none()),
            fixed_tap: tree.get("tap").and_then(fixed_tap),
            tls: inner.entry("tls").is_some(),
            client_certificate: inner.text_at("client-certificate").map(str::to_owned),
            dead_letter_of: None,
        };
        Some(HopDraft { hop, tree, transport: inner })
    }

    pub(super) fn end(&mut self, tree: &'a Tree, key: &str) -> Option<NodeIx> {
        self.node_named(tree.get(key)?)
    }

    /// Returns the node of a name, or reports that it is unknown.
    pub(super) fn node_named(&mut self, value: &'a Tree) -> Option<NodeIx> {
        let name = value.text()?;
        if let Some(node) = self.draft.node_names.get(name) {
            return Some(*node);
        }
        let mut known: Vec<&str> = self.draft.node_names.keys().copied().collect();
        known.sort_unstable();
        let help = spelling::help(name, &known, "nodes");
        let message = format!("unknown node `{name}`");
        self.complaints
            .report(Diagnostic::new("unknown-node", value.place, message).label("unknown").help(help));
        None
    }

    /// Returns the steps of the file; a relay at a `restart` relation gets the step `restart` if it lacks one.
    fn steps(&mut self, tree: &'a Tree, from: NodeIx, relation: Relation) -> Vec<Step> {
        let items = tree.get("steps").map_or(&[][..], Tree::items);
        let mut steps: Vec<Step> = items.iter().filter_map(step).collect();
        let relay = self.draft.is_relay(from);
        if relay && relation.restarts_at() == Some(RestartSide::Sender) && !steps.contains(&Step::Restart) {
            steps.insert(0, Step::Restart);
        }
        steps
    }

    /// Sets `dead-letter-of`, once all hops are known; it also names the cause of the hop.
    pub(super) fn dead_letters(&mut self) {
        for index in 0..self.draft.hops.len() {
            let tree = self.draft.hops[index].tree;
            let Some(said) = tree.get("dead-letter-of") else { continue };
            let of = self.hop_named(said);
            self.draft.incomplete |= of.is_none();
            let hop = &mut self.draft.hops[index].hop;
            hop.dead_letter_of = of;
            hop.within = of;
            // The broker moves the message as it was published.
            if let (Some(of), None) = (of, tree.entry("formats")) {
                let published = self.draft.hop(of).formats.clone();
                self.draft.hops[index].hop.formats = published;
            }
        }
    }

    /// Sets `within`, as written or inferred, once all hops are known.
    pub(super) fn withins(&mut self) {
        for index in 0..self.draft.hops.len() {
            let HopDraft { hop, tree, transport } = &self.draft.hops[index];
            let (tree, from, place) = (*tree, hop.from, hop.place);
            if let Some(of) = tree.entry("dead-letter-of") {
                if let Some(within) = tree.entry("within") {
                    let message = "`within` and `dead-letter-of` both name the cause of this hop";
                    let diagnostic = Diagnostic::new("stray-key", within.key.place, message);
                    self.complaints
                        .report(diagnostic.also(of.key.place, "the cause").help("remove `within`"));
                }
                continue;
            }
            let from_place = transport.value_place("from");
            if from == NodeIx::CLIENT {
                if let Some(within) = tree.entry("within") {
                    let message = "a drive causes a hop from `client`, so it has no `within`";
                    let help = "remove `within`";
                    self.complaints
                        .report(Diagnostic::new("stray-key", within.key.place, message).help(help));
                }
                continue;
            }
            let within = match tree.get("within") {
                Some(within) => self.said_within(HopIx(index), within),
                None => self.only_within(HopIx(index), place, from_place),
            };
            self.draft.hops[index].hop.within = within;
        }
    }

    fn said_within(&mut self, ix: HopIx, within: &'a Tree) -> Option<HopIx> {
        let Some(cause) = self.hop_named(within) else {
            self.draft.incomplete = true;
            return None;
        };
        let (hop, outer) = (self.draft.hop(ix), self.draft.hop(cause));
        if hop.from == outer.to && ix != cause {
            return Some(cause);
        }
        let from = &self.draft.node(hop.from).name;
        let message = format!("`{}` cannot cause `{}`: it does not end at `{from}`", outer.id, hop.id);
        let help = match ending_at(&self.draft.hops, hop.from, ix).as_slice() {
            [] => format!("no hop ends at `{from}`"),
            some => format!("hops that end at `{from}`: {}", spelling::listed(some)),
        };
        self.complaints.report(Diagnostic::new("wrong-within", within.place, message).help(help));
        self.draft.incomplete = true;
        None
    }

    fn only_within(&mut self, ix: HopIx, place: Place, from_place: Place) -> Option<HopIx> {
        let hop = self.draft.hop(ix);
        let from = hop.from;
        let ending = ending_at(&self.draft.hops, from, ix);
        match ending.as_slice() {
            [only] => self.draft.hop_names.get(only).copied().flatten(),
            [] => None,
            several => {
                let message = format!(
                    "`{}` needs `within`: several hops end at its sender `{}`",
                    hop.id,
                    self.draft.node(from).name
                );
                let help = format!("set `within` to the hop that causes it: {}", spelling::listed(several));
                let diagnostic = Diagnostic::new("within-unclear", place, message).label("ambiguous cause");
                self.complaints.report(diagnostic.also(from_place, "several hops end here").help(help));
                self.draft.incomplete = true;
                None
            }
        }
    }
}

fn ending_at<'d>(hops: &'d [HopDraft<'_>], node: NodeIx, but: HopIx) -> Vec<&'d str> {
    let ending = hops.iter().enumerate().filter(|(ix, hop)| HopIx(*ix) != but && hop.hop.to == node);
    ending.map(|(_, hop)| hop.hop.id.as_str()).collect()
}

fn http(tree: &Tree) -> HttpHop {
    HttpHop {
        method: tree.text_at("method").map(str::to_owned),
        path: tree.text_at("path").map(|path| PathPattern(path.to_owned())),
        version: match tree.get("version").and_then(Tree::number) {
            Some(2) => HttpVersion::Http2,
            _ => HttpVersion::Http1,
        },
    }
}

fn grpc(tree: &Tree) -> GrpcHop {
    GrpcHop { method: tree.text_at("method").map(str::to_owned), stream: tree.entry("stream").is_some() }
}

/// Returns the addresses of `tap: { listen: ..., reader: ... }`.
fn fixed_tap(tree: &Tree) -> Option<FixedTap> {
    let listen = tree.text_at("listen").and_then(|text| pattern::listen_address(text).ok());
    let reader = tree.text_at("reader").and_then(|text| pattern::listen_address(text).ok());
    (listen.is_some() || reader.is_some()).then_some(FixedTap { listen, reader })
}

/// Returns what the hop says of baggage.
fn baggage(tree: &Tree) -> Option<HopBaggage> {
    match tree.text_at("baggage")? {
        "kept" => Some(HopBaggage::Kept),
        "dropped" => Some(HopBaggage::Dropped),
        // Its shape was refused.
        _ => None,
    }
}

/// Returns the relation. Without `at`, the sender of a request starts the new trace, and the receiver of a message
/// does.
fn relation(tree: &Tree, through_a_broker: bool) -> Relation {
    let at = match tree.text_at("at") {
        Some("receiver") => RestartSide::Receiver,
        None if through_a_broker => RestartSide::Receiver,
        _ => RestartSide::Sender,
    };
    match tree.text_at("relation") {
        Some("child-or-link") => Relation::ChildOrLink,
        Some("link") => Relation::Link,
        Some("restart") => Relation::Restart(at),
        Some("restart-with-link") => Relation::RestartWithLink(at),
        Some("unchanged") => Relation::Unchanged,
        Some("none") => Relation::None,
        _ => Relation::Child,
    }
}

fn times(tree: &Tree) -> Option<Times> {
    match number(tree) {
        Some(exactly) => Some(Times { min: exactly, max: exactly }),
        None => Some(Times { min: number(tree.get("min")?)?, max: number(tree.get("max")?)? }),
    }
}

fn number(tree: &Tree) -> Option<u32> {
    u32::try_from(tree.number()?).ok()
}

fn step(tree: &Tree) -> Option<Step> {
    match tree.text() {
        Some("spawn") => return Some(Step::Spawn),
        Some("restart") => return Some(Step::Restart),
        _ => {}
    }
    let KeyValue { key, value } = tree.entries().first()?;
    match key.value.as_str() {
        "wait" => Some(Step::Wait(pattern::duration(value.text()?)?)),
        "retry" => Some(Step::Retry(u32::try_from(value.number()?).ok()?)),
        "log" => Some(Step::Log(value.text()?.to_owned())),
        "fail" => Some(Step::Fail(value.text()?.to_owned())),
        _ => None,
    }
}
