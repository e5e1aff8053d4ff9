//! Files that a container mounts with `templates: true`: their text as a template.
//!
//! The scenario is checked without these files, so what would be a diagnostic in `env` is an error here.

use thiserror::Error;

use super::index::NodeIx;
use super::node_kind::BrokerKind;
use super::reference::{self, Stretch, TemplateSite};
use super::template::{Template, TemplatePart};
use super::{ExportTarget, Scenario, spelling};

/// A template in a mounted file that cannot be filled; `line` counts from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MountedFileError {
    #[error("line {line}: a template starts with `${{` and has no `}}`: {ESCAPE}")]
    NotClosed { line: usize },
    #[error("line {line}: unknown template `${{{name}}}` ({help}): {ESCAPE}")]
    Unknown { line: usize, name: String, help: String },
    #[error("line {line}: the template `${{{name}}}` needs {what}")]
    Needs { line: usize, name: String, what: String },
}

/// The advice for a `${` that is not a template.
const ESCAPE: &str = "write `$${` for a literal `${`";

impl Template {
    /// Reads the text of a file that node `of` mounts. The same templates are allowed as in the node's `env`.
    pub fn read(text: &str, scenario: &Scenario, of: NodeIx) -> Result<Self, MountedFileError> {
        let site = match scenario.node(of).kind.as_collector() {
            Some(_) => TemplateSite::Collector,
            None => TemplateSite::Service,
        };
        let mut parts = Vec::new();
        for stretch in reference::stretches(text) {
            match stretch {
                Stretch::Text(text) => parts.push(TemplatePart::Text(text.to_owned())),
                Stretch::Open(at) => return Err(MountedFileError::NotClosed { line: line_of(text, at) }),
                Stretch::Reference(name, at) => {
                    // `${env:NAME}` and the like are a Collector's own.
                    if site == TemplateSite::Collector && name.contains(':') {
                        parts.push(TemplatePart::Text(format!("${{{name}}}")));
                        continue;
                    }
                    let found = reference::meaning(name, site, |name| scenario.found(name));
                    // No template name has a line end in it, so the first line of this one is enough to show.
                    let (line, name) =
                        (line_of(text, at), name.lines().next().unwrap_or_default().to_owned());
                    let Some(part) = found else {
                        let help = scenario.known_templates(&name, site);
                        return Err(MountedFileError::Unknown { line, name, help });
                    };
                    if let Some(what) = scenario.missing_for(&part, of) {
                        return Err(MountedFileError::Needs { line, name, what });
                    }
                    parts.push(part);
                }
            }
        }
        Ok(Self { parts: reference::joined(parts) })
    }
}

/// Returns the line, from 1, of the byte at `at`.
fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].bytes().filter(|byte| *byte == b'\n').count()
}

impl Scenario {
    fn found(&self, name: &str) -> Option<(NodeIx, Option<BrokerKind>)> {
        let ix = self.nodes.iter().position(|node| node.name == name)?;
        Some((NodeIx(ix), self.nodes[ix].kind.as_broker().map(|broker| broker.kind)))
    }

    /// Returns the template closest to `name`, or all that may stand in a mounted file.
    fn known_templates(&self, name: &str, site: TemplateSite) -> String {
        let nodes = self.nodes.iter().skip(1);
        let mut nodes: Vec<_> =
            nodes.map(|node| (node.name.as_str(), node.kind.as_broker().map(|broker| broker.kind))).collect();
        nodes.sort_unstable_by_key(|(name, _)| *name);
        let known = reference::known(site, nodes);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        spelling::help(name, &known, "templates here")
    }

    /// Returns what the scenario lacks so that node `of` can be given the address or port that `part` names.
    fn missing_for(&self, part: &TemplatePart, of: NodeIx) -> Option<String> {
        let name = |node: NodeIx| &self.node(node).name;
        let user = name(of);
        match part {
            TemplatePart::Url(to) => {
                let calls = self.calls(of, *to).any(|hop| hop.transport.is_http());
                (!calls).then(|| format!("an http hop from `{user}` to `{}`", name(*to)))
            }
            TemplatePart::Neighbour(to, _) => {
                let calls = self.calls(of, *to).any(|hop| hop.transport.via().is_none());
                (!calls).then(|| format!("an http or grpc hop from `{user}` to `{}`", name(*to)))
            }
            TemplatePart::Grpc(to) | TemplatePart::GrpcNeighbour(to, _) => {
                let calls = self.calls(of, *to).any(|hop| hop.transport.is_grpc());
                (!calls).then(|| format!("a grpc hop from `{user}` to `{}`", name(*to)))
            }
            TemplatePart::Broker(broker, _) => {
                let mut through = self.hops.iter().filter(|hop| hop.transport.via() == Some(*broker));
                let uses = through.any(|hop| [hop.from, hop.to].contains(&of));
                (!uses).then(|| format!("a hop from or to `{user}` with `via: {}`", name(*broker)))
            }
            TemplatePart::NamedPort(_) | TemplatePart::SelfDir => (!self.node(of).kind.has_folder())
                .then(|| format!("`{user}` to be a `command` or a `gateway`")),
            TemplatePart::SelfPort => {
                (!self.node(of).kind.has_port()).then(|| format!("a `port` at `{user}`"))
            }
            TemplatePart::Export(target, _) => {
                let to = self.node(of).kind.as_collector().map_or(&[][..], |collector| &collector.to);
                let word = match target {
                    ExportTarget::Sink => ExportTarget::SINK,
                    ExportTarget::Collector(node) => name(*node),
                };
                (!to.contains(target)).then(|| format!("`{word}` in `to:` of `{user}`"))
            }
            TemplatePart::Text(_)
            | TemplatePart::OtlpEndpoint
            | TemplatePart::OtlpAddress(_)
            | TemplatePart::Env(_)
            | TemplatePart::Secret(_)
            | TemplatePart::Mark
            | TemplatePart::ScenarioDir => None,
        }
    }

    fn calls(&self, from: NodeIx, to: NodeIx) -> impl Iterator<Item = &super::Hop> {
        self.hops.iter().filter(move |hop| hop.from == from && hop.to == to)
    }
}

#[cfg(test)]
mod tests;
