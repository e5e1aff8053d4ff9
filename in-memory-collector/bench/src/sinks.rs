//! Starts a sink in a process of its own, pinned to the first core, and reads what it costs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The programs that are compared. A peer that is not installed is omitted, with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ours,
    /// Ours, cleared every 20 ms, so that nothing is kept.
    OursDropping,
    MockCollector,
    FakeCollector,
    /// From PyPI; path in `BENCH_ROTEL`. Exporter `blackhole`: keeps nothing.
    Rotel,
    /// Built in `otelcol/`; path in `BENCH_OTELCOL`. Exporter `nop`: keeps nothing.
    Otelcol,
}

impl Kind {
    pub const ALL: [Kind; 6] = [
        Kind::Ours,
        Kind::OursDropping,
        Kind::MockCollector,
        Kind::FakeCollector,
        Kind::Rotel,
        Kind::Otelcol,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::OursDropping => "ours-dropping",
            Kind::MockCollector => "mock-collector",
            Kind::FakeCollector => "fake-opentelemetry-collector",
            Kind::Rotel => "rotel",
            Kind::Otelcol => "otelcol",
        }
    }
}

#[derive(Debug)]
pub struct Sink {
    child: Child,
    pipe: Option<(ChildStdin, BufReader<ChildStdout>)>,
    pub address: SocketAddr,
}

fn on_first_core(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

impl Sink {
    /// Starts a sink for `protocol`, which is `grpc`, `http-protobuf` or `http-json`; `None` if this sink does not
    /// support it or is not installed.
    pub fn start(kind: Kind, protocol: &str) -> Option<Self> {
        match kind {
            Kind::FakeCollector if protocol != "grpc" => None,
            Kind::Rotel => Self::start_rotel(protocol),
            Kind::Otelcol => Self::start_otelcol(protocol),
            _ => Some(Self::start_piped(kind, protocol)),
        }
    }

    fn start_piped(kind: Kind, protocol: &str) -> Self {
        let program =
            PathBuf::from(std::env::var_os("BENCH_SINK").expect("the path of `sink`, set by the benchmark"));
        let mut command = on_first_core(&program);
        command.args([kind.name(), protocol]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("taskset");
        let input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a port");
        let port: u16 = line.trim().parse().expect("a port");
        Self { child, pipe: Some((input, output)), address: ([127, 0, 0, 1], port).into() }
    }

    fn start_rotel(protocol: &str) -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("BENCH_ROTEL")?);
        let (grpc, http) = (free_port(), free_port());
        let mut command = on_first_core(&program);
        command.args(["start", "--exporter", "blackhole", "--otlp-grpc-max-recv-msg-size-mib", "64"]);
        command.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")]);
        command.args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")]);
        Self::start_quiet(command, if protocol == "grpc" { grpc } else { http })
    }

    fn start_otelcol(protocol: &str) -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("BENCH_OTELCOL")?);
        let (grpc, http) = (free_port(), free_port());
        let mut command = on_first_core(&program);
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("otelcol/config.yaml");
        command.arg("--config").arg(config).env("GOMAXPROCS", "1");
        command.env("GRPC_PORT", grpc.to_string()).env("HTTP_PORT", http.to_string());
        Self::start_quiet(command, if protocol == "grpc" { grpc } else { http })
    }

    fn start_quiet(mut command: Command, port: u16) -> Option<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(15) {
                return None;
            }
            std::thread::yield_now();
        }
        Some(Self { child, pipe: None, address })
    }

    /// Forgets what is kept; nothing for sinks that keep nothing.
    pub fn clear(&mut self) {
        if let Some((input, output)) = &mut self.pipe {
            writeln!(input, "clear").expect("the sink lives");
            output.read_line(&mut String::new()).expect("the sink lives");
        }
    }

    /// Returns the processor time of all its threads so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the sink lives");
        let nanos = threads.flatten().filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        nanos.sum::<u64>() as f64 / 1e9
    }

    /// Returns the resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the sink lives");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
