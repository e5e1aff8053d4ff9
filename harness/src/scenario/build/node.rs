//! `nodes:`, one node each.

use std::time::Duration;

use super::builder::Builder;
use super::draft::NodeDraft;
use crate::diagnostic::Diagnostic;
use crate::scenario::gateway::GatewayProduct;
use crate::scenario::index::NodeIx;
use crate::scenario::node::{AddedEntry, Marker, Node, Role, StopSignal, StrippedField, Trust};
use crate::scenario::node_kind::{
    Broker, BrokerKind, NodeKind, OwnFile, Readiness, Relay, ServiceCommand, Stub, StubAnswer, Url,
};
use crate::scenario::pattern;
use crate::scenario::reference::TemplateSite;
use crate::scenario::template::{Template, TemplatePart};
use crate::scenario::tree::{KeyValue, Tree, TreeValue};
use crate::source::{Place, WithPlace};
use crate::wire::Level;

/// Stands for what a variable holds.
const OPEN: &str = "\u{0}";

/// Returns whether templates or the format use this name.
pub(super) fn reserved(name: &str) -> bool {
    ["client", "self", "env", "otlp", "scenario", "mark"].contains(&name)
}

/// Returns the node of the harness itself.
pub(super) fn client() -> Node {
    let kind = NodeKind::Client;
    Node { level: Level::Two, telemetry: false, ..plain("client", Place::default(), kind) }
}

fn plain(name: &str, place: Place, kind: NodeKind) -> Node {
    Node {
        name: name.to_owned(),
        place,
        kind,
        role: Role::Participant,
        is_gateway: false,
        strips: Vec::new(),
        adds: Vec::new(),
        trust: Trust::Continue,
        longest_field_line: None,
        service: None,
        exports_to: None,
        telemetry: true,
        tracestate_key: None,
        sets_baggage: Vec::new(),
        adds_baggage: Vec::new(),
        stop: StopSignal::Terminate,
        marker: None,
        formats: Vec::new(),
        needs: Vec::new(),
        is_helper: false,
        level: Level::One,
    }
}

