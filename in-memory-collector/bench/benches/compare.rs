//! Ours and its peers, side by side in one run: `cargo bench`. Markdown on stdout.
//!
//! Sinks run on the first core, the load on the second. Rates are spans for each second of processor time of the sink,
//! so that what else the machine does matters little; the wall-clock rate stands beside.

use std::time::{Duration, Instant};

use in_memory_collector::{Collector, Condition, Limits, TraceQuery};
use in_memory_collector_bench::load::{Mode, Source, run};
use in_memory_collector_bench::sinks::{Kind, Sink};
use in_memory_collector_bench::{Encoding, Template};

const BATCHES: [usize; 4] = [1, 8, 64, 512];

fn seconds() -> Duration {
    let text = std::env::var("BENCH_SECONDS").unwrap_or("1.0".to_owned());
    Duration::from_secs_f64(text.parse().expect("seconds"))
}

fn main() {
    if std::env::var_os("BENCH_PINNED").is_none() {
        let me = std::env::current_exe().expect("a path");
        let status = std::process::Command::new("taskset")
            .args(["-c", "1"])
            .arg(me)
            .env("BENCH_PINNED", "1")
            .env("BENCH_SINK", env!("CARGO_BIN_EXE_sink"))
            .status();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let wanted = std::env::var("BENCH_ONLY").unwrap_or("throughput,latency,memory,cycles,wake".to_owned());
    for part in wanted.split(',') {
        match part {
            "throughput" => runtime.block_on(throughput()),
            "latency" => runtime.block_on(latency()),
            "memory" => runtime.block_on(memory()),
            "cycles" => runtime.block_on(cycles()),
            "wake" => runtime.block_on(wake()),
            other => panic!("no part {other}"),
        }
    }
}

fn kinds() -> Vec<Kind> {
    let only = std::env::var("BENCH_SINKS").unwrap_or_default();
    Kind::ALL
        .into_iter()
        .filter(|kind| only.is_empty() || only.split(',').any(|name| name == kind.name()))
        .collect()
}

async fn throughput() {
    println!(
        "\n## Spans a second\n\nThousands of spans for each second of processor time (and of wall clock).\n"
    );
    for mode in Mode::ALL {
        println!("| {} | batch 1 | batch 8 | batch 64 | batch 512 |\n|---|---|---|---|---|", mode.name());
        let sources = BATCHES.map(|batch| Source::new(mode, batch));
        for kind in kinds() {
            let mut row = format!("| {} |", kind.name());
            for (batch, source) in BATCHES.iter().zip(&sources) {
                let Some(mut sink) = Sink::start(kind, mode.protocol()) else {
                    row.push_str(" - |");
                    continue;
                };
                run(sink.address, mode, source, 16, 200, Duration::from_millis(200)).await;
                sink.clear();
                let (begun, cpu) = (Instant::now(), sink.cpu_seconds());
                let (mut spans, mut failures, mut busy) = (0u64, 0, Duration::ZERO);
                while begun.elapsed() < seconds() {
                    let left = seconds().saturating_sub(begun.elapsed());
                    let some = run(sink.address, mode, source, 16, source.cycle(), left).await;
                    spans += (some.requests - some.failures) * *batch as u64;
                    failures += some.failures;
                    busy += some.elapsed;
                    if begun.elapsed() < seconds() {
                        sink.clear();
                    }
                }
                let per_cpu = spans as f64 / (sink.cpu_seconds() - cpu).max(0.01) / 1000.0;
                let per_second = spans as f64 / busy.as_secs_f64() / 1000.0;
                row.push_str(&format!(" {per_cpu:.0} ({per_second:.0}) |"));
                if failures > 0 {
                    row.push_str(&format!(" {failures} failed "));
                }
            }
            println!("{row}");
        }
        println!();
    }
}

async fn latency() {
    println!("\n## Latency\n\nBatches of 8 spans, one after the other on one connection, in microseconds.\n");
    println!("| | gRPC p50 | gRPC p99 | HTTP protobuf p50 | HTTP protobuf p99 |\n|---|---|---|---|---|");
    for kind in kinds() {
        let mut row = format!("| {} |", kind.name());
        for mode in [Mode::Grpc, Mode::HttpProtobuf] {
            let Some(sink) = Sink::start(kind, mode.protocol()) else {
                row.push_str(" - | - |");
                continue;
            };
            let source = Source::new(mode, 8);
            run(sink.address, mode, &source, 1, 100, Duration::from_secs(2)).await;
            let mut latencies =
                run(sink.address, mode, &source, 1, 3000, Duration::from_secs(5)).await.latencies;
            latencies.sort_unstable();
            let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_micros();
            row.push_str(&format!(" {} | {} |", at(0.5), at(0.99)));
        }
        println!("{row}");
    }
}

async fn memory() {
    let bytes = Template::new(512, Encoding::Protobuf).len() / 512;
    println!("\n## Memory\n\nResident bytes for each span of {bytes} bytes, after a million of them.\n");
    println!("| | batch 512 | batch 8 |\n|---|---|---|");
    for kind in [Kind::Ours, Kind::MockCollector] {
        let mut row = format!("| {} |", kind.name());
        for batch in [512usize, 8] {
            let sink = Sink::start(kind, "grpc").expect("ours to start");
            let source = Source::new(Mode::Grpc, batch);
            run(sink.address, Mode::Grpc, &source, 16, 10, Duration::from_secs(60)).await;
            let before = sink.resident_bytes();
            let sent = run(
                sink.address,
                Mode::Grpc,
                &source,
                16,
                1_000_000 / batch as u64,
                Duration::from_secs(120),
            )
            .await;
            let spans = (sent.requests - sent.failures) * batch as u64;
            row.push_str(&format!(" {} |", (sink.resident_bytes() - before) / spans));
        }
        println!("{row}");
    }
}

async fn cycles() {
    println!(
        "\n## A million spans and `clear`, again and again\n\nThousands of spans for each second of processor time, gRPC, batches of 512.\n"
    );
    println!("| | 1st million | 2nd | 3rd | growing to 2 million |\n|---|---|---|---|---|");
    for kind in [Kind::Ours, Kind::MockCollector] {
        let source = Source::new(Mode::Grpc, 512);
        let mut row = format!("| {} |", kind.name());
        let mut sink = Sink::start(kind, "grpc").expect("ours to start");
        for millions in [1u64, 1, 1, 2] {
            let cpu = sink.cpu_seconds();
            let sent =
                run(sink.address, Mode::Grpc, &source, 16, millions * 1954, Duration::from_secs(120)).await;
            sink.clear();
            let spans = (sent.requests - sent.failures) * 512;
            row.push_str(&format!(" {:.0} |", spans as f64 / (sink.cpu_seconds() - cpu) / 1000.0));
        }
        println!("{row}");
    }
}

async fn wake() {
    println!(
        "\n## From the ack to the waiter\n\nMicroseconds from the moment the sender has its answer until a waiter for that trace runs.\n"
    );
    let collector = Collector::start(Limits::default()).expect("start");
    let address = collector.endpoint("bench").await.expect("a port").address();
    let source = Source::new(Mode::Grpc, 8);
    let mut times = Vec::new();
    for round in 0..500usize {
        let waiter = collector.clone();
        let waiting = tokio::spawn(async move {
            let query = TraceQuery::all();
            let wait = waiter.wait(&query, Condition::AtLeast(8 * (round + 1)), Duration::from_secs(20));
            wait.await.map(|_| Instant::now())
        });
        tokio::task::yield_now().await;
        run(address, Mode::Grpc, &source, 1, 1, Duration::from_secs(20)).await;
        let acked = Instant::now();
        let woken = waiting.await.expect("no panic").expect("the spans are here");
        times.push(woken.saturating_duration_since(acked).as_micros());
    }
    times.sort_unstable();
    println!("ours: p50 {} p99 {}", times[times.len() / 2], times[times.len() * 99 / 100]);
}
