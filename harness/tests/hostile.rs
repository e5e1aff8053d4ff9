//! Hostile clients and servers over every protocol: the run ends with a verdict that blames nobody, prints no panic,
//! and holds a bounded amount of memory.
//!
//! The peers are Python programs of `hostile/`: half requests, hang-ups in the middle of a body, resets, floods,
//! lengths beyond any memory, and garbage. A hostile client shares a broker with an innocent service, which is judged.

#![cfg(all(
    feature = "kafka",
    feature = "rabbitmq",
    feature = "sqs",
    feature = "brokers",
    feature = "relays"
))]
#![allow(clippy::unwrap_used, reason = "a failed test panics")]
#![allow(clippy::print_stdout, reason = "the measured memory is recorded in BENCHMARKS.md")]

mod folder;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use folder::{Folder, unbroken};
use serde_json::Value;

const ATTACKS: &str = include_str!("hostile/attacks.py");
const CLIENT: &str = include_str!("hostile/client.py");
const SERVER: &str = include_str!("hostile/server.py");

/// The most that a run may hold beyond an idle one, in MiB.
const ROOM: u64 = 200;

/// The smallest story, to measure what an idle run holds.
const IDLE: &str = "scenario: idle\nnodes:\n  shop: { relay: model }\nhops:\n  \
                    order: { http: { from: client, to: shop } }\ndrive:\n  - send: order\n";

/// Returns a story whose shop attacks a target before it answers. `more` are further keys of the shop, nodes and hops;
/// the drives of the story are its own and `innocent`.
fn hostile_client(attack: &str, target: &str, nodes: &str, hops: &str, drive: &str) -> String {
    format!(
        "scenario: {attack}-client\nnodes:\n  shop:\n    command: [python3, client.py, '${{self.port}}']\n    \
         telemetry: none\n    env: {{ ATTACK: {attack}, TARGET: '{target}'{nodes}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST }} }}\n{hops}drive:\n  - send: order\n{drive}\
         expect: [hops.crossed, hops.keep-relation]\n"
    )
}

/// Returns a story with a broker that the shop attacks and an innocent billing uses.
fn hostile_broker_client(attack: &str, broker: &str, address: &str, destination: &str) -> String {
    let nodes =
        format!(" }}\n  shelf: {{ stub: {{}} }}\n  billing: {{ relay: model }}\n  bus: {{ {broker}: {{}} }}");
    let hops = format!(
        "  attack: {{ {broker}: {{ from: shop, to: shelf, via: bus, {destination}: a }}, times: {{ min: 0, max: 9999 }}, \
         relation: link }}\n  innocent: {{ {broker}: {{ from: client, to: billing, via: bus, {destination}: b }} }}\n"
    );
    hostile_client(
        attack,
        &format!("${{bus.{address}}}"),
        &nodes,
        &hops,
        "  - { send: innocent, times: 3 }\n",
    )
}

/// Returns a story whose shop answers hostile bytes, to the client and to an innocent relay.
fn hostile_server(name: &str, speaks: &str, hop: &str) -> String {
    format!(
        "scenario: {name}-server\nnodes:\n  gate: {{ relay: model }}\n  shop:\n    \
         command: [python3, server.py, '${{self.port}}']\n    telemetry: none\n    env: {{ SPEAKS: {speaks} }}\n\
         hops:\n  order: {{ {hop}: {{ from: client, to: shop{} }} }}\n  \
         innocent: {{ http: {{ from: client, to: gate, method: POST }} }}\n  ask: {{ {hop}: {{ from: gate, to: shop{} }}, \
         within: innocent }}\ndrive:\n  - {{ send: order, times: 24, concurrency: 6, within: 2s }}\n  \
         - {{ send: innocent, times: 12, concurrency: 6, within: 2s }}\nexpect: [hops.keep-relation]\n",
        if hop == "grpc" { ", method: a.B/C" } else { ", method: GET, path: /a" },
        if hop == "grpc" { "" } else { ", method: POST, path: /b" },
    )
}

/// Returns a story with a broker that answers hostile bytes.
fn broker_as_server(broker: &str, scheme: &str, destination: &str, at: SocketAddr) -> String {
    format!(
        "scenario: {broker}-server\nnodes:\n  billing: {{ relay: model }}\n  \
         bus: {{ {broker}: {{ address: '{scheme}{at}' }} }}\nhops:\n  \
         order: {{ {broker}: {{ from: client, to: billing, via: bus, {destination}: a }} }}\ndrive:\n  - send: order\n"
    )
}

