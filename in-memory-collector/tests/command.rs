//! The command, as a user meets it: ports, queries, lines of JSON, a stop that loses nothing.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use client::{Http1, PROTOBUF, http1, samples};

struct Running {
    child: Child,
    endpoint: SocketAddr,
    query: SocketAddr,
}

fn start(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_in-memory-collector"));
    command.args(["--listen", "shop=127.0.0.1:0", "--query", "127.0.0.1:0"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut address = || -> SocketAddr {
        let line = lines.next().unwrap().unwrap();
        line.rsplit("http://").next().unwrap().parse().unwrap()
    };
    Running { endpoint: address(), query: address(), child }
}

impl Running {
    async fn get(&self, path: &str) -> (u16, String) {
        let answer = Http1::connect(self.query).await.request("GET", path, &[], b"").await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// Stops the command and returns its output.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut output = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        assert!(self.child.wait().unwrap().success());
        output
    }
}

#[tokio::test]
async fn it_answers_questions_in_otlp_json() {
    let running = start(&["--store-bytes", "100000000"]);
    assert_eq!(running.get("/healthz").await, (200, "ok\n".to_owned()));
    let body = samples::traces(vec![samples::span(1, 1, 0), samples::span(2, 2, 0)]);
    assert_eq!(http1(running.endpoint, "/v1/traces", &[PROTOBUF], &body).await.status, 200);
    http1(running.endpoint, "/v1/logs", &[PROTOBUF], &samples::logs(&["line"])).await;
    let (status, text) = running.get(&format!("/v1/traces?trace={}&endpoint=shop", "02".repeat(16))).await;
    let read: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest =
        serde_json::from_str(&text).unwrap();
    assert_eq!((status, read), (200, samples::request(vec![samples::span(2, 2, 0)])));
    assert!(running.get("/v1/logs").await.1.contains(r#""body":{"stringValue":"line"}"#));
    assert!(running.get("/requests").await.1.contains(r#""outcome":"accepted""#));
    let stats: serde_json::Value = serde_json::from_str(&running.get("/stats").await.1).unwrap();
    assert_eq!((stats["spans"].as_u64(), stats["limitBytes"].as_u64()), (Some(2), Some(100_000_000)));
    assert_eq!(running.get("/v1/traces?trace=zz").await.0, 400);
    assert_eq!((running.get("/clear").await.0, running.get("/nothing").await.0), (405, 404));
    assert_eq!(Http1::connect(running.query).await.request("POST", "/clear", &[], b"").await.status, 200);
    assert_eq!(running.get("/v1/traces").await.1, r#"{"resourceSpans":[]}"#);
    assert_eq!(running.stop(), "");
}

#[tokio::test]
async fn it_prints_what_arrives_and_nothing_is_lost_when_it_stops() {
    let running = start(&["--json-lines"]);
    for id in 1..=20 {
        let body = samples::traces(vec![samples::span(1, id, 0)]);
        assert_eq!(http1(running.endpoint, "/v1/traces", &[PROTOBUF], &body).await.status, 200);
    }
    let output = running.stop();
    let mut names = Vec::new();
    for line in output.lines() {
        let spans = in_memory_collector::decode::traces(in_memory_collector::Encoding::Json, line.as_bytes());
        names.extend(spans.unwrap().iter().map(|span| span.name().to_owned()));
    }
    assert_eq!(names, (1..=20).map(|id| format!("span {id}")).collect::<Vec<_>>());
}
