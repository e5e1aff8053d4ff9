//! Conversations that can be read, and those that cannot.

use std::sync::Arc;

use super::super::splits::watch;
use super::frames::*;
use super::*;
use crate::evidence::{CaptureMark, FieldKind};
use crate::tap::eye::{EndKind, Eye, Peer};
use crate::tap::scene::Scene;

/// Returns the captures and gaps of bytes from a client and then from a broker, which then closes the connection.
fn see(sent: &[u8], answered: &[u8]) -> (Vec<Capture>, Vec<String>) {
    see_with(amqp(), sent, answered)
}

fn see_with(plan: TapPlan, sent: &[u8], answered: &[u8]) -> (Vec<Capture>, Vec<String>) {
    let recorder = Recorder::new(1000, true);
    let mut eye = Eye::new(Arc::new(Scene::new(TapIx(0), plan, RUN, recorder.clone())), 4);
    assert_eq!(*eye.request(sent), *sent);
    eye.answer(answered);
    eye.end(Peer::Receiver, EndKind::Closed);
    let (captures, gaps) = recorder.freeze();
    (captures, gaps.into_iter().map(|gap| gap.what).collect())
}

/// A client that has begun.
fn sending(frames: &[Bytes]) -> Bytes {
    [PROTOCOL, &frames.concat()].concat()
}

fn published(properties: &[u8], body: &[u8]) -> Capture {
    let sent = sending(&[publish(1, "ex", "key", false), content(1, properties, &[body])]);
    let (mut captures, gaps) = see(&sent, b"");
    assert_eq!((captures.len(), gaps), (1, Vec::new()));
    captures.remove(0)
}

#[test]
fn every_type_of_rabbitmq_is_read_in_order_and_duplicates_are_kept() {
    let table = [
        entry("text", b'S', &long(b"a")),
        entry("bytes", b'x', &long(b"\0\xff")),
        entry("none", b'V', b""),
        entry("flag", b't', &[1]),
        entry("i8", b'b', &[0xff]),
        entry("u8", b'B', &[0xff]),
        entry("i16", b's', &[0xff, 0xfe]),
        entry("spec16", b'U', &[0xff, 0xfe]),
        entry("u16", b'u', &[0xff, 0xfe]),
        entry("i32", b'I', &[0xff, 0xff, 0xff, 0xfd]),
        entry("u32", b'i', &[0xff, 0xff, 0xff, 0xfd]),
        entry("i64", b'l', &[0xff; 8]),
        entry("spec64", b'L', &[0xff; 8]),
        entry("float", b'f', &0.25_f32.to_be_bytes()),
        entry("double", b'd', &(-0.5_f64).to_be_bytes()),
        entry("decimal", b'D', &[2, 0, 0, 1, 58]),
        entry("time", b'T', &long_long(1_700_000_000)),
        entry("array", b'A', &long(&[b't', 1])),
        entry("table", b'F', &long(&entry("a", b'V', b""))),
        entry("text", b'S', &long(b"again")),
        entry("", b'S', &long(b"")),
    ];
    let capture = published(&headers(&table), b"");
    let seen = capture.headers.iter().map(|field| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&field.name), field.kind, text(field.value.as_deref().unwrap()))
    });
    let seen: Vec<_> = seen.collect();
    let expected = [
        ("text", FieldKind::Text, "a"),
        ("bytes", FieldKind::Bytes, "\0\u{fffd}"),
        ("none", FieldKind::Null, ""),
        ("flag", FieldKind::Other, "true"),
        ("i8", FieldKind::Number, "-1"),
        ("u8", FieldKind::Number, "255"),
        ("i16", FieldKind::Number, "-2"),
        ("spec16", FieldKind::Number, "-2"),
        ("u16", FieldKind::Number, "65534"),
        ("i32", FieldKind::Number, "-3"),
        ("u32", FieldKind::Number, "4294967293"),
        ("i64", FieldKind::Number, "-1"),
        ("spec64", FieldKind::Number, "-1"),
        ("float", FieldKind::Number, "0.25"),
        ("double", FieldKind::Number, "-0.5"),
        ("decimal", FieldKind::Other, "\u{2}\0\0\u{1}:"),
        ("time", FieldKind::Other, "1700000000"),
        ("array", FieldKind::Other, "t\u{1}"),
        ("table", FieldKind::Other, "\u{1}aV"),
        ("text", FieldKind::Text, "again"),
        ("", FieldKind::Text, ""),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(name, kind, value)| (name.to_owned(), kind, value.to_owned())).collect();
    assert_eq!(seen, expected);
}

#[test]
fn properties_in_several_words_of_flags_are_read() {
    let flags = [short(1 << 13 | 1 << 7 | 1), short(1), short(0)].concat();
    let table = long(&entry("a", b'S', &long(b"b")));
    let capture = published(&[flags, table, text("id")].concat(), b"");
    assert_eq!((capture.headers.len(), message(&capture).id.as_deref()), (1, Some("id")));
}

