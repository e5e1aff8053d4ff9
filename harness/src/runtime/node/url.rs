//! `url:` nodes: services that already run.

use std::net::SocketAddr;

use super::error::NodeError;
use super::running::{FlushMethod, RunningNode};
use crate::runtime::error::RuntimeError;
use crate::runtime::node_addresses::NodeAddresses;
use crate::runtime::wiring::CaseWiring;
use crate::scenario::{NodeIx, Url};

/// Resolves the addresses of the service; nothing is started.
pub async fn start(ix: NodeIx, url: &Url, wiring: &CaseWiring) -> Result<RunningNode, RuntimeError> {
    let name = &wiring.plan().scenario.node(ix).name;
    let http = resolve(name, url.http.as_deref()).await?;
    let grpc = resolve(name, url.grpc.as_deref()).await?;
    let listening = NodeAddresses { http, grpc };
    wiring.set_listening(ix, listening);
    Ok(RunningNode { name: name.clone(), listening, program: None, flush: FlushMethod::Quiet })
}

/// Resolves `http://host:port`; the port may be omitted.
async fn resolve(node: &str, url: Option<&str>) -> Result<Option<SocketAddr>, NodeError> {
    let Some(url) = url else { return Ok(None) };
    let unresolved = |source| NodeError::unresolved(node, url, source);
    let uri: http::Uri = url.parse().map_err(|_| unresolved(None))?;
    let host = uri.host().ok_or_else(|| unresolved(None))?.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| unresolved(Some(error)))?;
    let found: Vec<_> = found.collect();
    // `localhost` is both, and most services listen on IPv4.
    let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
    address.map(Some).ok_or_else(|| unresolved(None))
}
