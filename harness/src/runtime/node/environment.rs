//! Fills a node's templates, and builds the environment of its process.
//!
//! A node inherits the harness's environment without `OTEL_*` and `RELAY_*`, so that a setting of the machine cannot
//! change a verdict, and bypasses any proxy for calls on this machine. What the scenario sets always wins.

use tokio::process::Command;

use super::own_resources::OwnResources;
use crate::plan::TapProtocol;
use crate::runtime::client_settings;
use crate::runtime::error::RuntimeError;
use crate::runtime::host_address::HostPort;
use crate::runtime::setting::{environment_variable, secret_value};
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{AddressPart, NodeIx, OtlpPart, Template, TemplatePart};

/// Prefixes of variables that are not inherited from the harness's own environment.
const NOT_INHERITED: &[&str] = &["OTEL_", "RELAY_"];

/// Returns the text of a template as `node` gets it.
pub async fn fill(
    template: &Template,
    node: NodeIx,
    own: &OwnResources,
    wiring: &CaseWiring,
) -> Result<String, RuntimeError> {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            TemplatePart::Text(part) => text.push_str(part),
            TemplatePart::Url(to) => text.push_str(&wiring.url(node, *to).await?),
            TemplatePart::Broker(broker, part) => {
                text.push_str(&wiring.reach_broker(node, *broker)?.part(*part));
            }
            TemplatePart::Grpc(to) => {
                text.push_str(&wiring.reach(node, *to, TapProtocol::Grpc).await?.to_string());
            }
            TemplatePart::OtlpAddress(part) => {
                text.push_str(
                    &wiring.otlp_address(node).map(|at| address_part(&at, *part)).unwrap_or_default(),
                );
            }
            TemplatePart::Export(to, part) => {
                let at = wiring.export_address(node, *to)?;
                text.push_str(&match part {
                    OtlpPart::Endpoint => format!("http://{at}"),
                    OtlpPart::Host => at.host,
                    OtlpPart::Port => at.port.to_string(),
                });
            }
            TemplatePart::OtlpEndpoint => text.push_str(&wiring.otlp(node).unwrap_or_default()),
            TemplatePart::Neighbour(to, part) => {
                let protocol = if wiring.plan().scenario.calls_over_http(node, *to) {
                    TapProtocol::Http
                } else {
                    TapProtocol::Grpc
                };
                text.push_str(&address_part(&wiring.reach(node, *to, protocol).await?, *part));
            }
            TemplatePart::GrpcNeighbour(to, part) => {
                text.push_str(&address_part(&wiring.reach(node, *to, TapProtocol::Grpc).await?, *part));
            }
            TemplatePart::SelfPort => text.push_str(&number(own.port)),
            TemplatePart::NamedPort(name) => text.push_str(&number(own.named_port(name))),
            TemplatePart::SelfDir => {
                let folder = own.folder.as_ref().map(|folder| folder.path().display().to_string());
                text.push_str(&folder.unwrap_or_default());
            }
            TemplatePart::Env(name) => text.push_str(&environment_variable(name, node, wiring.plan())?),
            TemplatePart::Secret(secret) => text.push_str(&secret_value(secret, node, wiring.plan())?),
            // A node has no stimulus; the scenario's check refuses it there.
            TemplatePart::Mark => {}
            TemplatePart::ScenarioDir => text.push_str(&wiring.plan().folder.display().to_string()),
        }
    }
    Ok(text)
}

fn number(port: Option<u16>) -> String {
    port.map(|port| port.to_string()).unwrap_or_default()
}

fn address_part(at: &HostPort, part: AddressPart) -> String {
    match part {
        AddressPart::Host => at.host.clone(),
        AddressPart::Port => at.port.to_string(),
    }
}

/// Returns the variables of a node's process: `ours` first, then the scenario's own, which win.
pub async fn variables(
    scenario: &[(String, Template)],
    ours: Vec<(&'static str, String)>,
    node: NodeIx,
    own: &OwnResources,
    wiring: &CaseWiring,
) -> Result<Vec<(String, String)>, RuntimeError> {
    let mut variables = telemetry(node, wiring);
    variables.extend(ours);
    let mut variables: Vec<_> = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, template) in scenario {
        variables.push((name.clone(), fill(template, node, own, wiring).await?));
    }
    Ok(variables)
}

/// Returns the variables that OpenTelemetry defines for every SDK. `OTEL_PROPAGATORS` and the sampler are the service's
/// own choice.
fn telemetry(node: NodeIx, wiring: &CaseWiring) -> Vec<(&'static str, String)> {
    let described = wiring.plan().scenario.node(node);
    let service = described.service.as_ref().unwrap_or(&described.name);
    let mut variables = client_settings::exporter(wiring.otlp(node), service.clone());
    let contained = wiring.is_contained(node);
    variables.extend(wiring.trust().into_iter().flat_map(|trust| trust.variables(contained)));
    variables
}

/// Sets the variables of a command, beside what it inherits; a later one of the same name wins.
pub fn apply(variables: Vec<(String, String)>, command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| NOT_INHERITED.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(&name);
        }
    }
    for name in ["no_proxy", "NO_PROXY"] {
        let inherited = std::env::var(name).map(|hosts| format!("{hosts},")).unwrap_or_default();
        command.env(name, format!("{inherited}127.0.0.1,localhost,::1"));
    }
    command.envs(variables);
}
