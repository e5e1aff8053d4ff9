//! The captures and the forwarded bytes do not depend on the reads into which a stream is cut.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::tap::eye::{EndKind, Eye, Peer};
use crate::tap::scene::Scene;

/// Returns the forwarded bytes and the captures of a conversation whose turns are cut after these numbers of bytes.
pub fn watch(
    plan: TapPlan,
    turns: &[(Peer, Vec<u8>)],
    mut cuts: impl Iterator<Item = usize>,
) -> (Vec<u8>, Vec<Capture>) {
    let recorder = Recorder::new(1000, true);
    let scene = Arc::new(Scene::new(TapIx(0), plan, RUN, recorder.clone()));
    let mut eye = Eye::new(scene, 0);
    let mut sent = Vec::new();
    for (side, bytes) in turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = after;
            match side {
                Peer::Sender => sent.extend_from_slice(&eye.request(part)),
                Peer::Receiver => eye.answer(part),
            }
        }
    }
    sent.extend(eye.let_go());
    eye.end(Peer::Sender, EndKind::Closed);
    eye.end(Peer::Receiver, EndKind::Closed);
    let (mut captures, gaps) = recorder.freeze();
    assert_eq!(gaps, []);
    for capture in &mut captures {
        (capture.begun_nanos, capture.ended_nanos) = (0, None);
    }
    (sent, captures)
}

pub fn sent_by(turns: &[(Peer, Vec<u8>)]) -> Vec<u8> {
    turns.iter().filter(|(side, _)| *side == Peer::Sender).flat_map(|(_, bytes)| bytes.clone()).collect()
}

fn http1_turns() -> Vec<(Peer, Vec<u8>)> {
    let request = b"\r\nPOST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
        14;a=b\r\n{\"m\":\"ub000000ab-12\"\r\n1\r\n}\r\n0\r\nT: 1\r\n\r\nGET /b HTTP/1.1\nHost: x\n\n";
    let answer = b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\
        HTTP/1.1 200 OK\r\n\r\nthe rest";
    vec![(Peer::Sender, request.to_vec()), (Peer::Receiver, answer.to_vec())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn http1_is_the_same_however_it_is_cut(cuts in prop::collection::vec(1usize..40, 0..200)) {
        same_however_cut(&http1_turns(), &cuts, 2);
    }

    #[test]
    fn http2_is_the_same_however_it_is_cut(cuts in prop::collection::vec(1usize..40, 0..400)) {
        same_however_cut(&super::http2::conversation(), &cuts, 3);
    }

    #[test]
    fn no_bytes_bring_the_tap_down(
        start in 0usize..3,
        sent in prop::collection::vec(any::<u8>(), 0..300),
        answered in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(1usize..40, 0..100),
        host in any::<bool>(),
    ) {
        let starts: [&[u8]; 3] = [b"", crate::tap::http2::PREFACE, b"GET / HTTP/1.1\r\n"];
        let sent = [starts[start], &sent].concat();
        let recorder = Recorder::new(1000, true);
        let plan = TapPlan { host: host.then(|| "h".to_owned()), ..plan() };
        let mut eye = Eye::new(Arc::new(Scene::new(TapIx(0), plan, RUN, recorder)), 0);
        let mut rest = sent.as_slice();
        let mut went_on = Vec::new();
        for cut in cuts.iter().chain([&usize::MAX]) {
            let (part, after) = rest.split_at(rest.len().min(*cut));
            went_on.extend_from_slice(&eye.request(part));
            rest = after;
        }
        eye.answer(&answered);
        went_on.extend(eye.let_go());
        if !host {
            prop_assert_eq!(went_on, sent);
        }
    }
}

fn same_however_cut(turns: &[(Peer, Vec<u8>)], cuts: &[usize], count: usize) {
    let (sent, captures) = watch(plan(), turns, std::iter::empty());
    assert_eq!(captures.len(), count);
    assert!(
        captures.iter().all(|capture| matches!(capture.end, CaptureEnd::Answered { .. })),
        "{captures:#?}"
    );
    assert_eq!(sent, sent_by(turns));
    assert_eq!(watch(plan(), turns, cuts.iter().copied()), (sent, captures.clone()));

    let rewriting = TapPlan { host: Some("example".into()), ..plan() };
    let (rewritten, seen) = watch(rewriting.clone(), turns, std::iter::empty());
    assert_eq!(seen, captures);
    assert_eq!(watch(rewriting, turns, cuts.iter().copied()), (rewritten, captures));
}

#[test]
fn every_single_cut_of_http1_is_the_same() {
    for at in 1..http1_turns()[0].1.len() {
        same_however_cut(&http1_turns(), &[at], 2);
    }
}

#[test]
fn a_receiver_that_speaks_first_is_read_once_the_protocol_is_known() {
    const SETTINGS: usize = 9;
    let mut turns = super::http2::conversation();
    let (settings, rest) = turns[1].1.split_at(SETTINGS);
    let (settings, rest) = (settings.to_vec(), rest.to_vec());
    turns[1].1 = rest;
    turns.insert(0, (Peer::Receiver, settings));
    same_however_cut(&turns, &[4, 3, 20, 1, 7], 3);
}
