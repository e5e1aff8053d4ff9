//! Text with `${...}` in it -> `Template`, or what is wrong with it.

use super::{Builder, Use, Used};
use crate::diagnostic::Diagnostic;
use crate::scenario::json::{Piece, escaped};
use crate::scenario::node::{BrokerKind, NodeIx};
use crate::scenario::template::{Template, TemplatePart};
use crate::scenario::tree::Tree;
use crate::scenario::{pattern, spelling};
use crate::source::Place;

/// Where a template stands, which decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    Command,
    Relay,
    Drive,
    /// The address of a broker that runs already.
    Broker,
}

impl<'a> Builder<'a, '_> {
    /// The template that a scalar holds, used by node `user`.
    pub(super) fn template(&mut self, tree: &'a Tree, user: NodeIx, ground: Ground) -> Template {
        let mut parts = Vec::new();
        self.parts(tree, user, ground, &mut parts);
        Template { parts: joined(parts) }
    }

    /// A tree as JSON text with the templates of its strings.
    pub(super) fn json_template(&mut self, tree: &'a Tree, user: NodeIx) -> Template {
        let mut parts = Vec::new();
        for piece in tree.json_pieces() {
            match piece {
                Piece::Text(text) => parts.push(TemplatePart::Text(text)),
                Piece::String(tree) => {
                    let first = parts.len();
                    self.parts(tree, user, Ground::Drive, &mut parts);
                    for part in &mut parts[first..] {
                        if let TemplatePart::Text(text) = part {
                            *text = escaped(text);
                        }
                    }
                }
            }
        }
        Template { parts: joined(parts) }
    }

    fn parts(&mut self, tree: &'a Tree, user: NodeIx, ground: Ground, parts: &mut Vec<TemplatePart>) {
        let mut rest = tree.text().unwrap_or_default();
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('$') {
                parts.push(TemplatePart::Text(format!("{before}${{")));
                rest = &rest[at + 2..];
                continue;
            }
            parts.push(TemplatePart::Text(rest[..at].to_owned()));
            let Some(length) = rest[at..].find('}') else {
                let message = "a template begins with `${` and does not end";
                let help = "close it with `}`, or write `$${` for the characters themselves";
                self.draft.misread.insert(user);
                self.complaints.say(Diagnostic::new("template-open", tree.place, message).help(help));
                return;
            };
            let name = &rest[at + 2..at + length];
            match self.meaning(name, ground) {
                Some(part) => {
                    let place = self.place_of(name, tree);
                    self.used(&part, user, place);
                    parts.push(part);
                }
                None => {
                    self.draft.misread.insert(user);
                    let place = self.place_of(name, tree);
                    self.unknown(name, place, ground);
                }
            }
            rest = &rest[at + length + 1..];
        }
        parts.push(TemplatePart::Text(rest.to_owned()));
    }

    fn meaning(&self, name: &str, ground: Ground) -> Option<TemplatePart> {
        match (name, ground) {
            ("mark", Ground::Drive) => return Some(TemplatePart::Mark),
            ("scenario.dir", _) => return Some(TemplatePart::ScenarioDir),
            ("otlp.endpoint", Ground::Command | Ground::Relay) => return Some(TemplatePart::OtlpEndpoint),
            ("self.port", Ground::Command) => return Some(TemplatePart::SelfPort),
            _ => {}
        }
        let (subject, member) = name.rsplit_once('.')?;
        match member {
            variable if subject == "env" && pattern::variable(variable) => {
                Some(TemplatePart::Env(variable.to_owned()))
            }
            _ if ground == Ground::Broker => None,
            "url" => self.neighbour(subject).map(TemplatePart::Url),
            "grpc" => self.neighbour(subject).map(TemplatePart::Grpc),
            _ if ground == Ground::Drive => None,
            _ => {
                let broker = self.draft.node_names.get(subject)?;
                (member == address_of(*self.draft.brokers.get(broker)?))
                    .then_some(TemplatePart::Broker(*broker))
            }
        }
    }

    fn neighbour(&self, name: &str) -> Option<NodeIx> {
        let called = |node: &NodeIx| *node != NodeIx::CLIENT && !self.draft.brokers.contains_key(node);
        self.draft.node_names.get(name).copied().filter(called)
    }

    fn used(&mut self, part: &TemplatePart, user: NodeIx, place: Place) {
        let what = match part {
            TemplatePart::Url(node) => Used::Http(*node),
            TemplatePart::Grpc(node) => Used::Grpc(*node),
            TemplatePart::Broker(node) => Used::Broker(*node),
            TemplatePart::SelfPort => Used::SelfPort,
            TemplatePart::Mark => Used::Mark,
            _ => return,
        };
        self.draft.uses.push(Use { user, place, what });
    }

    /// Where in the file `${name}` stands; the whole text where quoting hides it.
    fn place_of(&self, name: &str, tree: &Tree) -> Place {
        let Place { start, end } = tree.place;
        let wanted = format!("${{{name}}}");
        let at = self.source.text().get(start..end).and_then(|text| text.find(&wanted));
        at.map_or(tree.place, |at| Place::new(start + at, start + at + wanted.len()))
    }

    fn unknown(&mut self, name: &str, place: Place, ground: Ground) {
        let known = self.known(ground);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let subject = name.rsplit_once('.').map(|(subject, _)| subject);
        let broker = subject.and_then(|subject| self.draft.node_names.get(subject));
        let broker = broker.and_then(|broker| self.draft.brokers.get(broker));
        let help = match (name, ground, broker) {
            ("mark", ..) => {
                "the mark belongs to a stimulus: it can stand in `headers` and `body` of a drive".to_owned()
            }
            ("self.port", Ground::Relay, _) => "a relay chooses its own port".to_owned(),
            (_, Ground::Command | Ground::Relay, Some(kind)) => {
                format!("did you mean `{}.{}`?", subject.unwrap_or_default(), address_of(*kind))
            }
            _ => spelling::help(name, &known, "templates here"),
        };
        let message = format!("the template `${{{name}}}` names nothing");
        self.complaints
            .say(Diagnostic::new("unknown-template", place, message).label("not known here").help(help));
    }

    /// The templates that may stand there.
    fn known(&self, ground: Ground) -> Vec<String> {
        let mut known = vec!["scenario.dir".to_owned(), "env.NAME".to_owned()];
        match ground {
            Ground::Command => known.extend(["otlp.endpoint".to_owned(), "self.port".to_owned()]),
            Ground::Relay => known.push("otlp.endpoint".to_owned()),
            Ground::Drive => known.push("mark".to_owned()),
            Ground::Broker => return known,
        }
        let mut nodes: Vec<(&str, NodeIx)> =
            self.draft.node_names.iter().map(|(name, ix)| (*name, *ix)).collect();
        nodes.retain(|(_, ix)| *ix != NodeIx::CLIENT);
        nodes.sort_unstable();
        for (name, ix) in nodes {
            match self.draft.brokers.get(&ix) {
                Some(_) if ground == Ground::Drive => {}
                Some(kind) => known.push(format!("{name}.{}", address_of(*kind))),
                None => known.extend([format!("{name}.url"), format!("{name}.grpc")]),
            }
        }
        known
    }
}

/// What the address of a broker is called, by the name that its clients have for it.
pub(in super::super) fn address_of(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "bootstrap",
        BrokerKind::RabbitMq => "amqp",
        BrokerKind::Sqs => "endpoint",
    }
}

/// Stretches of text side by side made one, empty ones left out.
fn joined(parts: Vec<TemplatePart>) -> Vec<TemplatePart> {
    let mut joined: Vec<TemplatePart> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(TemplatePart::Text(last)), TemplatePart::Text(more)) => last.push_str(&more),
            (_, TemplatePart::Text(text)) if text.is_empty() => {}
            (_, part) => joined.push(part),
        }
    }
    joined
}