impl<'a> Builder<'a, '_> {
    pub(super) fn node(&mut self, name: &'a WithPlace<String>, tree: &'a Tree) -> NodeDraft<'a> {
        let ix = self.draft.node_names[name.value.as_str()];
        let made = self.kind(tree, name, ix);
        let known = made.is_some();
        let kind = made.unwrap_or_else(|| NodeKind::Stub(Stub::default()));
        let node = Node {
            role: match tree.text_at("trust").and_then(Trust::of) {
                Some(Trust::Ignore) => Role::Forwarder,
                _ => role(tree, &kind),
            },
            is_gateway: tree.entry("role").is_some() || kind.gateway().is_some(),
            trust: self.trust(tree, role(tree, &kind)),
            longest_field_line: limit(tree),
            strips: texts(tree.get("strips")).iter().filter_map(|text| StrippedField::of(text)).collect(),
            adds: texts(tree.get("adds")).iter().map(|name| name.to_ascii_lowercase()).collect(),
            service: tree.text_at("service").map(str::to_owned),
            exports_to: tree.get("exports-to").and_then(|tree| self.node_named(tree)),
            telemetry: kind.can_export_telemetry() && tree.entry("telemetry").is_none(),
            tracestate_key: tree.text_at("tracestate-key").map(str::to_owned),
            sets_baggage: texts(tree.get("sets-baggage")),
            adds_baggage: added(tree.get("adds-baggage")),
            stop: match tree.text_at("stop") {
                Some("SIGINT") => StopSignal::Interrupt,
                _ => StopSignal::Terminate,
            },
            marker: tree.get("marker").and_then(marker),
            formats: self.formats(tree),
            level: match tree.get("level").and_then(Tree::number) {
                Some(2) => Level::Two,
                _ => Level::One,
            },
            ..plain(&name.value, name.place, kind)
        };
        NodeDraft { node, tree: Some(tree), known }
    }

    /// Returns the trust; only a gateway that traces has one.
    fn trust(&mut self, tree: &'a Tree, role: Role) -> Trust {
        let Some(entry) = tree.entry("trust") else { return Trust::Continue };
        if tree.entry("role").is_none() || role == Role::Forwarder {
            let message =
                "`trust` has no effect: a gateway without `role: participant` passes every context through";
            let help = "add `role: participant`, or remove `trust`";
            self.complaints.report(Diagnostic::new("stray-key", entry.key.place, message).help(help));
        }
        entry.value.text().and_then(Trust::of).unwrap_or_default()
    }

    fn kind(&mut self, tree: &'a Tree, name: &WithPlace<String>, ix: NodeIx) -> Option<NodeKind> {
        if let Some(relay) = tree.get("relay") {
            let implementation = self.case.pick(relay).text()?.to_owned();
            return Some(NodeKind::Relay(self.relay(tree, implementation, ix)));
        }
        if let Some(argv) = tree.get("command") {
            return Some(NodeKind::Command(self.command(tree, argv, name.place, ix)));
        }
        if let Some(gateway) = tree.get("gateway") {
            return self.gateway(tree, gateway, name.place, ix).map(NodeKind::Command);
        }
        if let Some(collector) = tree.get("collector") {
            return Some(NodeKind::Collector(self.collector(tree, collector, name.place, ix)));
        }
        if let Some(image) = tree.get("image") {
            return Some(NodeKind::Image(self.image(tree, image, name.place, ix)));
        }
        if let Some(url) = tree.get("url") {
            return Some(NodeKind::Url(address(url)));
        }
        if tree.get("in-process").is_some() {
            return Some(NodeKind::InProcess);
        }
        if let Some(kind) = broker_kind(tree) {
            return Some(NodeKind::Broker(self.broker(tree, kind, ix)));
        }
        let stub = tree.get("stub")?;
        let answers = stub.get("answers").map_or(&[][..], Tree::items);
        Some(NodeKind::Stub(Stub { answers: answers.iter().filter_map(|tree| self.answer(tree)).collect() }))
    }

    fn broker(&mut self, tree: &'a Tree, kind: BrokerKind, ix: NodeIx) -> Broker {
        let keys = tree.get(kind.word());
        let address = keys.and_then(|keys| keys.entry("address"));
        let image = keys.and_then(|keys| keys.entry("image"));
        if let (Some(address), Some(image)) = (address, image) {
            let message = "`address` names a running broker, so no image is started";
            let diagnostic = Diagnostic::new("two-kinds", image.key.place, message).label("not used");
            let help = "remove `address` or `image`";
            self.complaints.report(diagnostic.also(address.key.place, "already runs").help(help));
        }
        Broker {
            kind,
            address: address.map(|entry| self.broker_address(&entry.value, kind, ix)),
            image: image.map(|entry| self.template(&entry.value, ix, TemplateSite::ImageName)),
        }
    }

    fn broker_address(&mut self, tree: &'a Tree, kind: BrokerKind, ix: NodeIx) -> Template {
        let address = self.template(tree, ix, TemplateSite::Broker);
        let text: String = address.parts.iter().map(shown).collect();
        let wanted = match kind {
            BrokerKind::Kafka => "`host:port`",
            BrokerKind::RabbitMq => "`amqp://user:password@host:port/vhost`",
            BrokerKind::Sqs => "`http://host:port`",
        };
        if !reachable(kind, &text) {
            let message = format!("`address` of a `{}` broker must be {wanted}, in plaintext", kind.word());
            self.complaints
                .report(Diagnostic::new("bad-text", tree.place, message).label("not such an address"));
        }
        address
    }

    fn relay(&mut self, tree: &'a Tree, implementation: String, ix: NodeIx) -> Relay {
        let faults = texts(tree.get("fault"));
        if !faults.is_empty() && implementation != "model" {
            let message = format!("the relay `{implementation}` has no faults");
            let place = tree.place_of("fault");
            let help = "use `relay: model`, or remove `fault`";
            self.complaints.report(Diagnostic::new("fault-without-model", place, message).help(help));
        }
        let mut env = self.env(tree, ix, TemplateSite::Relay);
        if let Some(propagators) = tree.get("propagators") {
            if let Some(set) = tree.get("env").and_then(|env| env.entry("OTEL_PROPAGATORS")) {
                let message = "`propagators` and `OTEL_PROPAGATORS` both set the propagators";
                let diagnostic = Diagnostic::new("two-kinds", set.key.place, message).label("second");
                let help = "remove `OTEL_PROPAGATORS` from `env`";
                self.complaints.report(diagnostic.also(tree.place_of("propagators"), "first").help(help));
            }
            let text = self.case.pick(propagators).text().unwrap_or_default();
            env.push(("OTEL_PROPAGATORS".to_owned(), Template::text(text)));
        }
        Relay { implementation, faults, env }
    }

    fn command(&mut self, tree: &'a Tree, argv: &'a Tree, place: Place, ix: NodeIx) -> ServiceCommand {
        let ready_within = tree.text_at("ready-within").and_then(pattern::duration);
        ServiceCommand {
            argv: argv.items().iter().map(|part| self.template(part, ix, TemplateSite::Service)).collect(),
            env: self.env(tree, ix, TemplateSite::Service),
            cwd: tree.text_at("cwd").map(str::to_owned),
            ready: tree.get("ready").and_then(ready).unwrap_or(Readiness::Tcp),
            ready_within: ready_within.unwrap_or(Duration::from_secs(30)),
            port: tree.get("port").and_then(Tree::number).and_then(|port| u16::try_from(port).ok()),
            files: files(tree),
            gateway: None,
            place,
        }
    }

    /// Returns a proxy by its name, or by its name with a configuration of the user's.
    fn gateway(
        &mut self,
        tree: &'a Tree,
        gateway: &'a Tree,
        place: Place,
        ix: NodeIx,
    ) -> Option<ServiceCommand> {
        let (product, config) = match gateway.entries().first() {
            Some(KeyValue { key, value }) => (key.value.as_str(), value.text_at("config")),
            None => (self.case.pick(gateway).text()?, None),
        };
        let product = GatewayProduct::of(product)?;
        let ready_within = tree.text_at("ready-within").and_then(pattern::duration);
        let argv = tree.get("program").map(|program| self.template(program, ix, TemplateSite::Service));
        Some(ServiceCommand {
            argv: argv.into_iter().collect(),
            env: self.env(tree, ix, TemplateSite::Service),
            cwd: None,
            ready: tree.get("ready").and_then(ready).unwrap_or(Readiness::Tcp),
            ready_within: ready_within.unwrap_or(Duration::from_secs(30)),
            port: None,
            files: config
                .map(|from| OwnFile { name: String::new(), from: from.to_owned() })
                .into_iter()
                .collect(),
            gateway: Some(product),
            place,
        })
    }

    pub(super) fn env(&mut self, tree: &'a Tree, ix: NodeIx, site: TemplateSite) -> Vec<(String, Template)> {
        let entries = tree.get("env").map_or(&[][..], Tree::entries);
        entries.iter().map(|entry| (entry.key.value.clone(), self.template(&entry.value, ix, site))).collect()
    }

    fn answer(&mut self, tree: &'a Tree) -> Option<StubAnswer> {
        if let Some(number) = tree.number() {
            let (body, content_type) = empty_object();
            return Some(StubAnswer::Http { status: u16::try_from(number).ok()?, body, content_type });
        }
        if tree.text() == Some("hang-up") {
            return Some(StubAnswer::HangUp);
        }
        if let Some(code) = tree.get("grpc").and_then(Tree::number) {
            return Some(StubAnswer::Grpc { code: u32::try_from(code).ok()?, message: Vec::new() });
        }
        let (body, content_type) = match (tree.entry("json"), tree.entry("body")) {
            (None, None) => empty_object(),
            (Some(json), None) => (json.value.json().into_bytes(), "application/json".to_owned()),
            (None, Some(KeyValue { value, .. })) => {
                let content_type = tree.text_at("content-type").unwrap_or("text/plain; charset=utf-8");
                (value.text().unwrap_or_default().as_bytes().to_vec(), content_type.to_owned())
            }
            (Some(json), Some(body)) => {
                let message = "an answer has one body, and both `json` and `body` are given";
                let diagnostic = Diagnostic::new("two-kinds", body.key.place, message).label("second");
                self.complaints.report(diagnostic.also(json.key.place, "first").help("remove one of them"));
                return None;
            }
        };
        if let (Some(stray), None) = (tree.entry("content-type"), tree.entry("body")) {
            let message = "`content-type` needs `body`";
            let help = "remove `content-type`: `json` is always sent as application/json";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        let status = u16::try_from(tree.get("status")?.number()?).ok()?;
        Some(StubAnswer::Http { status, body, content_type })
    }
}

