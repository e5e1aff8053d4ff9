//! One long conversation with everything in it, and that it is the same however it is cut.

use proptest::prelude::*;

use super::super::splits::{sent_by, watch};
use super::frames::*;
use super::*;
use crate::evidence::FieldKind;
use crate::tap::eye::{Eye, Peer};
use crate::tap::scene::Scene;

use Settlement::{Accepted, Done, Refused, Rejected, Returned};

const PARENT: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn mark(stimulus: u32) -> String {
    format!("x ub000000ab-{stimulus} x")
}

fn marked_headers() -> Bytes {
    let parent = entry("traceparent", b'S', &long(PARENT));
    let flags = short(1 << 15 | 1 << 13 | 1 << 12 | 1 << 10 | 1 << 7 | 1 << 6);
    let table = long(&[parent.clone(), entry("TraceState", b'x', &long(b"a=1")), parent].concat());
    let rest = [octet(2), text("correlation"), text("id-7"), long_long(1)].concat();
    [flags, text("text/plain"), table, rest].concat()
}

/// Channel 1: confirms, one by one and many at once, a refusal and a return. Channel 2, in between: no confirms.
fn publishing() -> Vec<(Peer, Bytes)> {
    let (first, second) = (mark(1), mark(2));
    let (start, end) = first.split_at(7);
    let plain = content(1, &no_properties(), &[b"x"]);
    let first = content(1, &marked_headers(), &[start.as_bytes(), end.as_bytes()]);
    // Between the two frames of its body come those of another channel.
    let (first, last_frame) = first.split_at(first.len() - frame(3, 1, end.as_bytes()).len());
    let client = [
        PROTOCOL.to_vec(),
        method(0, (10, 11), &[long(b""), text("PLAIN"), long(b"\0guest\0guest"), text("en_US")]),
        method(1, (20, 10), &[text("")]),
        confirm_select(1),
        publish(1, "ex", "key", true),
        first.to_vec(),
        HEARTBEAT.to_vec(),
        method(2, (20, 10), &[text("")]),
        publish(2, "", "plain", false),
        content(2, &no_properties(), &[b"", second.as_bytes(), b""]),
        last_frame.to_vec(),
        publish(1, "ex", "none", true),
        content(1, &headers(&[]), &[]),
        [publish(1, "ex", "k3", false), plain.clone(), publish(1, "ex", "k4", false), plain.clone()].concat(),
        [publish(1, "ex", "k5", false), plain.clone(), publish(1, "ex", "k6", false), plain].concat(),
    ];
    let returned = [short(312), text("NO_ROUTE"), text("ex"), text("none")];
    let broker = [
        method(1, (85, 11), &[]),
        method(1, (60, 50), &returned),
        content(1, &headers(&[]), &[]),
        ack(1, 2, false),
        ack(1, 4, true),
        nack(1, 5, 0),
    ];
    vec![(Peer::Sender, client.concat()), (Peer::Receiver, broker.concat())]
}

/// Channel 3: consumers, gets and all settlements of a delivery. Channel 2 continues in a transaction.
fn consuming() -> Vec<(Peer, Bytes)> {
    let third = mark(3);
    let body = || content(3, &no_properties(), &[third.as_bytes()]);
    let declare = |bits| method(3, (50, 10), &[short(0), text(""), octet(bits), long(b"")]);
    let get = |queue, no_ack: bool| method(3, (60, 70), &[short(0), text(queue), octet(u8::from(no_ack))]);
    let got = |tag: u64| {
        let arguments = [long_long(tag), octet(1), text("ex"), text("key"), vec![0, 0, 0, 3]];
        [method(3, (60, 71), &arguments), body()].concat()
    };
    let death = [entry("count", b'l', &long_long(1)), entry("queue", b'S', &long(b"retry"))].concat();
    let older = entry("queue", b'S', &long(b"orders"));
    let deaths = [vec![b'F'], long(&death), vec![b'F'], long(&older)].concat();
    let dead = headers(&[entry("x-death", b'A', &long(&deaths))]);
    let asked = [
        declare(0),
        consume(3, "", "", 0),
        consume(3, "named", "mine", 0b10),
        get("", false),
        get("", true),
        get("", true),
    ];
    let delivered = [
        method(3, (50, 11), &[text("made-up"), vec![0; 8]]),
        consume_ok(3, "ctag-1"),
        consume_ok(3, "mine"),
        got(1),
        got(2),
        method(3, (60, 72), &[text("")]),
        [deliver(3, "ctag-1", 3, false), body(), deliver(3, "mine", 4, true), body()].concat(),
        [deliver(3, "ctag-1", 5, false), content(3, &dead, &[])].concat(),
        (6..=10).flat_map(|tag| [deliver(3, "ctag-1", tag, false), body()].concat()).collect(),
    ];
    let settled = [
        [ack(3, 3, true), reject(3, 5, false), nack(3, 7, 0b11), ack(3, 8, false)].concat(),
        method(3, (60, 110), &[octet(1)]),
        [method(2, (90, 10), &[]), publish(2, "ex", "tx", false), content(2, &no_properties(), &[])].concat(),
        method(2, (90, 20), &[]),
    ];
    let last = [deliver(3, "ctag-1", 11, true), body(), method(2, (90, 11), &[]), method(2, (90, 21), &[])];
    let left = [
        [publish(2, "ex", "back", false), content(2, &no_properties(), &[]), method(2, (90, 30), &[])]
            .concat(),
        close(3, (20, 40), (200, "bye"), (0, 0)),
    ];
    let gone = [method(2, (90, 31), &[]), method(3, (20, 41), &[])];
    vec![
        (Peer::Sender, asked.concat()),
        (Peer::Receiver, delivered.concat()),
        (Peer::Sender, settled.concat()),
        (Peer::Receiver, last.concat()),
        (Peer::Sender, left.concat()),
        (Peer::Receiver, gone.concat()),
    ]
}

