//! Text with `${...}` in it -> `Template`, or what is wrong with it.

use super::{Builder, Use, Used};
use crate::diagnostic::Diagnostic;
use crate::scenario::json::{Piece, escaped};
use crate::scenario::node::NodeIx;
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
            "url" => self.neighbour(subject).map(TemplatePart::Url),
            "grpc" => self.neighbour(subject).map(TemplatePart::Grpc),
            _ => None,
        }
    }

    fn neighbour(&self, name: &str) -> Option<NodeIx> {
        self.draft.node_names.get(name).copied().filter(|node| *node != NodeIx::CLIENT)
    }

    fn used(&mut self, part: &TemplatePart, user: NodeIx, place: Place) {
        let what = match part {
            TemplatePart::Url(node) => Used::Http(*node),
            TemplatePart::Grpc(node) => Used::Grpc(*node),
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
        let mut known = vec!["scenario.dir".to_owned(), "env.NAME".to_owned()];
        match ground {
            Ground::Command => known.extend(["otlp.endpoint".to_owned(), "self.port".to_owned()]),
            Ground::Relay => known.push("otlp.endpoint".to_owned()),
            Ground::Drive => known.push("mark".to_owned()),
        }
        let mut nodes: Vec<&str> =
            self.draft.node_names.keys().copied().filter(|name| *name != "client").collect();
        nodes.sort_unstable();
        known.extend(nodes.iter().flat_map(|node| [format!("{node}.url"), format!("{node}.grpc")]));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = match (name, ground) {
            ("mark", _) => {
                "the mark belongs to a stimulus: it can stand in `headers` and `body` of a drive".to_owned()
            }
            ("self.port", Ground::Relay) => "a relay chooses its own port".to_owned(),
            _ => spelling::help(name, &known, "templates here"),
        };
        let message = format!("the template `${{{name}}}` names nothing");
        self.complaints
            .say(Diagnostic::new("unknown-template", place, message).label("not known here").help(help));
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
