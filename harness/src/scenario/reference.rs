//! `${...}` in text: where each stands, and what it names.
//!
//! Shared by the texts of a scenario (`build::template`) and the files that it mounts (`mounted_file`), which report
//! the errors.

use super::export_target::ExportTarget;
use super::index::NodeIx;
use super::node_kind::BrokerKind;
use super::pattern;
use super::template::{AddressPart, BrokerPart, OtlpPart, SecretName, TemplatePart};

/// The site of a template, which decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplateSite {
    /// A service that is given every address: a command, an image, a file that is mounted into it.
    Service,
    /// A collector: as a service, and where it exports to.
    Collector,
    Relay,
    Drive,
    /// The address of a broker that runs already.
    Broker,
    /// The name of an image.
    ImageName,
}

impl TemplateSite {
    /// Returns whether ports and addresses of neighbours may stand there.
    fn is_given_addresses(self) -> bool {
        matches!(self, TemplateSite::Service | TemplateSite::Collector)
    }
}

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch<'t> {
    Text(&'t str),
    /// The text between `${` and `}`, and the offset of the `$`.
    Reference(&'t str, usize),
    /// A `${` without its `}`, and the offset of the `$`; nothing comes after it.
    Open(usize),
}

/// Splits a text into its stretches; `$${` stands for `${` itself.
pub(super) fn stretches(text: &str) -> Vec<Stretch<'_>> {
    let (mut stretches, mut from) = (Vec::new(), 0);
    while let Some(found) = text[from..].find("${") {
        let at = from + found;
        if found > 0 && text.as_bytes()[at - 1] == b'$' {
            stretches.extend([Stretch::Text(&text[from..at - 1]), Stretch::Text("${")]);
            from = at + 2;
            continue;
        }
        stretches.push(Stretch::Text(&text[from..at]));
        let Some(length) = text[at..].find('}') else {
            stretches.push(Stretch::Open(at));
            return stretches;
        };
        stretches.push(Stretch::Reference(&text[at + 2..at + length], at));
        from = at + length + 1;
    }
    stretches.push(Stretch::Text(&text[from..]));
    stretches
}

/// Returns what a name means there; `find` knows the nodes, and which of them are brokers.
pub(super) fn meaning(
    name: &str,
    site: TemplateSite,
    find: impl Fn(&str) -> Option<(NodeIx, Option<BrokerKind>)>,
) -> Option<TemplatePart> {
    match (name, site) {
        ("mark", TemplateSite::Drive) => return Some(TemplatePart::Mark),
        ("scenario.dir", site) if site != TemplateSite::ImageName => return Some(TemplatePart::ScenarioDir),
        ("otlp.endpoint", TemplateSite::Service | TemplateSite::Relay) => {
            return Some(TemplatePart::OtlpEndpoint);
        }
        ("otlp.host", TemplateSite::Service) => return Some(TemplatePart::OtlpAddress(AddressPart::Host)),
        ("otlp.port", TemplateSite::Service) => return Some(TemplatePart::OtlpAddress(AddressPart::Port)),
        ("self.port", TemplateSite::Service | TemplateSite::Collector) => {
            return Some(TemplatePart::SelfPort);
        }
        ("self.dir", TemplateSite::Service | TemplateSite::Collector) => return Some(TemplatePart::SelfDir),
        _ => {}
    }
    let (subject, member) = name.rsplit_once('.')?;
    if site == TemplateSite::Collector
        && let Some(part) = otlp_part(member)
    {
        return Some(TemplatePart::Export(export_target(subject, find)?, part));
    }
    if subject == "self.port" && site.is_given_addresses() && (pattern::NAME.fits)(member) {
        return Some(TemplatePart::NamedPort(member.to_owned()));
    }
    if pattern::variable(member) {
        match subject {
            "env" => return Some(TemplatePart::Env(member.to_owned())),
            "secret" => {
                return Some(TemplatePart::Secret(SecretName { name: member.to_owned(), place: None }));
            }
            _ => {}
        }
    }
    if matches!(site, TemplateSite::Broker | TemplateSite::ImageName) {
        return None;
    }
    if site != TemplateSite::Drive
        && let Some(part) = address_part(member)
    {
        let over_grpc = subject.strip_suffix(".grpc").and_then(&find);
        let neighbour = over_grpc.map(|found| (found, true)).or_else(|| Some((find(subject)?, false)));
        match neighbour {
            Some(((node, None), true)) if node != NodeIx::CLIENT => {
                return Some(TemplatePart::GrpcNeighbour(node, part));
            }
            Some(((node, None), false)) if node != NodeIx::CLIENT => {
                return Some(TemplatePart::Neighbour(node, part));
            }
            _ => {}
        }
    }
    match (member, find(subject)?) {
        ("url", (node, None)) if node != NodeIx::CLIENT => Some(TemplatePart::Url(node)),
        ("grpc", (node, None)) if node != NodeIx::CLIENT => Some(TemplatePart::Grpc(node)),
        (member, (broker, Some(kind))) if site != TemplateSite::Drive => {
            Some(TemplatePart::Broker(broker, broker_part(member, kind)?))
        }
        _ => None,
    }
}