#[test]
fn a_mark_is_found_in_a_declared_header_or_in_the_body() {
    let plan = TapPlan { markers: vec![Marker::Header("order".into())], ..amqp() };
    let table = headers(&[entry("order", b'S', &long(b"ub000000ab-5"))]);
    let sent = sending(&[publish(1, "", "q", false), content(1, &table, &[b"ub000000ab-6"])]);
    let stimulus = |capture: &Capture| crate::evidence::mark_of(&capture.marked).unwrap().stimulus.0;
    assert_eq!(stimulus(&see_with(plan, &sent, b"").0[0]), 5);
    assert_eq!(stimulus(&see(&sent, b"").0[0]), 6);
}

#[test]
fn a_body_is_looked_at_for_64_kib() {
    let unreadable = |marked| matches!(marked, CaptureMark::Unreadable(_));
    assert!(unreadable(published(&no_properties(), &[b' '; 65_537]).marked));
    assert_eq!(published(&no_properties(), &[b' '; 65_536]).marked, CaptureMark::Absent);
    let encoded = [short(1 << 14), text("gzip")].concat();
    assert!(unreadable(published(&encoded, b"x").marked));
}

#[test]
fn the_first_death_is_what_the_broker_says_it_is() {
    let table = headers(&[entry("x-first-death-queue", b'S', &long(b"orders"))]);
    let delivered = [consume_ok(1, "c"), deliver(1, "c", 1, false), content(1, &table, &[])].concat();
    let (captures, gaps) = see(&sending(&[consume(1, "dead", "c", 0)]), &delivered);
    assert_eq!((message(&captures[0]).moved_from.as_deref(), gaps.len()), (Some("orders"), 0));
    assert_eq!(captures[0].end, CaptureEnd::Broken("the broker closed the connection".to_owned()));
    // A message that is published with such a header was not dead-lettered by it.
    assert_eq!(message(&published(&table, b"")).moved_from, None);
}

#[test]
fn a_message_that_cannot_be_read_is_a_gap_and_the_next_one_is_read() {
    let unknown = headers(&[entry("a", b'?', b"")]);
    let cut = [short(1 << 13), long(&[5, b'a'])].concat();
    let missing = [short(1 << 7), octet(9)].concat();
    for (properties, why) in [(unknown, "does not know"), (cut, "in the middle"), (missing, "their flags")] {
        let sent = [
            confirm_select(1),
            [publish(1, "ex", "bad", false), content(1, &properties, &[b"x"])].concat(),
            [publish(1, "ex", "good", false), content(1, &no_properties(), &[b"x"])].concat(),
        ];
        let (captures, gaps) = see(&sending(&sent), &ack(1, 2, false));
        assert!(gaps.len() == 1 && gaps[0].contains(why), "{gaps:?}");
        assert!(
            gaps[0].starts_with("the tap could not read a message on channel 1 of connection 4: its "),
            "{gaps:?}"
        );
        assert_eq!((captures.len(), &captures[0].end), (1, &ended(Settlement::Accepted)));
    }
}

#[test]
fn a_connection_that_cannot_be_read_is_a_gap_that_says_why() {
    let begun = |frames: &[Bytes]| sending(frames);
    let good = [publish(1, "ex", "key", false), content(1, &no_properties(), &[b"x"])].concat();
    let mut unended = good.clone();
    *unended.last_mut().unwrap() = 0;
    let table: Vec<(Bytes, Bytes, &str)> = vec![
        (b"GET / HTTP/1.1\r\n".to_vec(), vec![], "the client did not start with AMQP 0-9-1"),
        (b"AMQP\x03\x01\x00\x00".to_vec(), vec![], "the client did not start with AMQP 0-9-1"),
        (vec![0x16, 3, 1], vec![], "it uses TLS, and the hop is not declared with `tls: true`"),
        (PROTOCOL.to_vec(), b"AMQP\x00\x00\x09\x01".to_vec(), "the broker did not start with AMQP 0-9-1"),
        (begun(&[unended]), vec![], "its last octet is not CE"),
        (begun(&[frame(4, 1, b"")]), vec![], "its type is not method, header, body or heartbeat"),
        (begun(&[method(1, (60, 40), &[short(0)])]), vec![], "a method is shorter than its arguments"),
        (
            begun(&[publish(1, "", "q", false), publish(1, "", "q", false)]),
            vec![],
            "before a content was complete",
        ),
        (begun(&[good.clone(), frame(3, 1, b"x")]), vec![], "without a method before it"),
        (begun(&[publish(1, "", "q", false), frame(3, 1, b"x")]), vec![], "a body came before its header"),
        (begun(&[publish(1, "", "q", false), frame(2, 1, &[0, 60])]), vec![], "shorter than its fields"),
        (begun(&[vec![2, 0, 1, 0, 0x20, 0, 0]]), vec![], "longer than 1 MiB"),
    ];
    for (sent, answered, why) in table {
        let (_, gaps) = see(&sent, &answered);
        assert!(gaps.len() == 1 && gaps[0].contains(why), "{why}: {gaps:?}");
        assert!(gaps[0].starts_with("the tap stopped reading connection 4: "), "{gaps:?}");
    }
}