fn conversation() -> Vec<(Peer, Bytes)> {
    let closing = close(0, (10, 50), (200, "bye"), (0, 0));
    let end = [(Peer::Sender, closing), (Peer::Receiver, method(0, (10, 51), &[]))];
    [publishing(), consuming(), end.to_vec()].concat()
}

/// Place, deliveries and end of each capture.
fn table(captures: &[Capture]) -> Vec<(String, u32, CaptureEnd)> {
    let place = |capture: &Capture| {
        let message = message(capture);
        let key = message.routing_key.as_ref().map(|key| format!("/{key}")).unwrap_or_default();
        format!("{} {} {}{key}", capture.stream, message.direction.word(), message.destination)
    };
    captures.iter().map(|one| (place(one), message(one).deliveries, one.end.clone())).collect()
}

#[test]
fn a_conversation_is_read_whole() {
    let (sent, captures) = watch(amqp(), &conversation(), std::iter::empty());
    assert_eq!(sent, sent_by(&conversation()));
    let broken = |text: &str| CaptureEnd::Broken(text.to_owned());
    let unconfirmed = "the client closed the connection before the broker confirmed the message";
    let rolled_back = "the client rolled back its transaction";
    let expected = [
        ("2 published /plain", 1, ended(Accepted)),
        ("1 published ex/key", 1, ended(Accepted)),
        ("1 published ex/none", 1, ended(Refused)),
        ("1 published ex/k3", 1, ended(Accepted)),
        ("1 published ex/k4", 1, ended(Accepted)),
        ("1 published ex/k5", 1, ended(Refused)),
        ("1 published ex/k6", 1, broken(unconfirmed)),
        ("3 delivered made-up", 2, ended(Done)),
        ("3 delivered made-up", 2, ended(Done)),
        ("3 delivered made-up", 1, ended(Done)),
        ("3 delivered named", 2, ended(Done)),
        ("3 delivered made-up", 1, ended(Rejected)),
        ("3 delivered made-up", 1, ended(Returned)),
        ("3 delivered made-up", 1, ended(Returned)),
        ("3 delivered made-up", 1, ended(Done)),
        ("3 delivered made-up", 1, ended(Returned)),
        ("3 delivered made-up", 1, ended(Returned)),
        ("2 published ex/tx", 1, ended(Accepted)),
        ("3 delivered made-up", 2, ended(Returned)),
        ("2 published ex/back", 1, broken(rolled_back)),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(place, count, end)| (place.to_owned(), count, end)).collect();
    assert_eq!(table(&captures), expected);
    let marks: Vec<_> = captures.iter().map(|one| crate::evidence::mark_of(&one.marked)).collect();
    let stimuli: Vec<_> = marks.iter().map(|mark| mark.map_or(0, |mark| mark.stimulus.0)).collect();
    assert_eq!(stimuli, [2, 1, 0, 0, 0, 0, 0, 3, 3, 3, 3, 0, 3, 3, 3, 3, 3, 0, 3, 0]);
    let first = &captures[1];
    let seen = |name: &str| first.headers.iter().filter(|field| field.name == name.as_bytes()).count();
    assert_eq!((first.headers.len(), seen("traceparent"), seen("TraceState")), (3, 2, 1));
    assert_eq!((first.headers[1].kind, first.headers[2].value.as_deref()), (FieldKind::Bytes, Some(PARENT)));
    assert_eq!(message(first).id.as_deref(), Some("id-7"));
    assert_eq!(message(&captures[2]).refused.as_deref(), Some("312 NO_ROUTE"));
    assert_eq!(message(&captures[5]).refused.as_deref(), Some("basic.nack from the broker"));
    assert_eq!(message(&captures[11]).moved_from.as_deref(), Some("orders"));
}

