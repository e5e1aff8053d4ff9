//! Text with `${...}` in it -> `Template`, or what is wrong with it.

use super::builder::Builder;
use super::draft::{TemplateSubject, TemplateUse};
use crate::diagnostic::Diagnostic;
use crate::scenario::index::NodeIx;
use crate::scenario::json::{JsonPiece, escaped};
use crate::scenario::node_kind::BrokerKind;
use crate::scenario::reference::{self, Stretch, TemplateSite};
use crate::scenario::spelling;
use crate::scenario::template::{Template, TemplatePart};
use crate::scenario::tree::Tree;
use crate::source::Place;

impl<'a> Builder<'a, '_> {
    /// Returns the template that a scalar holds, used by node `user`.
    pub(super) fn template(&mut self, tree: &'a Tree, user: NodeIx, site: TemplateSite) -> Template {
        let mut parts = Vec::new();
        self.parts(tree, user, site, &mut parts);
        Template { parts: reference::joined(parts) }
    }

    /// Returns a tree as JSON text with the templates of its strings.
    pub(super) fn json_template(&mut self, tree: &'a Tree, user: NodeIx) -> Template {
        let mut parts = Vec::new();
        for piece in tree.json_pieces() {
            match piece {
                JsonPiece::Text(text) => parts.push(TemplatePart::Text(text)),
                JsonPiece::String(tree) => {
                    let first = parts.len();
                    self.parts(tree, user, TemplateSite::Drive, &mut parts);
                    for part in &mut parts[first..] {
                        if let TemplatePart::Text(text) = part {
                            *text = escaped(text);
                        }
                    }
                }
            }
        }
        Template { parts: reference::joined(parts) }
    }

    fn parts(&mut self, tree: &'a Tree, user: NodeIx, site: TemplateSite, parts: &mut Vec<TemplatePart>) {
        for stretch in reference::stretches(tree.text().unwrap_or_default()) {
            match stretch {
                Stretch::Text(text) => parts.push(TemplatePart::Text(text.to_owned())),
                Stretch::Open(_) => {
                    let message = "a template starts with `${` and has no `}`";
                    let help = "add `}`, or write `$${` for a literal `${`";
                    self.draft.misread.insert(user);
                    self.complaints.report(Diagnostic::new("template-open", tree.place, message).help(help));
                }
                Stretch::Reference(name, _) => {
                    let place = self.place_of(name, tree);
                    match reference::meaning(name, site, |name| self.found(name)) {
                        Some(mut part) => {
                            self.used(&part, user, place);
                            if let TemplatePart::Secret(secret) = &mut part {
                                secret.place = Some(place);
                            }
                            parts.push(part);
                        }
                        None => {
                            self.draft.misread.insert(user);
                            self.unknown(name, place, site);
                        }
                    }
                }
            }
        }
    }

    fn found(&self, name: &str) -> Option<(NodeIx, Option<BrokerKind>)> {
        let node = *self.draft.node_names.get(name)?;
        Some((node, self.draft.brokers.get(&node).copied()))
    }

    fn used(&mut self, part: &TemplatePart, user: NodeIx, place: Place) {
        let what = match part {
            TemplatePart::Url(node) => TemplateSubject::Http(*node),
            TemplatePart::Grpc(node) => TemplateSubject::Grpc(*node),
            TemplatePart::Broker(node, _) => TemplateSubject::Broker(*node),
            TemplatePart::Neighbour(node, _) => TemplateSubject::Address(*node),
            TemplatePart::GrpcNeighbour(node, _) => TemplateSubject::Grpc(*node),
            TemplatePart::SelfPort | TemplatePart::NamedPort(_) => TemplateSubject::SelfPort,
            TemplatePart::Mark => TemplateSubject::Mark,
            TemplatePart::Text(_)
            | TemplatePart::Export(..)
            | TemplatePart::OtlpEndpoint
            | TemplatePart::OtlpAddress(_)
            | TemplatePart::Env(_)
            | TemplatePart::Secret(_)
            | TemplatePart::SelfDir
            | TemplatePart::ScenarioDir => return,
        };
        self.draft.uses.push(TemplateUse { user, place, what });
    }

    /// Returns the place of `${name}` in the file; the whole text where quoting hides it.
    fn place_of(&self, name: &str, tree: &Tree) -> Place {
        let Place { start, end } = tree.place;
        let wanted = format!("${{{name}}}");
        let at = self.source.text().get(start..end).and_then(|text| text.find(&wanted));
        at.map_or(tree.place, |at| Place::new(start + at, start + at + wanted.len()))
    }

    fn unknown(&mut self, name: &str, place: Place, site: TemplateSite) {
        let known = self.known(site);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let subject = name.rsplit_once('.').map(|(subject, _)| subject);
        let broker = subject.and_then(|subject| self.draft.node_names.get(subject));
        let broker = broker.and_then(|broker| self.draft.brokers.get(broker));
        let help = match (name, site, broker) {
            ("mark", ..) => {
                "use `${mark}` in `headers` or `body` of a drive: each stimulus has its own mark".to_owned()
            }
            ("self.port", TemplateSite::Relay, _) => "remove it: a relay chooses its own port".to_owned(),
            (_, TemplateSite::Service | TemplateSite::Relay, Some(kind)) => {
                format!("did you mean `{}.{}`?", subject.unwrap_or_default(), reference::address_of(*kind))
            }
            _ => spelling::help(name, &known, "templates here"),
        };
        let message = format!("unknown template `${{{name}}}`");
        self.complaints
            .report(Diagnostic::new("unknown-template", place, message).label("unknown here").help(help));
    }

    /// Returns the templates that may stand there.
    fn known(&self, site: TemplateSite) -> Vec<String> {
        let mut nodes: Vec<(&str, NodeIx)> =
            self.draft.node_names.iter().map(|(name, ix)| (*name, *ix)).collect();
        nodes.retain(|(_, ix)| *ix != NodeIx::CLIENT);
        nodes.sort_unstable();
        let nodes = nodes.into_iter().map(|(name, ix)| (name, self.draft.brokers.get(&ix).copied()));
        reference::known(site, nodes)
    }
}
