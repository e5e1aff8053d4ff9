//! Addresses that a scenario fixes: cases that share one take turns.
//!
//! Two cases on one port, service or broker would see each other's requests. The turn holds for all cases of this
//! process; the port of a program is held against other harnesses as well (`process::port`).

use std::sync::LazyLock;
use std::time::Duration;

use super::broker::BrokerAddress;
use super::error::RuntimeError;
use super::fixed_listeners;
use super::setting::setting;
use super::turns::{Turn, Turns};
use crate::plan::Plan;
use crate::scenario::{NodeIx, NodeKind, Url};

/// The time to wait for addresses that other cases use without any of them ending.
const PATIENCE: Duration = Duration::from_secs(600);

static TURNS: LazyLock<Turns> = LazyLock::new(Turns::default);

/// Resolves when no other case of this process uses an address that the scenario fixes.
pub(super) async fn take(plan: &Plan) -> Result<Option<Turn>, RuntimeError> {
    let mut names = Vec::new();
    for (ix, node) in plan.scenario.nodes.iter().enumerate() {
        names.extend(addresses(NodeIx(ix), &node.kind, plan)?.iter().map(|at| format!("the address {at}")));
    }
    // Listeners of several interfaces at one port count as one: they may exclude each other.
    let listeners = fixed_listeners::of(plan).into_iter().map(|listener| listener.at.port());
    names.extend(listeners.map(|port| format!("the address {}", host_and_port("127.0.0.1", port))));
    if names.is_empty() {
        return Ok(None);
    }
    TURNS.take(names, PATIENCE).await.map(Some).map_err(RuntimeError::from)
}

/// Returns `host:port` of each fixed address of a node.
fn addresses(ix: NodeIx, kind: &NodeKind, plan: &Plan) -> Result<Vec<String>, RuntimeError> {
    Ok(match kind {
        NodeKind::Command(command) => {
            command.port.into_iter().map(|port| host_and_port("127.0.0.1", port)).collect()
        }
        NodeKind::Url(Url { http, grpc }) => {
            [http, grpc].into_iter().flatten().filter_map(|url| of_url(url)).collect()
        }
        NodeKind::Broker(broker) => {
            let Some(address) = &broker.address else { return Ok(Vec::new()) };
            // An address that does not parse is reported when the broker is used.
            let address = BrokerAddress::parse(broker.kind, &setting(address, ix, plan)?);
            let parts = address.as_ref().map(BrokerAddress::host_and_port);
            parts.into_iter().map(|(host, port)| host_and_port(host, port)).collect()
        }
        NodeKind::Client
        | NodeKind::Relay(_)
        | NodeKind::Image(_)
        | NodeKind::Stub(_)
        | NodeKind::InProcess
        | NodeKind::Collector(_) => Vec::new(),
    })
}

fn of_url(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(host_and_port(uri.host()?.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80)))
}

/// Returns one spelling for all names of this machine.
fn host_and_port(host: &str, port: u16) -> String {
    let here = ["localhost", "127.0.0.1", "::1", "0.0.0.0"].contains(&host);
    format!("{}:{port}", if here { "127.0.0.1" } else { host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_this_machine_are_one_address() {
        let here = Some("127.0.0.1:80".to_owned());
        for url in ["http://localhost:80", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost"] {
            assert_eq!(of_url(url), here, "{url}");
        }
        assert_eq!(of_url("http://shop.example:8080"), Some("shop.example:8080".to_owned()));
    }
}
