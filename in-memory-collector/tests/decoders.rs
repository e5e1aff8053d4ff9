//! Bytes that no exporter sends: no decoder panics, and none takes more memory than a request of that size may.
//!
//! Requests are made by changing valid ones. `UNBROKEN_FUZZ_CASES` says how many each test makes (20,000 if unset),
//! `UNBROKEN_FUZZ_SEED` with which seed; a panic names the case. It does not compare values: `scan_agrees_with_prost`
//! and `json_table` do.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]
#![allow(clippy::print_stdout, reason = "the measured factor is printed by the test that holds it")]

#[path = "client/samples.rs"]
mod samples;

mod prost_oracle {
    #[allow(dead_code, reason = "the comparison with prost uses the rest")]
    pub mod mutate;
}

use fuzz_cases::{Random, peak_of, run};
use in_memory_collector::{Collector, Encoding, Limits, Refusal, Signal, decode, otlp_json};
use prost_oracle::mutate::{mutate, seeds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of memory that a decoder may take for each byte of a request: an empty span or record takes a few bytes in a
/// request, and a few hundred as a value.
const FACTOR: usize = 512;
const BASE: usize = 64 << 10;

const METRICS: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{"dataPoints":[
    {"asInt":"5","timeUnixNano":"1"},{"asDouble":1.5}],"aggregationTemporality":2,"isMonotonic":true}}]}]}]}"#;
const PROFILES: &str = r#"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[
    {"profileId":"00112233445566778899aabbccddeeff","samples":[{"values":["1"]}]}]}]}]}"#;

/// Pieces of JSON that readers have been caught by.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    ",",
    ":",
    "null",
    "true",
    "-",
    "1e999",
    "-0",
    "0.1e-400",
    "99999999999999999999999999",
    "\u{0}",
    "ÿ",
    "{\"\":",
    "\"kvlistValue\":{\"values\":[",
    "[[[[[[[[[[[[[[[[",
];

fn decoded(signal: Signal, encoding: Encoding, message: &[u8]) -> Result<u64, Refusal> {
    match signal {
        Signal::Traces => decode::traces(encoding, message).map(|spans| spans.len() as u64),
        Signal::Logs => decode::logs(encoding, message).map(|records| records.len() as u64),
        Signal::Metrics => decode::metrics(encoding, message),
        Signal::Profiles => decode::profiles(encoding, message),
    }
}

/// Decodes within the memory that the size allows, and returns whether the message was accepted.
fn is_accepted(signal: Signal, encoding: Encoding, message: &[u8], highest: &mut f64) -> bool {
    let (result, peak) = peak_of(|| decoded(signal, encoding, message));
    *highest = highest.max(peak as f64 / (message.len() + 1) as f64);
    let limit = FACTOR * message.len() + BASE;
    assert!(peak <= limit, "{signal:?}: {peak} bytes for a message of {}, at most {limit}", message.len());
    result.is_ok()
}

/// Returns valid JSON requests of all signals.
fn texts() -> Vec<(Signal, Vec<u8>)> {
    let valid = |(signal, message): (Signal, Vec<u8>)| {
        let text = match signal {
            Signal::Traces => otlp_json::traces(&decode::traces(Encoding::Protobuf, &message).unwrap()),
            Signal::Logs => otlp_json::logs(&decode::logs(Encoding::Protobuf, &message).unwrap()),
            Signal::Metrics => METRICS.to_owned(),
            Signal::Profiles => PROFILES.to_owned(),
        };
        (signal, text.into_bytes())
    };
    seeds().into_iter().map(valid).collect()
}

/// Changes a text in up to four places.
fn change(text: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(text.len() + 1);
        let until = at + random.below((text.len() - at).min(64) + 1);
        match random.below(6) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..until)),
            2 => {
                let copied = text[at..until].to_vec();
                text.splice(at..at, copied);
            }
            3 => drop(text.splice(at..until, [random.next_u64() as u8])),
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..until, piece.bytes().cycle().take(piece.len() * (1 + random.below(40))));
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..at, piece.bytes());
            }
        }
    }
}

#[test]
fn the_unchanged_requests_are_accepted() {
    for (signal, text) in texts() {
        let items = decoded(signal, Encoding::Json, &text).unwrap_or_else(|why| panic!("{signal:?}: {why}"));
        assert!(items > 0, "{signal:?}");
    }
}

#[test]
fn changed_json_is_decoded_or_refused_within_its_memory() {
    let texts = texts();
    let (mut accepted, mut refused, mut highest) = (0_u64, 0_u64, 0.0);
    run(|random| {
        let (signal, mut text) = texts[random.below(texts.len())].clone();
        change(&mut text, random);
        let ok = is_accepted(signal, Encoding::Json, &text, &mut highest);
        *(if ok { &mut accepted } else { &mut refused }) += 1;
    });
    println!("{accepted} accepted, {refused} refused, at most {highest:.0} bytes of memory for each byte");
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}

#[test]
fn changed_protobuf_is_decoded_or_refused_within_its_memory() {
    let seeds = seeds();
    let mut highest = 0.0;
    run(|random| {
        let (signal, message) = mutate(&seeds, random);
        is_accepted(signal, Encoding::Protobuf, &message, &mut highest);
    });
    println!("at most {highest:.0} bytes of memory for each byte");
}

#[tokio::test]
async fn changed_requests_leave_an_endpoint_that_answers() {
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.endpoint("hostile").await.unwrap().address();
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let whole = [head.as_bytes(), &body[..]].concat();
    let mut random = Random::seeded(fuzz_cases::seed());
    for _ in 0..fuzz_cases::cases(20_000) / 100 {
        let mut request = whole.clone();
        change(&mut request, &mut random);
        // The end of the client's side ends the exchange, whatever the server still waits for.
        let _ = exchange(address, &request).await;
    }
    let answer = exchange(address, &whole).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", answer.escape_ascii());
    assert!(!collector.spans().is_empty());
    collector.stop().await;
}

async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(40), read).await.expect("the endpoint hangs")?;
    Ok(answer)
}
