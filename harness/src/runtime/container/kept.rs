//! What `--keep` leaves running, and where it is reached then.
//!
//! Taps, stubs and the collector end with the run: a service that is left finds nobody at the addresses that it was
//! told.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::future::join_all;
use testcontainers::bollard::models::ContainerSummary;
use tokio::time::timeout;

use super::asked::ANSWER_WITHIN;
use super::engine::{Engine, lock};
use super::error::EngineError;
use super::images::Part;
use super::process_identity::{CASE, PART};
use super::{Kept, remove};

/// What `--keep` has to know of containers, by their ids.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// The port in there that somebody listens on, and where this machine saw it.
    serves: HashMap<String, (u16, Option<SocketAddr>)>,
    /// We asked them to end, so that they flush.
    asked_to_end: HashSet<String>,
}

impl Engine {
    pub(super) fn serves(&self, id: &str, inside: u16, at: Option<SocketAddr>) {
        lock(&self.left).serves.insert(id.to_owned(), (inside, at));
    }

    pub(super) fn asked_to_end(&self, id: &str) {
        lock(&self.left).asked_to_end.insert(id.to_owned());
    }

    /// The containers of the run, and where this machine reaches them. What was asked to end, so that it flushes, is
    /// started again first.
    pub(super) async fn kept(&self) -> Result<Vec<Kept>, EngineError> {
        let (docker, run) = (self.docker.clone(), self.run.clone());
        let asked = std::mem::take(&mut lock(&self.left).asked_to_end);
        let listed = self.on_threads(async move {
            let starting = asked.iter().map(|id| docker.start_container(id, None));
            // What does not start stays as it is.
            let _ = timeout(ANSWER_WITHIN, join_all(starting)).await;
            remove::of_run(&docker, &run).await
        });
        let listed = listed.await??;
        let mut all: Vec<Kept> = listed.into_iter().map(|container| self.one_kept(container)).collect();
        all.sort_by(|one, two| (&one.case, &one.part).cmp(&(&two.case, &two.part)));
        Ok(all)
    }

    fn one_kept(&self, container: ContainerSummary) -> Kept {
        let networks = container.network_settings.and_then(|settings| settings.networks);
        let own = networks.and_then(|networks| networks.get(&self.network())?.ip_address.clone());
        let own = own.and_then(|address| address.parse::<IpAddr>().ok());
        let served = container.id.and_then(|id| lock(&self.left).serves.get(&id).copied());
        let ports = container.ports.unwrap_or_default();
        let address = served.and_then(|(inside, at)| {
            let published = || ports.iter().find(|port| port.private_port == inside)?.public_port;
            match (self.reach.direct, own) {
                (true, Some(own)) => Some(SocketAddr::new(own, inside)),
                // In a pod it has the address of another container.
                (true, None) => at,
                (false, _) => published().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            }
        });
        let name = container.names.unwrap_or_default().into_iter().next().unwrap_or_default();
        let mut labels = container.labels.unwrap_or_default();
        let (part, case) = (labels.remove(PART).unwrap_or_default(), labels.remove(CASE));
        let address = address.map(|address| {
            let address = address.to_string();
            Part::read(&part).map_or(address.clone(), |known| known.url(&address))
        });
        Kept { part, case, name: name.trim_start_matches('/').to_owned(), address }
    }
}