/// Returns the body and the content type of an answer that sets none.
fn empty_object() -> (Vec<u8>, String) {
    (b"{}".to_vec(), "application/json".to_owned())
}

/// Returns the kind of a broker; `None` for any other node.
pub(super) fn broker_kind(tree: &Tree) -> Option<BrokerKind> {
    let kinds = [BrokerKind::Kafka, BrokerKind::RabbitMq, BrokerKind::Sqs];
    kinds.into_iter().find(|kind| tree.entry(kind.word()).is_some())
}

/// Returns a part of an address before the environment is known: a variable may hold a part of it or all.
fn shown(part: &TemplatePart) -> &str {
    match part {
        TemplatePart::Text(text) => text,
        _ => OPEN,
    }
}

/// Returns whether an address has the form of its kind. One with a variable is checked when it is used.
fn reachable(kind: BrokerKind, text: &str) -> bool {
    if text.contains(OPEN) {
        return true;
    }
    match kind {
        BrokerKind::Kafka => (pattern::URL.fits)(&format!("http://{text}")),
        BrokerKind::RabbitMq => text.strip_prefix("amqp://").is_some_and(|rest| !rest.is_empty()),
        BrokerKind::Sqs => (pattern::URL.fits)(text),
    }
}

/// Returns the role: a gateway that comes along passes contexts through unless the file says otherwise.
fn role(tree: &Tree, kind: &NodeKind) -> Role {
    match tree.text_at("role") {
        Some("forwarder") => Role::Forwarder,
        None if kind.gateway().is_some() => Role::Forwarder,
        _ => Role::Participant,
    }
}