/// Returns the names that may stand there; `nodes` without `client`, in the order in which they are listed.
pub(super) fn known<'n>(
    site: TemplateSite,
    nodes: impl IntoIterator<Item = (&'n str, Option<BrokerKind>)>,
) -> Vec<String> {
    let mut known = match site {
        TemplateSite::ImageName => return ["env.NAME", "secret.NAME"].map(str::to_owned).to_vec(),
        _ => ["scenario.dir", "env.NAME", "secret.NAME"].map(str::to_owned).to_vec(),
    };
    match site {
        TemplateSite::Service => {
            known.extend(
                ["otlp.endpoint", "otlp.host", "otlp.port", "self.port", "self.port.NAME", "self.dir"]
                    .map(str::to_owned),
            );
        }
        TemplateSite::Collector => {
            let own = ["sink.endpoint", "sink.host", "sink.port", "self.port", "self.port.NAME", "self.dir"];
            known.extend(own.map(str::to_owned));
        }
        TemplateSite::Relay => known.push("otlp.endpoint".to_owned()),
        TemplateSite::Drive => known.push("mark".to_owned()),
        TemplateSite::Broker | TemplateSite::ImageName => return known,
    }
    for (name, broker) in nodes {
        match broker {
            Some(_) if site == TemplateSite::Drive => {}
            Some(kind) => {
                known.extend([address_of(kind), "host", "port"].map(|part| format!("{name}.{part}")))
            }
            None if site == TemplateSite::Drive => {
                known.extend([format!("{name}.url"), format!("{name}.grpc")]);
            }
            None if site == TemplateSite::Collector => {
                known.extend(["endpoint", "host", "port"].map(|part| format!("{name}.{part}")));
            }
            None => known.extend(["url", "grpc", "host", "port"].map(|part| format!("{name}.{part}"))),
        }
    }
    known
}

fn export_target(
    name: &str,
    find: impl Fn(&str) -> Option<(NodeIx, Option<BrokerKind>)>,
) -> Option<ExportTarget> {
    if name == ExportTarget::SINK {
        return Some(ExportTarget::Sink);
    }
    match find(name)? {
        (node, None) if node != NodeIx::CLIENT => Some(ExportTarget::Collector(node)),
        _ => None,
    }
}

fn otlp_part(member: &str) -> Option<OtlpPart> {
    match member {
        "endpoint" => Some(OtlpPart::Endpoint),
        "host" => Some(OtlpPart::Host),
        "port" => Some(OtlpPart::Port),
        _ => None,
    }
}

fn address_part(member: &str) -> Option<AddressPart> {
    match member {
        "host" => Some(AddressPart::Host),
        "port" => Some(AddressPart::Port),
        _ => None,
    }
}

fn broker_part(member: &str, kind: BrokerKind) -> Option<BrokerPart> {
    match member {
        "host" => Some(BrokerPart::Host),
        "port" => Some(BrokerPart::Port),
        member => (member == address_of(kind)).then_some(BrokerPart::Address),
    }
}

/// Returns the name that clients have for the address of a broker.
pub(super) fn address_of(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "bootstrap",
        BrokerKind::RabbitMq => "amqp",
        BrokerKind::Sqs => "endpoint",
    }
}

/// Joins neighbouring stretches of text, and omits empty ones.
pub(super) fn joined(parts: Vec<TemplatePart>) -> Vec<TemplatePart> {
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
