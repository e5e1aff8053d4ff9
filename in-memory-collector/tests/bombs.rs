//! Bodies that become far larger than they are, against the limits that are the default. In a process of their own, so
//! that its high-water mark is theirs.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

mod client;

use std::io::Write;

use client::{Http2, PROTOBUF, TRACES, framed, http1, samples};
use in_memory_collector::{Collector, Limits, Outcome, Refusal};

const MIB: usize = 1 << 20;

/// Returns the most memory that this process ever used.
fn high_water_mark() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Returns a gigabyte in members of a mebibyte, which are one stream for a decompressor.
fn gigabyte(member: &[u8]) -> Vec<u8> {
    member.repeat(1024)
}

fn smallest_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::read::ZlibEncoder::new(bytes, flate2::Compression::fast());
    let mut zipped = Vec::new();
    std::io::Read::read_to_end(&mut encoder, &mut zipped).unwrap();
    zipped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_is_given_up_at_the_limit_and_never_unpacked() {
    let limits = Limits::default();
    assert_eq!(limits.message_bytes as usize, 64 * MIB);
    let collector = Collector::start(limits).unwrap();
    let address = collector.endpoint("bombs").await.unwrap().address();
    let zeros = vec![0u8; MIB];
    // A hundred mebibytes from a hundred kibibytes; for zstd from a few.
    let hundred = smallest_gzip(&zeros).repeat(100);
    let zstd = zstd::encode_all(&zeros[..], 1).unwrap();
    assert!(hundred.len() < 600 * 1024 && zstd.len() < 200, "{} {}", hundred.len(), zstd.len());
    let one_stream = zlib(&vec![0u8; 100 * MIB]);
    let bodies = [
        ("gzip", hundred.clone()),
        ("zstd", zstd.repeat(100)),
        ("deflate", one_stream),
        ("gzip", gigabyte(&smallest_gzip(&zeros))),
        ("zstd", gigabyte(&zstd)),
    ];
    let before = high_water_mark();
    for (name, body) in &bodies {
        let answer = http1(address, "/v1/traces", &[PROTOBUF, ("content-encoding", name)], body).await;
        assert_eq!(answer.status, 413, "{name}");
    }
    let client = Http2::connect(address).await;
    for (name, body) in &bodies[..2] {
        let answer = client.grpc(TRACES, &[("grpc-encoding", name)], framed(1, body)).await.unwrap();
        assert_eq!(answer.grpc_status(), Some(8), "{name}");
    }
    let more = high_water_mark() - before;
    println!("{} MiB at most for one bomb after the other", more / MIB);
    assert!(more < 96 * MIB, "{} MiB", more / MIB);
    for record in collector.problems() {
        let outcome = record.outcome;
        assert!(
            matches!(outcome, Outcome::Refused(Refusal::TooLarge { decompressed: true, .. })),
            "{outcome}"
        );
    }
    assert_eq!(collector.problems().len(), 7);

    // Many at once share what all requests together may hold.
    let many: Vec<_> = (0..12).map(|_| tokio::spawn(send(address, hundred.clone()))).collect();
    for one in many {
        let status = one.await.unwrap();
        assert!(matches!(status, 413 | 429), "{status}");
    }
    let more = high_water_mark() - before;
    println!("{} MiB at most for twelve at once", more / MIB);
    assert!(more < 600 * MIB, "{} MiB", more / MIB);
    let good = samples::traces(vec![samples::span(1, 1, 0)]);
    assert_eq!(http1(address, "/v1/traces", &[PROTOBUF], &good).await.status, 200, "the next one is served");
}

async fn send(address: std::net::SocketAddr, body: Vec<u8>) -> u16 {
    http1(address, "/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], &body).await.status
}
