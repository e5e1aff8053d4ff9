//! Conversations by hand, cut anywhere: what is seen does not depend on how the bytes arrive.

use std::sync::Arc;

use proptest::prelude::*;

use crate::evidence::{Capture, CaptureEnd, Field, Message, MessageDirection, Recorder, Settlement};
use crate::plan::{TapIx, TapPlan, TapProtocol};
use crate::scenario::NodeIx;
use crate::tap::eye::{EndKind, Eye, Peer};
use crate::tap::scene::Scene;

type Turn = (Peer, Vec<u8>);

fn scene(recorder: &Recorder) -> Arc<Scene> {
    let plan = TapPlan::between(NodeIx::CLIENT, NodeIx(1), TapProtocol::Sqs);
    Arc::new(Scene::new(TapIx(0), plan, 0xab, recorder.clone()))
}

fn request(operation: &str, body: &str) -> Turn {
    let length = body.len();
    let text = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nx-amz-target: AmazonSQS.{operation}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    (Peer::Sender, text.into_bytes())
}

fn answer(status: u16, body: &str) -> Turn {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}");
    (Peer::Receiver, text.into_bytes())
}

fn chunked(status: u16, body: &str) -> Turn {
    let (one, two) = body.split_at(body.len() / 2);
    let (first, second) = (one.len(), two.len());
    let text = format!(
        "HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n{first:x}\r\n{one}\r\n{second:x}\r\n{two}\r\n0\r\n\r\n"
    );
    (Peer::Receiver, text.into_bytes())
}

/// Returns the captures and gaps of one connection whose turns are cut after these numbers of bytes.
fn watched(
    scene: &Arc<Scene>,
    connection: u32,
    turns: &[Turn],
    cuts: &mut impl Iterator<Item = usize>,
) -> Vec<Capture> {
    let mut eye = Eye::new(scene.clone(), connection);
    for (side, bytes) in turns {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            rest = after;
            match side {
                Peer::Sender => assert_eq!(eye.request(part), part),
                Peer::Receiver => eye.answer(part),
            }
        }
    }
    eye.end(Peer::Sender, EndKind::Closed);
    eye.end(Peer::Receiver, EndKind::Closed);
    let mut captures = scene.writer.recorder.freeze().0;
    for capture in &mut captures {
        (capture.begun_nanos, capture.ended_nanos) = (0, None);
    }
    captures
}

fn whole(turns: &[Turn]) -> (Vec<Capture>, Vec<String>) {
    let recorder = Recorder::new(1000, true);
    let captures = watched(&scene(&recorder), 0, turns, &mut std::iter::empty());
    (captures, recorder.freeze().1.into_iter().map(|gap| gap.what).collect())
}

fn message(capture: &Capture) -> &Message {
    capture.message.as_ref().unwrap()
}

const SEND: &str = r#"{"QueueUrl":"http://h:1/0/jobs","MessageAttributes":{"z":{"DataType":"String","StringValue":"1"},
    "a":{"StringValue":"2","DataType":"Number"},"z":{"DataType":"String","StringValue":"3"}},"MessageBody":"b"}"#;
const RECEIVED: &str = r#"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"ub000000ab-3",
    "Attributes":{"ApproximateReceiveCount":"5"}},{"MessageId":"n","ReceiptHandle":"s","Body":"b"}]}"#;

