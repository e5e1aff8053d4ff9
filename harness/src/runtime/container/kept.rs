//! Lists what `--keep` leaves running, and where it is reached.
//!
//! Taps, stubs and the collector end with the run: a service that is left finds nobody at the addresses it was given.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::future::join_all;
use testcontainers::bollard::models::ContainerSummary;
use tokio::time::timeout;

use super::engine::Engine;
use super::error::EngineError;
use super::images::ImagePurpose;
use super::labels::{CASE, PART};
use super::remove;
use super::time_limit::ANSWER_WITHIN;

/// A container that `--keep` has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContainer {
    pub part: String,
    /// The title of its case; `None` where cases share it.
    pub case: Option<String>,
    pub name: String,
    /// The address at which this machine reaches it, if any.
    pub address: Option<String>,
}

/// Returns the containers of the run. Those that were stopped so that they flush are started again first.
pub(super) async fn list(engine: &Engine) -> Result<Vec<KeptContainer>, EngineError> {
    let (docker, run) = (engine.docker.clone(), engine.run.clone());
    let stopped = engine.keep_state.lock().take_stopped();
    let listing = engine.on_threads(async move {
        let starting = stopped.iter().map(|id| docker.start_container(id, None));
        // What does not start stays as it is.
        let _ = timeout(ANSWER_WITHIN, join_all(starting)).await;
        remove::containers_of_run(&docker, &run).await
    });
    let containers = listing.await??;
    let mut all: Vec<KeptContainer> = containers.into_iter().map(|one| kept(engine, one)).collect();
    all.sort_by(|one, two| (&one.case, &one.part).cmp(&(&two.case, &two.part)));
    Ok(all)
}

fn kept(engine: &Engine, container: ContainerSummary) -> KeptContainer {
    let networks = container.network_settings.and_then(|settings| settings.networks);
    let own = networks.and_then(|networks| networks.get(&engine.network())?.ip_address.clone());
    let own = own.and_then(|address| address.parse::<IpAddr>().ok());
    let served = container.id.and_then(|id| engine.keep_state.lock().served_port(&id));
    let ports = container.ports.unwrap_or_default();
    let address = served.and_then(|(inside, at)| match (engine.reach.direct, own) {
        (true, Some(own)) => Some(SocketAddr::new(own, inside)),
        // In a pod it has the address of another container.
        (true, None) => at,
        (false, _) => {
            let published = ports.iter().find(|port| port.private_port == inside)?.public_port;
            published.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        }
    });
    let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
    let mut labels = container.labels.unwrap_or_default();
    let (part, case) = (labels.remove(PART).unwrap_or_default(), labels.remove(CASE));
    let address = address.map(|address| {
        let address = address.to_string();
        ImagePurpose::parse(&part).map_or(address.clone(), |known| known.url(&address))
    });
    KeptContainer { part, case, name: name.trim_start_matches('/').to_owned(), address }
}
