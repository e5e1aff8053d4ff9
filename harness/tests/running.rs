//! The command over services that run already and were configured once with the addresses of taps and of the endpoint.
//! They are judged as services that the harness starts.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;
mod held_port;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use folder::{Folder, unbroken};
use held_port::HeldPort;

const PASS: Option<i32> = Some(0);
const FAIL: Option<i32> = Some(4);
const INCONCLUSIVE: Option<i32> = Some(5);

/// A service that is ended with its test, and not by the harness.
struct Service {
    process: Child,
    port: u16,
}

impl Service {
    fn start(variables: &[(&str, &str)]) -> Service {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/running/service.py");
        let mut command = Command::new("python3");
        command.arg(file).envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("python3 is installed");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Service { process, port: line.trim().parse().expect("it prints its port when it listens") }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The way in which the shop that already runs was configured.
#[derive(Clone, Copy)]
struct Shop<'a> {
    /// It calls the ledger through the tap.
    wired: bool,
    variables: &'a [(&'a str, &'a str)],
}

/// A shop and a ledger that run already, with a scenario for them.
struct System {
    folder: Folder,
    tap: HeldPort,
    otlp: HeldPort,
    _shop: Service,
    ledger: Option<Service>,
}

impl System {
    fn start(name: &str, shop: Shop<'_>) -> System {
        let (tap, otlp) = (HeldPort::any(), HeldPort::any());
        let endpoint = format!("http://127.0.0.1:{}", otlp.number());
        let ledger = Service::start(&[("NAME", "ledger"), ("OTLP", &endpoint)]);
        let called = if shop.wired { tap.number() } else { ledger.port };
        let calls = format!("http://127.0.0.1:{called}/kept");
        let variables =
            [&[("NAME", "shop"), ("OTLP", &endpoint), ("CALLS", &calls)], shop.variables].concat();
        let shop = Service::start(&variables);
        let folder = Folder::new(name);
        let story = format!(
            "scenario: shop\notlp: {{ listen: {} }}\nnodes:\n  shop: {{ url: 'http://127.0.0.1:{}' }}\n  \
             ledger: {{ url: 'http://127.0.0.1:{}' }}\nhops:\n  \
             order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}\n  \
             record: {{ http: {{ from: shop, to: ledger, method: POST, path: /kept }}, tap: {{ listen: {} }} }}\n\
             drive:\n  - {{ send: order, times: 3, sampled: [true, false] }}\ntimeout: 2s\n",
            otlp.number(),
            shop.port,
            ledger.port,
            tap.number()
        );
        folder.write("story.yaml", &story);
        System { folder, tap, otlp, _shop: shop, ledger: Some(ledger) }
    }

    /// Runs the scenario and returns its exit status and what it printed, on one line.
    fn run(&self, further: &[&str]) -> (Option<i32>, String) {
        let mut command = unbroken(&self.folder.0);
        let output =
            command.args(["run", "story.yaml", "--seed", "7", "--verbose"]).args(further).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), printed.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

#[track_caller]
fn assert_has(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
}

#[test]
fn a_system_that_was_wired_once_is_judged_case_after_case_and_run_after_run() {
    let system = System::start("wired", Shop { wired: true, variables: &[] });
    for _ in 0..2 {
        let (status, printed) = system.run(&[]);
        assert_eq!(status, PASS, "{printed}");
        assert_has(&printed, &["judged 3 of 3", "2 cases: 2 pass"]);
    }
}

#[test]
fn a_context_that_is_lost_is_a_finding_with_the_bytes() {
    let system = System::start("lost", Shop { wired: true, variables: &[("LOSE", "yes")] });
    let (status, printed) = system.run(&[]);
    assert_eq!(status, FAIL, "{printed}");
    assert_has(&printed, &["not-injected at `record`, broken by the sender `shop`", "2 cases: 2 fail"]);
}

#[test]
fn spans_of_other_users_do_not_disturb() {
    let system = System::start("traffic", Shop { wired: true, variables: &[("TRAFFIC", "yes")] });
    let (status, printed) = system.run(&[]);
    assert_eq!(status, PASS, "{printed}");
}

#[test]
fn a_caller_that_is_not_wired_to_its_tap_is_not_blamed_and_spans_are_judged() {
    let system = System::start("not-wired", Shop { wired: false, variables: &[] });
    let (status, printed) = system.run(&["--filter", "sampled=true"]);
    assert_eq!(status, INCONCLUSIVE, "{printed}");
    let asked = format!(
        "`record`: the tap at 127.0.0.1:{} saw no connection: is `shop` configured to reach `ledger` there? It is judged by \
         spans alone; no bytes were seen",
        system.tap.number()
    );
    assert_has(&printed, &[&asked, "judged 3 of 3"]);
    assert!(!printed.contains("broken by"), "{printed}");
}

#[test]
fn a_caller_that_is_not_wired_and_loses_its_context_is_inconclusive() {
    let system = System::start("not-wired-lost", Shop { wired: false, variables: &[("LOSE", "yes")] });
    let (status, printed) = system.run(&["--filter", "sampled=true"]);
    assert_eq!(status, INCONCLUSIVE, "{printed}");
    assert_has(&printed, &["saw no connection", "? └─ record shop → ledger POST /kept http child"]);
    assert!(!printed.contains(", broken by"), "{printed}");
}

#[test]
fn a_receiver_that_is_gone_is_named_and_its_caller_is_wired() {
    let mut system = System::start("gone", Shop { wired: true, variables: &[] });
    system.ledger = None;
    let (status, printed) = system.run(&["--filter", "sampled=true"]);
    assert_eq!(status, INCONCLUSIVE, "{printed}");
    assert_has(&printed, &["between `shop` and `ledger`: cannot connect to the receiver"]);
    assert!(!printed.contains("saw no connection"), "{printed}");
}

#[test]
fn an_address_in_use_is_an_error_that_names_its_listener() {
    let system = System::start("in-use", Shop { wired: true, variables: &[] });
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let (status, printed) = system.run(&["--otlp-listen", &at.to_string()]);
    assert_eq!(status, INCONCLUSIVE, "{printed}");
    let named = format!("(process {}) listens there", std::process::id());
    assert_has(
        &printed,
        &[&format!("cannot listen at {at} for the OTLP endpoint"), &named, "2 could not run"],
    );
}

#[test]
fn a_service_that_exports_with_another_name_is_named() {
    let system = System::start("renamed", Shop { wired: true, variables: &[("NAME", "shop-api")] });
    let (status, printed) = system.run(&["--filter", "sampled=true"]);
    assert_eq!(status, INCONCLUSIVE, "{printed}");
    let named = format!(
        "no span with the `service.name` `shop` arrived at 127.0.0.1:{}, but spans of the story came from `shop-api`",
        system.otlp.number()
    );
    assert_has(&printed, &[&named]);
}
