//! Any bytes as an AMQP connection: no panic, every byte is forwarded, and the cuts do not matter.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use unbroken::evidence::{Capture, Recorder};
use unbroken::plan::{TapIx, TapPlan, TapProtocol};
use unbroken::tap::{Peer, TapConfig, replay};
use unbroken::scenario::NodeIx;

const PROTOCOL: &[u8] = b"AMQP\x00\x00\x09\x01";

fuzz_target!(|data: &[u8]| {
    let mut pieces = vec![(Peer::Sender, PROTOCOL)];
    let mut rest = data;
    // Side and length of a piece, then the piece.
    while let [head, after @ ..] = rest {
        let (piece, next) = after.split_at(after.len().min(usize::from(head >> 1)));
        pieces.push((if head & 1 == 0 { Peer::Sender } else { Peer::Receiver }, piece));
        rest = next;
    }
    let sent = pieces.iter().filter(|(side, _)| *side == Peer::Sender);
    let sent: Vec<u8> = sent.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let (whole, captures) = seen(&pieces);
    assert!(whole == sent);
    let single = pieces.iter().flat_map(|(side, bytes)| bytes.chunks(1).map(|byte| (*side, byte)));
    let (in_bytes, again) = seen(&single.collect::<Vec<_>>());
    assert!(in_bytes == sent && captures == again);
});

/// Returns the forwarded bytes, and the captures without their times.
fn seen(pieces: &[(Peer, &[u8])]) -> (Vec<u8>, Vec<Capture>) {
    let (from, to, protocol) = (NodeIx(0), NodeIx(1), TapProtocol::Amqp);
    let plan = TapPlan { from, to, protocol, tls: false, host: None, listen: None, markers: Vec::new() };
    let config = TapConfig::new(TapIx(0), plan, 0, SocketAddr::from(([127, 0, 0, 1], 1)));
    let recorder = Recorder::new(1000, true);
    let forwarded = replay(&config, recorder.clone(), pieces);
    let (mut captures, _) = recorder.freeze();
    for capture in &mut captures {
        (capture.begun_nanos, capture.ended_nanos) = (0, None);
    }
    (forwarded, captures)
}
