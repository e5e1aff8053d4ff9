//! Bytes of a hostile service, client or file: no decoder panics, a tap forwards every byte, and memory is bounded.
//!
//! Each case changes valid bytes in a few places, or claims a length that does not follow. `UNBROKEN_FUZZ_CASES` sets
//! the number of cases.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use unbroken::evidence::file::StoredEvidence;
use unbroken::evidence::{CaptureEnd, CaptureMark, Recorder};
use unbroken::plan::{Plan, Seed, TapIx, TapPlan, TapProtocol};
use unbroken::scenario::NodeIx;
use unbroken::tap::{Peer, TapConfig, replay};
use unbroken::wire::datadog::member::DatadogMember;
use unbroken::wire::x_ray::XRayHeader;
use unbroken::wire::{
    Baggage, Carrier, Format, Level, TraceParent, TraceState, grpc_trace_bin, jaeger, ot_trace,
};

#[path = "hostile_bytes/changes.rs"]
mod changes;
#[path = "hostile_bytes/conversations.rs"]
mod conversations;

use changes::{cut, mutate};
use conversations::{ALL, Conversation};
use fuzz_cases::{peak_of, run_cases};

/// The most that a tap may hold for a conversation of a few kilobytes.
const SMALL: usize = 4 << 20;
/// The most that a tap may hold for a stream of any length.
const LARGE: usize = 15 << 20;