#[test]
fn every_cut_into_pieces_of_one_length_is_the_same() {
    let whole = watch(amqp(), &conversation(), std::iter::empty());
    for length in 1..300 {
        assert_eq!(watch(amqp(), &conversation(), std::iter::repeat(length)), whole, "pieces of {length}");
    }
}

#[test]
fn every_single_cut_is_the_same() {
    let turns = conversation();
    let whole = watch(amqp(), &turns, std::iter::empty());
    for turn in 0..turns.len() {
        for at in 1..turns[turn].1.len() {
            let mut cut = turns.clone();
            let rest = cut[turn].1.split_off(at);
            let side = cut[turn].0;
            cut.insert(turn + 1, (side, rest));
            assert_eq!(watch(amqp(), &cut, std::iter::empty()), whole, "turn {turn} cut at {at}");
        }
    }
}

/// Returns the captures of bytes that are no conversation; the eye must forward all of them.
fn look(sent: &[u8], answered: &[u8], cuts: &[usize]) -> Recorder {
    let recorder = Recorder::new(1000, true);
    let scene = Scene::new(TapIx(0), amqp(), RUN, recorder.clone());
    let mut eye = Eye::new(std::sync::Arc::new(scene), 0);
    let mut went_on = Vec::new();
    let (mut sent_left, mut answered_left) = (sent, answered);
    for cut in cuts.iter().chain([&usize::MAX]) {
        let (part, rest) = sent_left.split_at(sent_left.len().min(*cut));
        (sent_left, answered_left) = (rest, {
            let (answer, rest) = answered_left.split_at(answered_left.len().min(*cut));
            eye.answer(answer);
            rest
        });
        went_on.extend_from_slice(&eye.request(part));
    }
    drop(eye);
    assert_eq!(went_on, sent);
    recorder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_is_the_same(cuts in prop::collection::vec(1usize..60, 0..300)) {
        let whole = watch(amqp(), &conversation(), std::iter::empty());
        prop_assert_eq!(watch(amqp(), &conversation(), cuts.into_iter()), whole);
    }

    #[test]
    fn no_bytes_bring_the_tap_down(
        sent in prop::collection::vec(any::<u8>(), 0..200),
        answered in prop::collection::vec(any::<u8>(), 0..200),
        begun in any::<bool>(),
        cuts in prop::collection::vec(0usize..40, 0..20),
    ) {
        let sent = if begun { [PROTOCOL, &sent].concat() } else { sent };
        look(&sent, &answered, &cuts);
    }

    #[test]
    fn no_frames_bring_the_tap_down(
        frames in prop::collection::vec(
            (any::<bool>(), 1u8..5, 0u16..3, prop::collection::vec(any::<u8>(), 0..40)), 0..30),
        ids in prop::collection::vec(prop::sample::select(METHODS), 30),
    ) {
        let (mut sent, mut answered) = (PROTOCOL.to_vec(), Vec::new());
        for ((by_client, kind, channel, payload), id) in frames.into_iter().zip(ids) {
            let written = match kind {
                1 => method(channel, id, &[payload]),
                2 => content(channel, &payload, &[b"x"]),
                kind => frame(kind, channel, &payload),
            };
            if by_client { sent.extend(written) } else { answered.extend(written) }
        }
        look(&sent, &answered, &[]);
    }

    #[test]
    fn a_changed_byte_brings_nothing_down(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let turns = conversation();
        let mut sent = sent_by(&turns);
        let answered = turns.iter().filter(|(side, _)| *side == Peer::Receiver);
        let mut answered: Bytes = answered.flat_map(|(_, bytes)| bytes.clone()).collect();
        let at = at.index(sent.len() + answered.len());
        match at.checked_sub(sent.len()) {
            Some(at) => answered[at] = to,
            None => sent[at] = to,
        }
        look(&sent, &answered, &[50; 100]);
    }
}

const METHODS: &[(u16, u16)] = &[
    (10, 50),
    (10, 51),
    (20, 40),
    (20, 41),
    (50, 10),
    (50, 11),
    (60, 20),
    (60, 21),
    (60, 30),
    (60, 31),
    (60, 40),
    (60, 50),
    (60, 60),
    (60, 70),
    (60, 71),
    (60, 72),
    (60, 80),
    (60, 90),
    (60, 110),
    (60, 120),
    (85, 10),
    (90, 10),
    (90, 21),
    (90, 31),
];