/// Starts a server that answers each connection with the next of these, and closes it.
fn listen(answers: &'static [&'static [u8]]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the process of the test.
    std::thread::spawn(move || {
        for (stream, answer) in listener.incoming().zip(answers.iter().cycle()) {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
            let _ = stream.write_all(answer);
        }
    });
    address
}

const KAFKA_ANSWERS: &[&[u8]] =
    &[b"", b"\x7f\xff\xff\xff\0\0\0\x01", b"\0\0\0\x08\0\0\0\x01\x7f\xff\xff\xff", &[0xff; 300]];
const AMQP_ANSWERS: &[&[u8]] =
    &[b"", b"AMQP\0\0\x09\x01", b"\x01\0\0\xff\xff\xff\xff\0\x0a\0\x0a", &[0x41; 300]];
const SQS_ANSWERS: &[&[u8]] = &[
    b"",
    b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n[[[[",
    &[0xff; 300],
];

/// Returns the largest resident size that any child of this test had, in MiB. A child counts when it was waited for, so
/// that later peaks are at least as large as earlier ones.
fn peak_of_children() -> u64 {
    // SAFETY: `usage` is valid for writes, and zero is a valid value of every field.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage), 0);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap() / 1024
}

fn stories() -> Vec<String> {
    let stub = " }\n  shelf: { stub: {} }";
    let called = ", CALLS: '${shelf.url}' }\n  shelf: { stub: {} }";
    let keep = "  keep: { http: { from: shop, to: shelf, method: POST, path: /kept } }\n";
    let record =
        "  record: { grpc: { from: shop, to: shelf, method: a.B/C }, times: { min: 0, max: 9999 } }\n";
    vec![
        hostile_client("http1", "${shelf.url}", called, keep, ""),
        hostile_client("http2", "${shelf.grpc}", stub, record, ""),
        hostile_client("otlp", "${otlp.endpoint}", " }", "", "").replace("    telemetry: none\n", ""),
        hostile_broker_client("kafka", "kafka", "bootstrap", "topic"),
        hostile_broker_client("amqp", "rabbitmq", "amqp", "queue"),
        hostile_broker_client("sqs", "sqs", "endpoint", "queue"),
        hostile_server("http1", "http1", "http"),
        hostile_server("http2", "http2", "http").replace("path: /a }", "path: /a, version: 2 }"),
        hostile_server("grpc", "http2", "grpc"),
        broker_as_server("kafka", "", "topic", listen(KAFKA_ANSWERS)),
        broker_as_server("rabbitmq", "amqp://", "queue", listen(AMQP_ANSWERS)),
        broker_as_server("sqs", "http://", "queue", listen(SQS_ANSWERS)),
    ]
}

#[test]
fn hostile_peers_change_no_verdict_and_cost_little_memory() {
    let folder = Folder::new("peers");
    folder.write("idle.yaml", IDLE);
    let idle = unbroken(&folder.0).args(["run", "idle.yaml"]).output().unwrap();
    assert_eq!(idle.status.code(), Some(0), "{}", String::from_utf8_lossy(&idle.stdout));
    let before = peak_of_children();
    for (name, text) in [("attacks.py", ATTACKS), ("client.py", CLIENT), ("server.py", SERVER)] {
        folder.write(name, text);
    }
    std::fs::create_dir(folder.0.join("stories")).unwrap();
    let stories = stories();
    for (number, story) in stories.iter().enumerate() {
        let story = story.replace("client.py", "../client.py").replace("server.py", "../server.py");
        folder.write(&format!("stories/{number}.yaml"), &story);
    }
    let mut command = unbroken(&folder.0);
    command.args(["run", "stories", "--jobs", "6", "--timeout", "10s", "--report", "json=report.json"]);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!printed.contains("panicked"), "{printed}");
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.0.join("report.json")).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(cases.len(), stories.len(), "{printed}");
    for case in cases {
        assert_ne!(case["verdict"], "fail", "{printed}");
        if case["scenario"].as_str().unwrap().ends_with("-client") {
            let hops = case["judged"]["hops"].as_array().unwrap_or_else(|| panic!("it was judged: {case:#}"));
            if let Some(hop) = hops.iter().find(|hop| hop["id"] == "innocent") {
                // What the stand-in refused to the other client makes it inconclusive, and no more.
                assert_eq!((&hop["judged"], &hop["crossings"]), (&3.into(), &3.into()), "{printed}");
            }
        }
    }
    let peak = peak_of_children();
    println!("{before} MiB idle, {peak} MiB with hostile peers");
    assert!(peak < before + ROOM, "{before} MiB idle, {peak} MiB with hostile peers: {printed}");
}
