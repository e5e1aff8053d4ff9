//! The command line of `unbroken conform`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::report_file::ConformanceReportFile;
use crate::cli::argument_value::{duration, whole};
use crate::history::Shard;

/// Try a tracing SDK or service against the requirements of the standards, one verdict for each
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConformArguments {
    /// A running service (`http://host:port/path`), a target file (`acme.yaml`), or a built-in relay: `relay:model`,
    /// `relay:rust`
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// A command that starts the service; it gets `PORT` and `RELAY_HTTP_ADDR`, `${self.port}` stands for the port
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// A container image of the service, run with `docker` or `podman` in the network of this machine (Linux)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "command"])]
    pub image: Option<String>,
    /// Try only these requirements, families or vectors: `TP-12`, `TP`, `TP-12/version.upper-ff`
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Try only these suites; suites of other formats are tried only when they are named here; `all` tries every suite
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub suite: Vec<String>,
    /// Try one of N parts of the requirements; `unbroken merge` makes one report of all parts
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Try the requirements up to this level of the W3C documents
    #[arg(long, value_name = "LEVEL", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub level: u8,
    /// Fail on a SHOULD that is not met
    #[arg(long)]
    pub strict: bool,
    /// Try the vectors over these transports, in each combination of the way in and the way out, beside HTTP/1.1:
    /// `http/2`, `grpc`, `kafka`, `rabbitmq`, `sqs`, or `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub transport: Vec<String>,
    /// Judge the wire alone, without the spans that the target exports
    #[arg(long)]
    pub wire_only: bool,
    /// List the selected requirements without trying them
    #[arg(long)]
    pub list: bool,
    /// Derive ids from this seed; each run prints its seed
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// The number of requests in progress at the same time
    #[arg(long, short, value_name = "N", default_value = "8", value_parser = whole::<NonZeroUsize>)]
    pub jobs: NonZeroUsize,
    /// The time limit of one request: `500ms`, `30s`
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// The time in which a target that is started must be ready
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub ready_within: Duration,
    /// The address that receives the calls of the target
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The host name by which the target reaches that address
    #[arg(long, value_name = "NAME")]
    pub callback_host: Option<String>,
    /// Enable a fault in `relay:model`, to check that it is found
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub fault: Vec<String>,
    /// Also write a report: `json=FILE`, `junit=FILE`, `markdown=FILE`, `html=FILE`, `github[=FILE]`; `-` is standard
    /// output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',')]
    pub report: Vec<ConformanceReportFile>,
    /// A file of accepted deviations, each with its reason; `unbroken explain conform` describes it
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the deviations of this run to a file of accepted deviations
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Fail when an accepted deviation no longer occurs
    #[arg(long)]
    pub strict_baseline: bool,
    /// Compare two JSON reports instead of running
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["target", "command", "list"])]
    pub diff: Vec<PathBuf>,
    /// Also show requirements that passed
    #[arg(long, short)]
    pub verbose: bool,
}

const EXAMPLES: &str = "\
The service answers `POST` with a JSON array of steps by calling the `url` of each step, as in the W3C trace-context
test suite. `fixtures/CONTRACT.md` has the details.

Examples:
  unbroken conform http://127.0.0.1:5000/            a running service
  unbroken conform http://127.0.0.1:5000/ -- python3 service.py
  unbroken conform -- node service.js '${self.port}'  one process for each configuration
  unbroken conform --image registry.example/acme:1   an image; the service listens at `PORT`
  unbroken conform acme.yaml                         a target file; `unbroken schema target` describes it
  unbroken conform relay:rust --report html=out/report.html
  unbroken conform relay:model --fault inject-nothing
  unbroken conform relay:rust --transport kafka,grpc  over Kafka and gRPC, in each direction
  unbroken conform relay:rust --suite b3             B3 in place of W3C Trace Context
  unbroken conform --list --suite all
  unbroken conform acme.yaml --baseline known.json   accepted deviations do not fail
  unbroken conform --diff last-week.json today.json";
