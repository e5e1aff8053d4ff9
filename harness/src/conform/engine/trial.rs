//! The trials of a run: each vector of each selected requirement over each route.

use std::collections::BTreeSet;

use super::request::{self, CallAddresses};
use super::{Options, forwarding, propagation};
use crate::conform::judge::VectorExchange;
use crate::conform::selection::SelectedRequirement;
use crate::conform::suite::{Configuration, Vector};
use crate::conform::target::Address;
use crate::conform::transport::{self, TransportKind, TransportRoute};
use crate::plan::Seed;
use crate::scenario::Role;

pub(super) fn trials<'a>(
    wanted: &'a SelectedRequirement,
    chosen: &[TransportRoute],
) -> impl Iterator<Item = Trial<'a>> {
    let over = &wanted.requirement.over;
    let routes = routes_of(over, chosen);
    wanted.vectors.iter().flat_map(move |vector| {
        let is_participant = wanted.requirement.role == Role::Participant;
        let possible = routes.iter().filter(|route| is_participant || route.is_forwarded());
        let fitting = possible.filter(|route| transport::fit(vector, over, **route));
        let fitting: Vec<TransportRoute> = fitting.copied().collect();
        fitting.into_iter().map(move |route| Trial { wanted, vector, route })
    })
}

/// Returns the chosen routes, and those that a requirement is about: each of its transports beside HTTP/1.1.
pub(super) fn routes_of(over: &[TransportKind], chosen: &[TransportRoute]) -> BTreeSet<TransportRoute> {
    let own = over.iter().flat_map(|carrier| TransportRoute::among(&[*carrier]));
    chosen.iter().copied().chain(own).collect()
}

/// One vector of a selected requirement, over one route.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub wanted: &'a SelectedRequirement,
    pub vector: &'a Vector,
    pub route: TransportRoute,
}

impl Trial<'_> {
    pub fn group(&self) -> (Role, &Configuration) {
        (self.wanted.requirement.role, &self.vector.configuration)
    }

    /// Returns the request as a command of a shell; empty where it is not HTTP/1.1.
    pub fn curl(&self, address: &Address, exchange: &VectorExchange, addresses: CallAddresses<'_>) -> String {
        if let Some(propagation) = &self.vector.propagation {
            return propagation::curl(
                address,
                &propagation::body(propagation, self.vector, &exchange.minted),
            );
        }
        let is_http = self.route.inward == TransportKind::Http1;
        if self.wanted.requirement.role == Role::Forwarder {
            let address = address.with_path(addresses.listener.path(addresses.key, 0));
            let body = forwarding::body(addresses);
            return if is_http { request::curl(&address, exchange, &body) } else { String::new() };
        }
        let body = addresses.body(&self.vector.steps, &exchange.minted);
        if is_http { request::curl(address, exchange, &body) } else { String::new() }
    }

    /// Returns the seed of its ids. Over HTTP/1.1 it does not depend on the other transports of the run.
    pub fn seed(&self, options: &Options) -> Seed {
        let title = format!("{}/{}", self.wanted.requirement.id, self.vector.name);
        let seed = Seed(options.seed).part(&title);
        if self.route == TransportRoute::HTTP { seed } else { seed.part(&self.route.words()) }
    }
}