fn limit(tree: &Tree) -> Option<u32> {
    tree.get("limits")?.get("header-bytes")?.number().and_then(|number| u32::try_from(number).ok())
}

fn files(tree: &Tree) -> Vec<OwnFile> {
    let entries = tree.get("files").map_or(&[][..], Tree::entries).iter();
    let files = entries.filter_map(|entry| {
        Some(OwnFile { name: entry.key.value.clone(), from: entry.value.text()?.to_owned() })
    });
    files.collect()
}

fn added(tree: Option<&Tree>) -> Vec<AddedEntry> {
    let entries = tree.map_or(&[][..], Tree::entries);
    let added = entries.iter().filter_map(|KeyValue { key, value }| {
        let value = value.text()?;
        let value = if value == "any" { None } else { Some(value.to_owned()) };
        Some(AddedEntry { key: key.value.clone(), value })
    });
    added.collect()
}

fn texts(tree: Option<&Tree>) -> Vec<String> {
    let items = tree.map_or(&[][..], Tree::one_or_more);
    items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

fn address(tree: &Tree) -> Url {
    match &tree.value {
        TreeValue::Scalar { text, .. } => Url { http: Some(text.clone()), grpc: None },
        _ => Url {
            http: tree.text_at("http").map(str::to_owned),
            grpc: tree.text_at("grpc").map(str::to_owned),
        },
    }
}

pub(super) fn ready(tree: &Tree) -> Option<Readiness> {
    let KeyValue { key, value } = tree.entries().first()?;
    match key.value.as_str() {
        "http" => Some(Readiness::Http(value.text()?.to_owned())),
        "tcp" => Some(Readiness::Tcp),
        "grpc-health" => Some(Readiness::GrpcHealth(value.text_at("service").unwrap_or_default().to_owned())),
        "output" => Some(Readiness::Output(value.text()?.to_owned())),
        _ => None,
    }
}

fn marker(tree: &Tree) -> Option<Marker> {
    let KeyValue { key, value } = tree.entries().first()?;
    match key.value.as_str() {
        "header" => Some(Marker::Header(value.text()?.to_owned())),
        "path" => Some(Marker::Path),
        "body" => Some(Marker::Body(value.text()?.to_owned())),
        "query" => Some(Marker::Query(value.text()?.to_owned())),
        _ => None,
    }
}
