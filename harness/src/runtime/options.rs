//! What whoever runs a scenario settles beyond the scenario itself.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::scenario::BrokerKind;

/// The program that answers `relay IMPLEMENTATION`, unless `RuntimeOptions::relay` says otherwise.
pub const UNBROKEN_BIN: &str = "UNBROKEN_BIN";

/// Where brokers and relays run. A scenario does not say: the same file runs in either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Stand-in brokers in this process, relays as processes; only `image:` nodes are containers.
    #[default]
    Embedded,
    /// Real brokers and relays in containers, too.
    Container,
}

impl Kind {
    /// As `--runtime` and `UNBROKEN_RUNTIME` call it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Embedded => "embedded",
            Kind::Container => "container",
        }
    }

    pub fn read(word: &str) -> Option<Kind> {
        [Kind::Embedded, Kind::Container].into_iter().find(|kind| kind.word() == word)
    }
}

#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    pub kind: Kind,
    /// The containers of the run; its cases share them.
    #[cfg(feature = "container")]
    pub containers: super::container::Containers,
    /// Program and first arguments that start a relay; `relay IMPLEMENTATION` is put behind them.
    pub relay: Vec<OsString>,
    /// Relays of a user's own, each in place of an implementation: program and arguments.
    pub own_relays: Vec<(String, Vec<OsString>)>,
    /// Faults that are switched on besides the scenario's own: node and fault.
    pub faults: Vec<(String, String)>,
    /// Services that live in this process, by the name of their node.
    pub in_process: Vec<InProcess>,
    /// Starts a broker of the embedded runtime; `None` where none is built in.
    pub brokers: Option<StartBroker>,
    /// How long a node may take to end after its stop signal, and a relay to become ready.
    pub node_within: Duration,
    /// Captures kept of one case, at most; what is beyond is a gap.
    pub captures: usize,
    /// Keep the values of all fields, not only of propagation fields and markers.
    pub keep_raw: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            #[cfg(feature = "container")]
            containers: super::container::Containers::default(),
            relay: vec![relay_program().into_os_string()],
            own_relays: Vec::new(),
            faults: Vec::new(),
            in_process: Vec::new(),
            brokers: None,
            node_within: Duration::from_secs(10),
            captures: 1_000_000,
            keep_raw: false,
        }
    }
}

/// The variable if it is set, else this program itself. Without either, starting a relay says what is missing.
fn relay_program() -> PathBuf {
    match std::env::var_os(UNBROKEN_BIN) {
        Some(program) => program.into(),
        None => std::env::current_exe().unwrap_or_else(|_| PathBuf::from("unbroken")),
    }
}

pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// Starts one broker on this address, port 0 for any. The stand-ins come from whoever calls (`cli`, `testing`): the
/// judging side names no fixture.
#[derive(Clone)]
pub struct StartBroker(pub Arc<dyn Fn(BrokerKind, SocketAddr) -> Answer<StartedBroker> + Send + Sync>);

/// A broker in this process; it ends when it is dropped.
pub struct StartedBroker {
    pub address: SocketAddr,
    /// What it was asked for and cannot do, one line each; makes a verdict inconclusive.
    pub refusals: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Whatever keeps it running.
    pub held: Box<dyn std::any::Any + Send + Sync>,
}

impl fmt::Debug for StartBroker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("StartBroker")
    }
}

impl fmt::Debug for StartedBroker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StartedBroker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A service in the test's own process, as the builder of the `cargo test` door describes it.
#[derive(Clone)]
pub struct InProcess {
    /// The node that it is.
    pub node: String,
    /// Called once a case, when taps and collector listen.
    pub start: Arc<dyn Fn(Given) -> Answer<Served> + Send + Sync>,
}

/// A service in the test's own process that was started.
#[derive(Clone)]
pub struct Served {
    pub listening: Listening,
    /// Comes back when every ended span and log record has been exported.
    pub flush: Option<Arc<dyn Fn() -> Answer<()> + Send + Sync>>,
}

impl fmt::Debug for Served {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Served").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("InProcess").field("node", &self.node).finish_non_exhaustive()
    }
}

/// What a service in this process is given instead of an environment.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `http://host:port`, gRPC and HTTP alike.
    pub otlp_endpoint: String,
    /// For each neighbour that it calls over HTTP: name and `http://host:port` of the tap.
    pub http: Vec<(String, String)>,
    /// For each neighbour that it calls over gRPC: name and `host:port` of the tap.
    pub grpc: Vec<(String, String)>,
    /// For each broker that it uses: name and what the templates `bootstrap`, `amqp` and `endpoint` stand for.
    pub brokers: Vec<(String, String)>,
}

/// Where the service listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listening {
    pub http: Option<SocketAddr>,
    pub grpc: Option<SocketAddr>,
}