fn conversation() -> Vec<Turn> {
    vec![
        request("SendMessage", SEND),
        answer(200, r#"{"MessageId":"m"}"#),
        request("ListQueues", "{}"),
        answer(200, r#"{"QueueUrls":[]}"#),
        request("ReceiveMessage", r#"{"QueueUrl":"http://h:1/0/jobs","MessageAttributeNames":["All"]}"#),
        chunked(200, RECEIVED),
        request("DeleteMessage", r#"{"QueueUrl":"http://h:1/0/jobs","ReceiptHandle":"r"}"#),
        answer(200, ""),
        request("ChangeMessageVisibility", r#"{"QueueUrl":"q","ReceiptHandle":"s","VisibilityTimeout":0}"#),
        answer(200, "{}"),
    ]
}

#[test]
fn order_duplicates_and_kinds_are_those_of_the_text() {
    let (captures, gaps) = whole(&conversation());
    assert_eq!(gaps, [""; 0]);
    let names: Vec<_> =
        captures[0].headers.iter().map(|field| (&field.name[..], field.kind.word())).collect();
    assert_eq!(names, [(&b"z"[..], "text"), (b"a", "number"), (b"z", "text")]);
    assert_eq!(captures[0].values("z").collect::<Vec<_>>(), [b"1", b"3"]);
    assert_eq!((message(&captures[0]).id.as_deref(), captures[0].stream), (Some("m"), 0));
    let ends: Vec<_> = captures.iter().map(|capture| capture.end.clone()).collect();
    let wanted = [Settlement::Accepted, Settlement::Done, Settlement::Returned];
    assert_eq!(ends, wanted.map(CaptureEnd::Settled));
    let summary: Vec<_> =
        captures[1..].iter().map(|one| (message(one).deliveries, message(one).receive, one.stream)).collect();
    assert_eq!(summary, [(5, Some(1), 2), (1, Some(1), 2)]);
}

#[test]
fn a_body_in_chunks_is_read_and_attributes_that_do_not_fit_their_type_are_kept_as_they_stand() {
    let body = r#"{"QueueUrl":"q","MessageBody":"b","MessageAttributes":{
        "x":{"DataType":"Binary","BinaryValue":"not base64"},"y":{"StringValue":"v"},"w":7}}"#;
    let text = format!(
        "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let (captures, gaps) = whole(&[(Peer::Sender, text.into_bytes()), answer(400, "{}")]);
    assert_eq!(gaps, [""; 0]);
    let other = |name: &str, value: &str| Field {
        kind: crate::evidence::FieldKind::Other,
        ..Field::text(name, value)
    };
    assert_eq!(captures[0].headers, [other("x", "not base64"), other("y", "v"), other("w", "")]);
    assert_eq!(captures[0].end, CaptureEnd::Settled(Settlement::Refused));
}

#[test]
fn a_message_without_an_answer_is_broken() {
    let (captures, gaps) = whole(&[request("SendMessage", SEND)]);
    assert_eq!(gaps, [""; 0]);
    assert!(matches!(&captures[0].end, CaptureEnd::Broken(how) if how.contains("closed")), "{captures:#?}");
}

#[test]
fn what_the_answer_does_not_say_is_not_made_up() {
    let batch = r#"{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"a"},{"Id":"2","MessageBody":"b"}]}"#;
    let outcome = r#"{"Successful":[{"Id":"1","MessageId":"m"}]}"#;
    let (captures, gaps) = whole(&[request("SendMessageBatch", batch), answer(200, outcome)]);
    assert_eq!(gaps, [""; 0]);
    assert_eq!(captures[0].end, CaptureEnd::Settled(Settlement::Accepted));
    assert_eq!(captures[1].end, CaptureEnd::Broken("the answer does not mention this entry".to_owned()));

    let (captures, gaps) = whole(&[request("SendMessageBatch", batch), answer(200, "{")]);
    assert!(gaps[0].contains("(SendMessageBatch) got an answer that was not read"), "{gaps:?}");
    assert!(captures.iter().all(|capture| matches!(capture.end, CaptureEnd::Broken(_))));

    let encoded = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx".to_vec();
    let (captures, gaps) =
        whole(&[request("ReceiveMessage", r#"{"QueueUrl":"q"}"#), (Peer::Receiver, encoded)]);
    assert_eq!(captures, []);
    assert!(gaps[0].ends_with("its body is encoded as `gzip`"), "{gaps:?}");
}

#[test]
fn a_broker_may_give_a_message_away_before_it_answers_the_sender() {
    let recorder = Recorder::new(1000, true);
    let scene = scene(&recorder);
    let mut sender = Eye::new(scene.clone(), 0);
    sender.request(&request("SendMessage", SEND).1);
    let bare = r#"{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":"b"}]}"#;
    let asks = request("ReceiveMessage", r#"{"QueueUrl":"jobs","MessageAttributeNames":["a"]}"#);
    watched(&scene, 1, &[asks, answer(200, bare)], &mut std::iter::empty());
    assert_eq!(recorder.freeze().0[1].headers, []);
    sender.answer(&answer(200, r#"{"MessageId":"m"}"#).1);
    let delivered = recorder.freeze().0.remove(1);
    assert_eq!(
        (message(&delivered).direction, delivered.values("a").count()),
        (MessageDirection::Delivered, 0),
        "asked for, and lost"
    );
    assert_eq!(delivered.values("z").collect::<Vec<_>>(), [b"1", b"3"], "not asked for");
}

#[test]
fn http2_is_a_gap() {
    let preface = crate::tap::http2::PREFACE.to_vec();
    let (captures, gaps) = whole(&[(Peer::Sender, preface)]);
    assert_eq!(captures, []);
    assert_eq!(
        gaps,
        [
            "the tap stopped reading connection 0: it is HTTP/2, and calls of SQS are read over HTTP/1.1 only; what followed on \
          this connection was not seen"
        ]
    );
}

#[test]
fn every_single_cut_is_the_same() {
    let turns = conversation();
    let (wanted, _) = whole(&turns);
    for at in 1..turns.iter().map(|(_, bytes)| bytes.len()).max().unwrap() {
        let recorder = Recorder::new(1000, true);
        assert_eq!(watched(&scene(&recorder), 0, &turns, &mut std::iter::repeat(at)), wanted, "{at}");
        assert_eq!(recorder.freeze().1, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_it_is_cut_the_same_is_seen(cuts in prop::collection::vec(1usize..60, 0..200)) {
        let turns = conversation();
        let recorder = Recorder::new(1000, true);
        prop_assert_eq!(watched(&scene(&recorder), 0, &turns, &mut cuts.into_iter()), whole(&turns).0);
    }

    #[test]
    fn no_bytes_bring_the_tap_down(
        operation in "(Send|Receive|Delete|ChangeVisibility)Message(Batch)?|ChangeMessageVisibility(Batch)?",
        asked in json(),
        body in json(),
        status in 100u16..600,
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let turns = [
            request(&operation, &asked),
            answer(status, &body),
            request(&operation, &String::from_utf8_lossy(&noise)),
            (Peer::Receiver, noise),
        ];
        whole(&turns);
    }
}

/// JSON with the API's own names where the tap looks, and any values behind them.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("0".to_owned()),
        Just("1e999".to_owned()),
        Just(r#""String""#.to_owned()),
        Just(r#""AAE=""#.to_owned()),
        Just(r#""\ud800""#.to_owned()),
    ];
    let name = prop_oneof![
        Just("Messages"),
        Just("MessageId"),
        Just("ReceiptHandle"),
        Just("Entries"),
        Just("Id"),
        Just("MessageAttributes"),
        Just("DataType"),
        Just("StringValue"),
        Just("BinaryValue"),
        Just("QueueUrl"),
        Just("Successful"),
        Just("Failed"),
        Just("Attributes"),
        Just("ApproximateReceiveCount"),
        Just("VisibilityTimeout"),
        Just("MessageAttributeNames"),
        Just("AWSTraceHeader"),
        Just("Body"),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}
