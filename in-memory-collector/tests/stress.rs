//! Under stress: full speed with a reader and a full store, clients that die, deep nesting, slow and idle ones.
//!
//! `UNBROKEN_STRESS_SECONDS` says how long the first one runs (2 if unset).

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{DEADLINE, Http1, Http2, JSON, PROTOBUF, TRACES, framed, grpc, http1, samples};
use in_memory_collector::{Collector, Limits, Outcome, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn start(limits: Limits) -> (Collector, SocketAddr) {
    let collector = Collector::start(limits).unwrap();
    let address = collector.endpoint("stress").await.unwrap().address();
    (collector, address)
}

/// Returns eight spans of a trace of their own.
fn batch(number: u64) -> Vec<u8> {
    let spans = (1..9).map(|id| {
        let mut span = samples::span(1, id, id - 1);
        span.trace_id[..8].copy_from_slice(&number.to_be_bytes());
        span
    });
    samples::traces(spans.collect())
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_full_speed_with_a_reader_and_a_full_store_every_acked_span_is_visible() {
    let seconds = std::env::var("UNBROKEN_STRESS_SECONDS").map_or(2, |text| text.parse().expect("seconds"));
    let cap = 4 << 20;
    let (collector, address) =
        start(Limits { store_bytes: cap, request_records: 1000, ..Limits::default() }).await;
    let until = Instant::now() + Duration::from_secs(seconds);
    let next = Arc::new(AtomicU64::new(1));
    let senders: Vec<_> = (0..64)
        .map(|_| {
            let next = next.clone();
            tokio::spawn(async move {
                let client = Http2::connect(address).await;
                let (mut acked, mut full) = (Vec::new(), 0u64);
                while Instant::now() < until {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let answer = client.grpc(TRACES, &[], framed(0, &batch(number))).await.unwrap();
                    match answer.grpc_status() {
                        Some(0) => acked.push(number),
                        Some(14) => full += 1,
                        other => panic!("{other:?} {answer:?}"),
                    }
                }
                (acked, full)
            })
        })
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (collector, done, next) = (collector.clone(), done.clone(), next.clone());
        tokio::task::spawn_blocking(move || {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(collector.stats().bytes);
                let mut trace = [1; 16];
                trace[..8].copy_from_slice(&(next.load(Ordering::Relaxed) / 2).to_be_bytes());
                assert!(matches!(collector.trace(trace).len(), 0 | 8), "half a request is visible");
                collector.requests();
            }
            most
        })
    };
    let (mut acked, mut full) = (HashSet::new(), 0);
    for sender in senders {
        let (numbers, refused) = sender.await.unwrap();
        acked.extend(numbers);
        full += refused;
    }
    done.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() <= cap, "memory over the cap");
    let visible = collector.spans();
    assert_eq!(visible.len(), acked.len() * 8);
    let seen = visible.iter().map(|span| u64::from_be_bytes(span.trace_id_bytes()[..8].try_into().unwrap()));
    assert_eq!(seen.collect::<HashSet<u64>>(), acked);
    let explained = |outcome: &Outcome| matches!(outcome, Outcome::Refused(Refusal::Full(_)));
    assert!(collector.problems().iter().all(|record| explained(&record.outcome)));
    assert!(full > 0 || seconds < 20, "the cap was not reached");
    println!("{} requests stored, {full} refused because the store was full", acked.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_die_in_the_middle_leave_whole_requests_or_nothing() {
    let (collector, address) = start(Limits::default()).await;
    let mut acked = HashSet::new();
    for round in 0..30u64 {
        let numbers = Arc::new(std::sync::Mutex::new(Vec::new()));
        let sending = {
            let numbers = numbers.clone();
            tokio::spawn(async move {
                let client = Http2::connect(address).await;
                for number in round * 1000.. {
                    let answer = client.grpc(TRACES, &[], framed(0, &batch(number))).await.unwrap();
                    assert_eq!(answer.grpc_status(), Some(0));
                    numbers.lock().unwrap().push(number);
                }
            })
        };
        let mut cut = TcpStream::connect(address).await.unwrap();
        let head = "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9999\r\n\r\n";
        cut.write_all(head.as_bytes()).await.unwrap();
        cut.write_all(&batch(1)).await.unwrap();
        let mut changes = collector.watch();
        for _ in 0..10 {
            tokio::time::timeout(DEADLINE, changes.changed()).await.unwrap().unwrap();
        }
        sending.abort();
        drop(cut);
        acked.extend(numbers.lock().unwrap().iter().copied());
    }
    let last = http1(address, "/v1/traces", &[PROTOBUF], &batch(1_000_000)).await;
    assert_eq!(last.status, 200, "the next client is served");
    for number in acked {
        let mut trace = [1; 16];
        trace[..8].copy_from_slice(&number.to_be_bytes());
        assert_eq!(collector.trace(trace).len(), 8);
    }
    assert_eq!(collector.spans().len() % 8, 0, "no half requests");
}

/// Returns a request with an attribute of lists in lists, written from its end to its beginning.
fn nested_values(levels: usize) -> Vec<u8> {
    let mut backwards = vec![1, 0x10];
    let around = |backwards: &mut Vec<u8>, number: u8| {
        let mut head = vec![number << 3 | 2];
        prost::encoding::encode_varint(backwards.len() as u64, &mut head);
        backwards.extend(head.iter().rev());
    };
    // AnyValue.array_value is 5 and ArrayValue.values 1.
    for level in 0..levels {
        around(&mut backwards, if level % 2 == 0 { 1 } else { 5 });
    }
    // The value of an attribute of a span of a scope of a resource.
    for number in [2, 9, 2, 2, 1] {
        around(&mut backwards, number);
    }
    backwards.reverse();
    backwards
}

#[tokio::test]
async fn nesting_of_a_hundred_thousand_levels_is_refused() {
    let (_collector, address) = start(Limits::default()).await;
    let json = format!("{}{}", r#"{"resourceSpans":["#.repeat(100_000), "]}".repeat(100_000));
    assert_eq!(http1(address, "/v1/traces", &[JSON], json.as_bytes()).await.status, 400);
    let ignored = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(http1(address, "/v1/traces", &[JSON], ignored.as_bytes()).await.status, 400);
    let groups = vec![0x0b; 100_000];
    assert_eq!(grpc(address, TRACES, &[], &groups).await.grpc_status(), Some(3));
    let deep = nested_values(100_000);
    assert!(deep.len() > 300_000);
    assert_eq!(grpc(address, TRACES, &[], &deep).await.grpc_status(), Some(3));
    assert_eq!(grpc(address, TRACES, &[], &nested_values(80)).await.grpc_status(), Some(0));
}

#[tokio::test]
async fn slow_bodies_hold_nobody_up_and_are_ended() {
    let limits = Limits { body_timeout: Duration::from_millis(500), ..Limits::default() };
    let (collector, address) = start(limits).await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut connection = Http1::connect(address).await;
        let head = "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/json\r\ncontent-length: 50000000\r\n\r\n{";
        connection.stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &batch(1)).await.status, 200);
    for connection in &mut slow {
        let answer = tokio::time::timeout(DEADLINE, connection.answer()).await.unwrap().unwrap();
        assert_eq!(answer.status, 408);
    }
    client::idle(&collector).await;
    assert_eq!(collector.problems().len(), 300);
}

#[tokio::test]
async fn slow_heads_are_ended_whatever_they_begin_with() {
    let limits = Limits { head_timeout: Duration::from_millis(500), ..Limits::default() };
    let (collector, address) = start(limits).await;
    let mut slow = Vec::new();
    // All of a preface would be an idle connection, which is welcome.
    for begun in ["", "P", "POST /v1/traces HTTP/1.1\r\nhost", "PRI * HTTP/2.0\r\n\r\nSM"] {
        for _ in 0..50 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            slow.push((begun, stream));
        }
    }
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &batch(1)).await.status, 200);
    for (begun, stream) in &mut slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "still open after {begun:?}");
    }
    assert_eq!(collector.problems().len(), 0, "none of them was a request");
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_hold_nobody_up() {
    let (_collector, address) = start(Limits::default()).await;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(1 << 20);
    // Both ends are in this process, and so are the other tests.
    let count = 10_000.min((files - 2000) / 2);
    let before = resident_bytes();
    let mut idle = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(grpc(address, TRACES, &[], &batch(1)).await.grpc_status(), Some(0));
    let each = (resident_bytes() - before) / count;
    println!("{count} idle connections, {each} bytes each, both ends");
    assert!(each < 40_000, "{each} bytes for each idle connection");
}