fn config(protocol: TapProtocol, host: Option<&str>) -> TapConfig {
    let (from, to) = (NodeIx(0), NodeIx(1));
    let plan = TapPlan { host: host.map(str::to_owned), ..TapPlan::between(from, to, protocol) };
    TapConfig::new(TapIx(0), plan, 7, SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// Returns the forwarded bytes and the peak of memory.
fn forwarded(config: &TapConfig, pieces: &[(Peer, &[u8])]) -> (Vec<u8>, usize) {
    let recorder = Recorder::new(1000, false);
    peak_of(|| replay(config, recorder, pieces))
}

#[test]
fn the_conversations_are_valid() {
    for conversation in ALL.map(|make| make()) {
        let recorder = Recorder::new(1000, false);
        let pieces = [(Peer::Sender, &conversation.sent[..]), (Peer::Receiver, &conversation.answered)];
        replay(&config(conversation.protocol, None), recorder.clone(), &pieces);
        let (captures, gaps) = recorder.freeze();
        assert_eq!(gaps, [], "{:?}", conversation.protocol);
        assert_eq!(captures.len(), 2, "{captures:#?}");
        assert!(matches!(captures[0].marked, CaptureMark::By(_)), "{captures:#?}");
        assert!(captures.iter().all(|capture| capture.end != CaptureEnd::Open), "{captures:#?}");
    }
}

#[test]
fn a_tap_forwards_every_byte_of_a_changed_conversation_within_bounded_memory() {
    run_cases(1_500, |random| {
        let Conversation { protocol, mut sent, mut answered } = ALL[random.below(ALL.len())]();
        mutate(random, &mut sent);
        mutate(random, &mut answered);
        let (requests, answers) = (cut(random, &sent, 400), cut(random, &answered, 400));
        let mut pieces = Vec::new();
        for at in 0..requests.len().max(answers.len()) {
            pieces.extend(requests.get(at).map(|piece| (Peer::Sender, *piece)));
            pieces.extend(answers.get(at).map(|piece| (Peer::Receiver, *piece)));
        }
        let (out, peak) = forwarded(&config(protocol, None), &pieces);
        assert!(out == sent, "{protocol:?}");
        assert!(peak < SMALL, "{protocol:?}: {peak} bytes");
        if matches!(protocol, TapProtocol::Http | TapProtocol::Grpc) {
            let (_, peak) = forwarded(&config(protocol, Some("shop.example")), &pieces);
            assert!(peak < SMALL, "{protocol:?} with `host:`: {peak} bytes");
        }
    });
}

/// Returns the peak of memory for a stream that begins like this and repeats the same bytes for 16 MiB.
fn endless(config: &TapConfig, begin: &[u8], repeated: &[u8]) -> usize {
    let block = repeated.repeat((1 << 15) / repeated.len());
    let mut pieces = vec![(Peer::Sender, begin)];
    pieces.resize(1 + 512, (Peer::Sender, &block[..]));
    let (out, peak) = forwarded(config, &pieces);
    // `replay` collects the forwarded bytes; a tap does not.
    peak.saturating_sub(out.capacity())
}

#[test]
fn endless_heads_frames_and_bodies_are_not_kept() {
    let http = config(TapProtocol::Http, None);
    let grpc = config(TapProtocol::Grpc, None);
    let amqp = config(TapProtocol::Amqp, None);
    let sqs = config(TapProtocol::Sqs, None);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let grpc_head =
        [&preface[..], b"\0\0\x21\x01\x04\0\0\0\x01\x83\x86\x84\x40\x0ccontent-type\x10application/grpc"];
    let cases: [(&str, &TapConfig, &[u8], &[u8]); 8] = [
        ("a head without an end", &http, b"GET / HTTP/1.1\r\nx: ", b"a"),
        ("many header lines", &http, b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
        ("many requests without answers", &http, b"", b"GET / HTTP/1.1\r\nbaggage: a=1\r\n\r\n"),
        ("a body of chunks", &http, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (
            "a header frame of 16 MiB",
            &grpc,
            &[&preface[..], b"\xff\xff\xff\x01\x04\0\0\0\x01"].concat(),
            b"a",
        ),
        (
            "many gRPC messages",
            &grpc,
            &[&grpc_head.concat()[..], b"\xff\xff\xff\0\0\0\0\0\x01"].concat(),
            b"\0\0\0\0\x01a",
        ),
        ("an AMQP method of 4 GiB", &amqp, b"AMQP\x00\x00\x09\x01\x01\0\x01\xff\xff\xff\xff", b"a"),
        (
            "a body of a call of SQS",
            &sqs,
            b"POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.SendMessage\r\ncontent-length: 99999999\r\n\r\n",
            b"a",
        ),
    ];
    for (what, config, begin, repeated) in cases {
        let peak = endless(config, begin, repeated);
        assert!(peak < LARGE, "{what}: {peak} bytes");
    }
}

#[test]
fn any_change_of_an_evidence_file_is_an_error_or_evidence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judged");
    let scenario = folder.join("client-beside-server.yaml");
    let text = std::fs::read(scenario.with_extension("json")).unwrap();
    let source = unbroken::scenario::read(&scenario).unwrap();
    let mut cases = unbroken::scenario::parse(&source).ok().unwrap();
    let plan = Plan::build(Arc::new(cases.remove(0)), folder, Seed(1));
    run_cases(150, |random| {
        let mut bytes = text.clone();
        mutate(random, &mut bytes);
        let changed = String::from_utf8_lossy(&bytes);
        let (_, peak) = peak_of(|| {
            let stored = StoredEvidence::read(&changed).ok()?;
            stored.evidence(&plan).ok()
        });
        assert!(peak < 32 * text.len() + (1 << 20), "{peak} bytes for a file of {}", text.len());
    });
}

#[test]
fn a_deep_or_repeated_evidence_file_is_an_error() {
    for text in ["[".repeat(1 << 20), format!("{{\"version\":{}", "1".repeat(1 << 20))] {
        let (read, peak) =
            peak_of(|| StoredEvidence::read(&text).map(drop).map_err(|error| error.to_string()));
        assert!(read.is_err() && peak < 4 << 20, "{peak} bytes");
    }
}

#[test]
fn propagation_fields_are_parsed_within_memory_in_proportion_to_their_bytes() {
    let valid = [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a@b=1, ,x=~!#$%&'()*+-./:;<>?@[]^_`{|}~",
        "userId=alice;p1;p2=v,server%20Node=DF%2028,isProduction=false,,a= b ",
    ];
    run_cases(4_000, |random| {
        let mut bytes = valid[random.below(valid.len())].as_bytes().to_vec();
        mutate(random, &mut bytes);
        let lines = cut(random, &bytes, 200);
        let ((), peak) = peak_of(|| {
            for level in [Level::One, Level::Two] {
                drop(TraceParent::parse(&bytes, level));
                drop(TraceState::parse(lines.iter().copied(), level));
            }
            drop(TraceState::members_of(lines.iter().copied()));
            drop(Baggage::parse(lines.iter().copied()));
            drop(Baggage::entries_of(lines.iter().copied()));
        });
        assert!(peak < 256 * (bytes.len() + 64), "{peak} bytes for {}", bytes.len());
    });
}

/// Valid fields of each format, in the order of `Format::ALL`.
const FIELDS: [&[(&str, &str)]; 9] = [
    &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
    &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d-05e3ac9a4f6e3b90")],
    &[
        ("X-B3-TraceId", "0af7651916cd43dd8448eb211c80319c"),
        ("X-B3-SpanId", "b7ad6b7169203331"),
        ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
        ("X-B3-Sampled", "1"),
        ("X-B3-Flags", "1"),
    ],
    &[
        ("uber-trace-id", "af7651916cd43dd8448eb211c80319c%3Ab7ad6b7169203331:0:03"),
        ("uberctx-user", "value%201%20%2F%20blah"),
    ],
    &[(
        "X-Amzn-Trace-Id",
        "Self=1-6789; Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?;",
    )],
    &[
        ("x-datadog-trace-id", "9611844646712426966"),
        ("x-datadog-parent-id", "987654321"),
        ("x-datadog-sampling-priority", "-1"),
        ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000"),
    ],
    &[("X-Cloud-Trace-Context", "105445aa7843bc8bf206b12000100000/18446744073709551615;o=1")],
    &[("grpc-trace-bin", "AABAQUJDREVGR0hJSktMTU5PAWFiY2RlZmdoAgE=")],
    &[
        ("ot-tracer-traceid", "0af7651916cd43dd8448eb211c80319c"),
        ("ot-tracer-spanid", "b7ad6b7169203331"),
        ("ot-tracer-sampled", "true"),
        ("ot-baggage-user", "alice"),
    ],
];

#[test]
fn the_fields_of_each_format_are_valid() {
    for (format, fields) in Format::ALL.iter().zip(FIELDS) {
        let carrier = Carrier::new(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        assert!(matches!(format.extract(&carrier), Ok(Some(_))), "{format:?}");
    }
}

#[test]
fn every_format_is_parsed_within_memory_in_proportion_to_its_bytes() {
    run_cases(6_000, |random| {
        let at = random.below(FIELDS.len());
        let mut fields: Vec<(&str, Vec<u8>)> =
            FIELDS[at].iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
        let changed = random.below(fields.len());
        mutate(random, &mut fields[changed].1);
        if random.one_in(4) {
            fields.push(fields[changed].clone());
        }
        let length: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let carrier = Carrier::new(fields.iter().map(|(name, value)| (name.as_bytes(), &value[..])));
        let bytes = &fields[changed].1;
        let ((), peak) = peak_of(|| {
            for format in Format::ALL {
                for context in format.extract_all(&carrier).into_iter().flatten() {
                    drop(format.inject(&context));
                }
            }
            drop((jaeger::baggage(&carrier), ot_trace::baggage(&carrier)));
            drop((XRayHeader::parse(bytes), DatadogMember::parse(bytes)));
            drop(grpc_trace_bin::parse(bytes));
        });
        assert!(peak < 256 * (length + 64), "{peak} bytes for {length}");
    });
}
