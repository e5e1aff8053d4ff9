//! The command, killed at random moments of runs with relays, brokers, a stubborn service and a certificate authority:
//! no process, no port and no temporary file stays.
//!
//! `UNBROKEN_KILLS` sets the number of kills, `UNBROKEN_FUZZ_SEED` the moments.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed test panics")]
#![allow(clippy::print_stdout, reason = "the seed and the moment are part of the failure of a test")]

mod folder;
mod held_port;

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fuzz_cases::{Random, seed};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use folder::{Folder, unbroken};
use held_port::HeldPort;

const SOON: Duration = Duration::from_secs(30);
/// A run lasts about so long; some kills come after its end.
const LONGEST_MS: usize = 4_000;
/// Inherited by everything that the command starts.
const MARK: &str = "UNBROKEN_TEST_KILLED";
const SIGNALS: [Signal; 3] = [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT];

/// A service with a fixed port that ignores signals and leaves processes in its own session and in another.
fn stubborn(port: u16) -> String {
    format!(
        "scenario: stubborn\nnodes:\n  bank: {{ url: \"http://127.0.0.1:9\", telemetry: none }}\n  shop:\n    \
         command: [python3, stubborn.py, '${{self.port}}']\n    port: {port}\n    telemetry: none\nhops:\n  \
         order: {{ http: {{ from: client, to: shop }} }}\n  pay: {{ http: {{ from: client, to: bank, tls: true }} }}\n\
         drive:\n  - {{ send: order, times: 3 }}\n  - send: pay\n"
    )
}

const STUBBORN: &str = "\
import http.server, os, signal, subprocess, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen(['sleep', '600'])
subprocess.Popen(['sleep', '600'], start_new_session=True)
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
";

/// Returns the processes that have the mark in their environment.
fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}").into_bytes();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == wanted) {
            let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(format!("{:?}: {}", entry.file_name(), command.escape_ascii()));
        }
    }
    found
}

/// Waits for a condition that can only be polled, such as the end of a process that is not ours.
fn until_empty(what: &str, look: impl Fn() -> Vec<String>) {
    let deadline = Instant::now() + SOON;
    let mut left = look();
    while !left.is_empty() {
        assert!(Instant::now() < deadline, "{what} after {SOON:?}: {left:#?}");
        std::thread::yield_now();
        left = look();
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Starts a run, sends the signal at the moment unless the run has ended, and returns how it ended.
fn killed(folder: &Folder, mark: &str, signal: Signal, after: Duration) -> ExitStatus {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
    let mut command = unbroken(&folder.0);
    command.args(["run", "stubborn.yaml", scenarios, "--jobs", "8", "--timeout", "5s"]);
    for case in ["stubborn", "five-transports", "interleaved", "batch-with-links"] {
        command.args(["--filter", case]);
    }
    command.env(MARK, mark).env("TMPDIR", folder.0.join("temporary"));
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let (send, ended) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        let _ = send.send(());
        output
    });
    if ended.recv_timeout(after).is_err() {
        // It may have ended just now.
        let _ = kill(pid, signal);
        ended.recv_timeout(SOON).unwrap_or_else(|_| panic!("the run ends after {signal}"));
    }
    let output = waiting.join().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!printed.contains("panicked"), "{printed}");
    output.status
}

#[test]
fn nothing_stays_whenever_a_run_is_killed() {
    let kills: u32 = std::env::var("UNBROKEN_KILLS").map_or(9, |kills| kills.parse().expect("a number"));
    let mut random = Random::seeded(seed());
    let folder = Folder::new("random");
    let held = HeldPort::any();
    let port = held.number();
    folder.write("stubborn.py", STUBBORN);
    folder.write("stubborn.yaml", &stubborn(port));
    std::fs::create_dir_all(folder.0.join("temporary")).unwrap();
    let mut by_signal = 0;
    for number in 0..kills {
        let signal = random.pick(&SIGNALS);
        let after = Duration::from_millis(u64::try_from(random.below(LONGEST_MS)).unwrap());
        println!("kill {number} of seed {}: {signal} after {after:?}", seed());
        let mark = format!("{}-{number}", std::process::id());
        let status = killed(&folder, &mark, signal, after);
        by_signal += u32::from(status.signal().is_some());
        // 5 is an interrupted run, or the inconclusive end of one that ended before.
        assert!(status.code().is_none_or(|code| code == 5), "{status}");
        until_empty("processes that stayed", || marked(&mark));
        until_empty("temporary files that stayed", || files(&folder.0.join("temporary")));
        // A process gives up its environment before its sockets.
        until_empty("the listener that stayed", || {
            TcpListener::bind(("127.0.0.1", port)).err().map(|error| error.to_string()).into_iter().collect()
        });
    }
    println!("{kills} kills, {by_signal} ended by the signal itself");
}