#[test]
fn a_client_that_goes_within_a_message_leaves_a_gap() {
    let turns = sending(&[publish(1, "", "q", false)]);
    let recorder = Recorder::new(10, true);
    let mut eye = Eye::new(Arc::new(Scene::new(TapIx(0), amqp(), RUN, recorder.clone())), 0);
    eye.request(&turns);
    eye.end(Peer::Sender, EndKind::Closed);
    assert_eq!(recorder.freeze().1[0].what, "connection 0 ended in the middle of a message");
}

#[test]
fn what_the_broker_closes_a_channel_for_is_refused_and_nothing_else() {
    let message = |key| [publish(1, key, key, false), content(1, &no_properties(), &[])].concat();
    let plain = sending(&[message("good"), message("bad")]);
    let confirmed = sending(&[confirm_select(1), message("good"), message("bad")]);
    let missing = close(1, (20, 40), (404, "NOT_FOUND - no exchange 'bad' in vhost '/'"), (60, 40));
    let ends = |sent: &[u8], close: &[u8]| -> Vec<CaptureEnd> {
        see(sent, close).0.into_iter().map(|capture| capture.end).collect()
    };
    let accepted = || ended(Settlement::Accepted);
    let refused = || ended(Settlement::Refused);
    let unknown = |why: &str| CaptureEnd::Broken(format!("the broker closed the channel: {why}"));
    assert_eq!(ends(&plain, &missing), [accepted(), refused()]);
    let why = "404 NOT_FOUND - no exchange 'bad' in vhost '/'";
    assert_eq!(ends(&confirmed, &missing), [unknown(why), refused()]);
    let (captures, _) = see(&confirmed, &missing);
    assert_eq!(super::message(&captures[1]).refused.as_deref(), Some(why));
    let by_ack = close(1, (20, 40), (406, "PRECONDITION_FAILED - unknown delivery tag 7"), (60, 80));
    let why = "406 PRECONDITION_FAILED - unknown delivery tag 7";
    assert_eq!(ends(&confirmed, &by_ack), [unknown(why), unknown(why)]);
    assert_eq!(ends(&plain, &by_ack), [accepted(), accepted()]);
    let whole = close(0, (10, 50), (320, "CONNECTION_FORCED"), (0, 0));
    assert_eq!(
        ends(&confirmed, &whole),
        [unknown("320 CONNECTION_FORCED"), unknown("320 CONNECTION_FORCED")]
    );
}

#[test]
fn what_is_published_into_a_closed_channel_is_refused() {
    let late = [publish(1, "ex", "key", false), content(1, &no_properties(), &[])].concat();
    let closed = close(1, (20, 40), (404, "NOT_FOUND"), (60, 40));
    let turns = [
        (Peer::Sender, sending(&[method(1, (20, 10), &[text("")])])),
        (Peer::Receiver, closed),
        (Peer::Sender, [late.clone(), method(1, (20, 41), &[])].concat()),
        // The same number again is another channel.
        (Peer::Sender, [method(1, (20, 10), &[text("")]), late].concat()),
    ];
    let (_, captures) = watch(amqp(), &turns, std::iter::empty());
    let ends: Vec<_> = captures.iter().map(|capture| capture.end.clone()).collect();
    assert_eq!(ends, [ended(Settlement::Refused), ended(Settlement::Accepted)]);
    let why = message(&captures[0]).refused.as_deref();
    assert_eq!(why, Some("the broker had closed the channel: 404 NOT_FOUND"));
}

#[test]
fn a_return_finds_its_message_without_confirms_and_among_equals() {
    let one = |body: &[u8]| [publish(1, "", "none", true), content(1, &no_properties(), &[body])].concat();
    let returned = [short(312), text("NO_ROUTE"), text(""), text("none")];
    let answer = [method(1, (60, 50), &returned), content(1, &no_properties(), &[b"second"])].concat();
    for begin in [vec![], confirm_select(1)] {
        let sent = sending(&[begin, one(b"first"), one(b"second"), one(b"third")]);
        let (captures, _) = see(&sent, &[answer.clone(), ack(1, 3, true)].concat());
        let ends: Vec<_> = captures.iter().map(|capture| capture.end.clone()).collect();
        let expected = [Settlement::Accepted, Settlement::Refused, Settlement::Accepted].map(ended);
        assert_eq!(ends, expected);
    }
}

#[test]
fn no_wait_needs_no_answer() {
    let declare = method(1, (50, 10), &[short(0), text("own"), octet(0b1_0000), long(b"")]);
    let sent = sending(&[declare, consume(1, "", "c", 0b1010)]);
    let delivered = [deliver(1, "c", 1, false), content(1, &no_properties(), &[])].concat();
    let (captures, gaps) = see(&sent, &delivered);
    assert_eq!((message(&captures[0]).destination.as_str(), gaps.len()), ("own", 0));
    assert_eq!(captures[0].end, ended(Settlement::Done));
    let cancel = method(1, (60, 30), &[text("c"), octet(1)]);
    let (captures, gaps) = see(&[sent, cancel].concat(), &delivered);
    assert!(captures.is_empty() && gaps[0].contains("its consumer is unknown"), "{gaps:?}");
}
