//! A named port. What arrives at it carries its name, so that a test knows which service sent it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;

use crate::fault::{Fault, FaultPlan, When};
use crate::forward::Forwarder;
use crate::server::accept::accept;
use crate::shared::SharedState;

/// A handle; the port stays open until the collector stops.
#[derive(Clone, Debug)]
pub struct Endpoint {
    state: Arc<EndpointState>,
}

/// The state that connections know about their endpoint.
#[derive(Debug)]
pub struct EndpointState {
    pub name: Arc<str>,
    pub address: SocketAddr,
    pub shared: Arc<SharedState>,
    pub faults: FaultPlan,
    /// Set at most once.
    pub forwarder: OnceLock<Forwarder>,
}

/// The port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("cannot listen on {address} for endpoint `{name}`")]
    Listen { name: Arc<str>, address: SocketAddr, source: io::Error },
    /// There is one with this name, at another address.
    #[error("endpoint `{name}` is at {address} already")]
    Taken { name: Arc<str>, address: SocketAddr },
    #[error("the collector is stopped")]
    Stopped,
}

/// Any free port of the loopback interface.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Endpoint {
    pub fn name(&self) -> &Arc<str> {
        &self.state.name
    }

    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// Returns the URL for `OTEL_EXPORTER_OTLP_ENDPOINT`, whichever the protocol: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Injects a fault into the requests that match; of several faults the first whose turn it is counts.
    pub fn inject(&self, when: When, fault: Fault) {
        self.state.faults.add(when, fault);
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.state.faults.clear();
    }

    /// Forwards each request that arrives from now on, after it was stored and before it is answered; what the
    /// forwarder rejects is answered as rejected. An endpoint has one forwarder: a second one is ignored.
    pub fn forward(&self, forwarder: Forwarder) {
        let _ = self.state.forwarder.set(forwarder);
    }

    /// Opens the port; an endpoint of this name that is open already is given again.
    pub(crate) fn open(
        shared: &Arc<SharedState>,
        runtime: &tokio::runtime::Handle,
        name: &str,
        address: SocketAddr,
    ) -> Result<Self, EndpointError> {
        if *shared.stop.borrow() {
            return Err(EndpointError::Stopped);
        }
        let mut endpoints = shared.endpoints.lock();
        if let Some(state) = endpoints.get(name) {
            let same = address == state.address || address == ANY_PORT;
            let error = || EndpointError::Taken { name: state.name.clone(), address: state.address };
            return same.then(|| Self { state: state.clone() }).ok_or_else(error);
        }
        let name: Arc<str> = name.into();
        let failed = |source| EndpointError::Listen { name: name.clone(), address, source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(failed)?
        };
        let state = Arc::new(EndpointState {
            name: name.clone(),
            address,
            shared: shared.clone(),
            faults: FaultPlan::default(),
            forwarder: OnceLock::new(),
        });
        runtime.spawn(accept(listener, state.clone()));
        endpoints.insert(name, state.clone());
        Ok(Self { state })
    }
}
