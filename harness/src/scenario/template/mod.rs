//! Templates: text with `${...}` in it, each reference already resolved to what it means.

use super::node::NodeIx;
use super::node_kind::BrokerKind;
use super::reference::{self, Stretch, TemplateSite};
use super::{Scenario, spelling};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Template {
    pub parts: Vec<TemplatePart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    Text(String),
    /// `${NODE.url}`: `http://host:port` of the tap on the HTTP hop from the node that uses the template to NODE.
    Url(NodeIx),
    /// `${NODE.grpc}`: `host:port` of the tap on the gRPC hop to NODE.
    Grpc(NodeIx),
    /// `${BROKER.bootstrap}`, `host:port`; `${BROKER.amqp}`, `amqp://guest:guest@host:port/%2f`; `${BROKER.endpoint}`,
    /// `http://host:port`: where the node that uses the template reaches the broker, through its own tap.
    Broker(NodeIx),
    /// `${otlp.endpoint}`: the node's own OTLP endpoint, `http://host:port`, gRPC and HTTP alike.
    OtlpEndpoint,
    /// `${self.port}`.
    SelfPort,
    /// `${env.NAME}`: a secret or setting of whoever runs the scenario.
    Env(String),
    /// `${mark}`: the stimulus's own mark (drives only).
    Mark,
    /// `${scenario.dir}`: the folder of the scenario file.
    ScenarioDir,
}

/// What there is to do about a `${` that is none of ours.
const ESCAPE: &str = "write `$${` for the characters `${` themselves";

impl Template {
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![TemplatePart::Text(text.into())] }
    }

    /// The template that the text of a file is which node `of` mounts; the error names what is wrong and its line.
    ///
    /// The same as in the node's `env`; what would be a diagnostic there is the error here, because the scenario is
    /// checked without the files that it names.
    pub fn read(text: &str, scenario: &Scenario, of: NodeIx) -> Result<Self, String> {
        let line = |at: usize| 1 + text[..at].bytes().filter(|byte| *byte == b'\n').count();
        let mut parts = Vec::new();
        for stretch in reference::stretches(text) {
            match stretch {
                Stretch::Text(text) => parts.push(TemplatePart::Text(text.to_owned())),
                Stretch::Open(at) => {
                    let line = line(at);
                    return Err(format!(
                        "line {line}: a template begins with `${{` and does not end: {ESCAPE}"
                    ));
                }
                Stretch::Reference(name, at) => {
                    // No name of ours has a line end in it.
                    let shown = name.lines().next().unwrap_or_default();
                    let wrong = |why: String| format!("line {}: the template `${{{shown}}}` {why}", line(at));
                    let part = reference::meaning(name, TemplateSite::Service, |name| scenario.found(name));
                    let part = part.ok_or_else(|| wrong(scenario.unknown(name)))?;
                    scenario.serves(&part, of).map_err(wrong)?;
                    parts.push(part);
                }
            }
        }
        Ok(Self { parts: reference::joined(parts) })
    }
}

impl Scenario {
    fn found(&self, name: &str) -> Option<(NodeIx, Option<BrokerKind>)> {
        let ix = self.nodes.iter().position(|node| node.name == name)?;
        Some((NodeIx(ix), self.nodes[ix].kind.as_broker().map(|broker| broker.kind)))
    }

    fn unknown(&self, name: &str) -> String {
        let mut nodes: Vec<_> = self
            .nodes
            .iter()
            .skip(1)
            .map(|node| (node.name.as_str(), node.kind.as_broker().map(|broker| broker.kind)))
            .collect();
        nodes.sort_unstable_by_key(|(name, _)| *name);
        let known = reference::known(TemplateSite::Service, nodes);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        format!("names nothing ({}): {ESCAPE}", spelling::help(name, &known, "templates here"))
    }

    /// Whether node `of` can be given the address or port that a template names, or why not.
    fn serves(&self, part: &TemplatePart, of: NodeIx) -> Result<(), String> {
        let name = |node: NodeIx| &self.node(node).name;
        let user = name(of);
        let called = |to: NodeIx, word: &str| {
            self.hops.iter().any(|hop| hop.from == of && hop.to == to && hop.transport.word() == word)
        };
        let through = |broker: NodeIx| {
            let ends = self.hops.iter().filter(|hop| hop.transport.via() == Some(broker));
            ends.into_iter().any(|hop| [hop.from, hop.to].contains(&of))
        };
        match part {
            TemplatePart::Url(to) if !called(*to, "http") => {
                Err(format!("needs an http hop from `{user}` to `{}`", name(*to)))
            }
            TemplatePart::Grpc(to) if !called(*to, "grpc") => {
                Err(format!("needs a grpc hop from `{user}` to `{}`", name(*to)))
            }
            TemplatePart::Broker(broker) if !through(*broker) => {
                Err(format!("needs a hop from or to `{user}` with `via: {}`", name(*broker)))
            }
            TemplatePart::SelfPort if !self.node(of).kind.has_port() => {
                Err(format!("needs a `port` at `{user}`"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
