//! One sink in a process of its own: `sink KIND PROTOCOL`. It prints its port, then obeys `clear` and `bytes` on stdin.

use std::io::BufRead;
use std::time::Duration;

use fake_opentelemetry_collector::FakeCollectorServer;
use in_memory_collector::{Collector, Limits};
use mock_collector::{MockServer, Protocol};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments[1].as_str() {
        "ours" => ours(false),
        "ours-dropping" => ours(true),
        "mock-collector" => mock(&arguments[2]),
        "fake-opentelemetry-collector" => fake(),
        other => panic!("no sink {other}"),
    }
}

/// Runs `clear` for each line on stdin, until stdin ends.
fn obey(mut clear: impl FnMut()) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if line == "clear" {
            clear();
        }
        println!("ok");
    }
}

fn ours(dropping: bool) {
    let limits = Limits { threads: 1, store_bytes: 16 << 30, ..Limits::default() };
    let collector = Collector::start(limits).expect("start");
    let endpoint = collector.block_on(collector.endpoint("bench")).expect("a port");
    println!("{}", endpoint.address().port());
    if dropping {
        let collector = collector.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(20));
                collector.clear();
            }
        });
    }
    obey(|| collector.clear());
}

fn mock(protocol: &str) {
    let protocol = match protocol {
        "grpc" => Protocol::Grpc,
        "http-json" => Protocol::HttpJson,
        _ => Protocol::HttpBinary,
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let server = runtime.block_on(MockServer::builder().protocol(protocol).port(0).start()).expect("a port");
    println!("{}", server.addr().port());
    obey(|| runtime.block_on(server.with_collector_mut(|collector| collector.clear())));
}

fn fake() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let mut server = runtime.block_on(FakeCollectorServer::start()).expect("a port");
    println!("{}", server.address().port());
    // Its channel holds 64 spans; nobody can send more until somebody reads.
    runtime.spawn(async move {
        loop {
            drop(server.exported_spans(1, Duration::from_millis(5)).await);
        }
    });
    obey(|| {});
}
