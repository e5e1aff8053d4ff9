//! The caller's settings of a run, beyond the scenario itself.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::node_addresses::NodeAddresses;
use crate::evidence::GroupPositions;
use crate::masking::FieldMask;
use crate::scenario::BrokerKind;

/// Names the program that is started as `PROGRAM relay IMPLEMENTATION`, unless `RuntimeOptions::relay` does.
pub const UNBROKEN_BIN: &str = "UNBROKEN_BIN";

/// The place where brokers and relays run. A scenario does not decide that: the same file runs in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeKind {
    /// Stand-in brokers in this process, relays as processes; only `image:` nodes are containers.
    #[default]
    Embedded,
    /// Real brokers and relays, both in containers.
    Container,
}

impl RuntimeKind {
    /// Returns the word that `--runtime` and `UNBROKEN_RUNTIME` use.
    pub fn word(self) -> &'static str {
        match self {
            RuntimeKind::Embedded => "embedded",
            RuntimeKind::Container => "container",
        }
    }

    /// Parses the word that `word` returns.
    pub fn parse(word: &str) -> Option<RuntimeKind> {
        [RuntimeKind::Embedded, RuntimeKind::Container].into_iter().find(|kind| kind.word() == word)
    }
}

/// The caller's settings of a run, beyond the scenario itself.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    pub kind: RuntimeKind,
    /// The containers of the run, which its cases share.
    #[cfg(feature = "container")]
    pub containers: super::container::Containers,
    /// The program and first arguments that start a relay; `relay IMPLEMENTATION` is appended.
    pub relay: Vec<OsString>,
    /// Relays of the user's own by the implementation that they replace: program and arguments.
    pub own_relays: Vec<(String, Vec<OsString>)>,
    /// Faults to switch on besides the scenario's own: node and fault.
    pub faults: Vec<(String, String)>,
    /// Services in this process.
    pub in_process: Vec<InProcessService>,
    /// Starts a broker of the embedded runtime; `None` in a build without brokers.
    pub brokers: Option<BrokerStarter>,
    /// The time that a node may take to end after its stop signal, and a relay to become ready.
    pub node_within: Duration,
    /// The most captures that are kept of one case; a gap is recorded for the rest.
    pub captures: usize,
    /// Keeps the values of all fields, not only of propagation fields and markers.
    pub keep_raw: bool,
    /// The fields whose values are masked.
    pub mask: FieldMask,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            kind: RuntimeKind::default(),
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
            mask: FieldMask::default(),
        }
    }
}

/// Returns the program that `UNBROKEN_BIN` names, else this program itself.
fn relay_program() -> PathBuf {
    match std::env::var_os(UNBROKEN_BIN) {
        Some(program) => program.into(),
        None => std::env::current_exe().unwrap_or_else(|_| PathBuf::from("unbroken")),
    }
}

/// An error of the caller's own code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The future that closures of the caller return.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Starts one broker on this address; port 0 means any. The callers (`cli`, `testing`) bring the stand-ins: the judging
/// side names no fixture.
#[derive(Clone)]
pub struct BrokerStarter(pub Arc<dyn Fn(BrokerKind, SocketAddr) -> BoxFuture<RunningBroker> + Send + Sync>);

/// Creates a topic with a number of partitions in a broker of this process.
pub type TopicCreator = Arc<dyn Fn(&str, i32) -> Result<(), BoxError> + Send + Sync>;

/// A broker in this process; it ends when it is dropped.
pub struct RunningBroker {
    pub address: SocketAddr,
    /// Returns the requests that it does not support, one line each; they make a verdict inconclusive.
    pub refusals: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// The positions of consumer groups, if the broker knows it.
    pub positions: Option<GroupPositions>,
    /// Creates a topic of so many partitions, if the broker has topics and a client is not needed for it.
    pub create_topic: Option<TopicCreator>,
    /// Keeps it running.
    pub held: Box<dyn std::any::Any + Send + Sync>,
}

impl fmt::Debug for BrokerStarter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BrokerStarter")
    }
}

impl fmt::Debug for RunningBroker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RunningBroker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A service in the test's own process.
#[derive(Clone)]
pub struct InProcessService {
    /// The name of its node.
    pub node: String,
    /// Called once for each case, when taps and collector listen.
    pub start: Arc<dyn Fn(ServiceEnvironment) -> BoxFuture<RunningService> + Send + Sync>,
}

/// A service in the test's own process that runs.
#[derive(Clone)]
pub struct RunningService {
    pub listening: NodeAddresses,
    /// Resolves when every ended span and log record has been exported.
    pub flush: Option<Arc<dyn Fn() -> BoxFuture<()> + Send + Sync>>,
}

impl fmt::Debug for RunningService {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RunningService").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl fmt::Debug for InProcessService {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("InProcessService").field("node", &self.node).finish_non_exhaustive()
    }
}

/// The addresses that a service in this process gets, instead of environment variables.
#[derive(Clone, Debug, Default)]
pub struct ServiceEnvironment {
    /// `http://host:port`, gRPC and HTTP alike.
    pub otlp_endpoint: String,
    /// For each neighbour that it calls over HTTP: its name, and `http://host:port` of the tap.
    pub http: Vec<(String, String)>,
    /// For each neighbour that it calls over gRPC: its name, and `host:port` of the tap.
    pub grpc: Vec<(String, String)>,
    /// For each broker that it uses: its name, and the value of the template `bootstrap`, `amqp` or `endpoint`.
    pub brokers: Vec<(String, String)>,
}
