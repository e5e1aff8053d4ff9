//! Listeners of the harness at addresses that stay the same in every run: taps and the OTLP endpoint of nodes that are
//! configured once. Their ports are reserved before anything starts, so that a conflict is one clear error.

use std::net::SocketAddr;

use tokio::time::Instant;

use super::error::RuntimeError;
use super::process::port::{self, AddressError, Port};
use crate::plan::{Plan, TapProtocol};

/// A listener at a fixed address.
pub(super) struct FixedListener {
    pub(super) at: SocketAddr,
    /// As messages name it.
    what: String,
    /// The setting in which another address is written.
    setting: &'static str,
}

/// Returns the listeners of a plan.
pub(super) fn of(plan: &Plan) -> Vec<FixedListener> {
    let taps = plan.taps.iter().filter(|tap| tap.protocol != TapProtocol::Kafka).filter_map(|tap| {
        let (from, to) = (&plan.scenario.node(tap.from).name, &plan.scenario.node(tap.to).name);
        let what = format!("the tap between `{from}` and `{to}`");
        Some(FixedListener { at: tap.listen?, what, setting: "`tap:`" })
    });
    let otlp = plan.scenario.otlp_listen.map(|at| FixedListener {
        at,
        what: "the OTLP endpoint".to_owned(),
        setting: "`otlp:` or `--otlp-listen`",
    });
    taps.chain(otlp).collect()
}

/// Reserves the port of each listener until the result is dropped.
pub(super) async fn reserve(plan: &Plan) -> Result<Vec<Port>, RuntimeError> {
    let mut ports = Vec::new();
    for FixedListener { at, what, setting } in of(plan) {
        let port = if ports.iter().any(|port: &Port| port.number == at.port()) {
            Err(AddressError::Twice)
        } else {
            port::reserve_address(at, Instant::now() + port::OTHER_HARNESS_WITHIN).await
        };
        ports.push(port.map_err(|reason| RuntimeError::FixedAddress { at, what, setting, reason })?);
    }
    Ok(ports)
}
