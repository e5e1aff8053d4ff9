//! Calls of the SQS API through taps, between the AWS SDK and the stand-in.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message as Got, MessageAttributeValue, MessageSystemAttributeName,
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use stand_in_brokers::sqs::{Config, SqsBroker};

use super::*;
use crate::evidence::{CaptureMark, Field, FieldKind, Message, MessageDirection, Settlement};
use crate::runtime::broker_admin::sqs::client;
use crate::tap::SqsMessages;

const BODY: &str = r#"["mark:ub000000ab-7"]"#;

fn sqs_plan() -> TapPlan {
    TapPlan { protocol: TapProtocol::Sqs, ..plan() }
}

/// A broker with two queues, `dead` getting what `work` gives up after one receive, and two taps before it.
struct Stage {
    broker: SqsBroker,
    recorder: Recorder,
    taps: [Tap; 2],
}

impl Stage {
    async fn set() -> Stage {
        let broker = SqsBroker::start(Config::default()).await.unwrap();
        broker.create_queue("dead", &[]).unwrap();
        broker.create_queue_with_redrive("work", "dead", 2).unwrap();
        broker.create_queue("plain", &[]).unwrap();
        let recorder = Recorder::new(10_000, true);
        let messages = SqsMessages::default();
        let tap = async |ix| {
            let mut config = TapConfig::new(TapIx(ix), sqs_plan(), RUN, broker.address());
            config.sqs = messages.clone();
            Tap::start(config, recorder.clone()).await.unwrap()
        };
        let taps = [tap(0).await, tap(1).await];
        Stage { broker, recorder, taps }
    }

    /// A client with a pool of its own behind one of the taps.
    fn client(&self, tap: usize) -> Client {
        client(&format!("http://{}", self.taps[tap].address()))
    }

    fn url(&self, queue: &str) -> String {
        self.broker.queue_url(queue)
    }

    async fn send(&self, queue: &str, attributes: HashMap<String, MessageAttributeValue>) -> String {
        let sending = self.client(0).send_message().queue_url(self.url(queue)).message_body(BODY);
        let sent = sending.set_message_attributes(Some(attributes)).send().await.unwrap();
        sent.message_id.unwrap()
    }

    async fn receive(&self, client: &Client, queue: &str) -> Vec<Got> {
        let asking = client.receive_message().queue_url(self.url(queue)).max_number_of_messages(10);
        let asking = asking.message_attribute_names("All").wait_time_seconds(5);
        let asking = asking.message_system_attribute_names(MessageSystemAttributeName::All);
        asking.send().await.unwrap().messages.unwrap_or_default()
    }

    async fn delete(&self, client: &Client, queue: &str, got: &Got) {
        let deleting = client.delete_message().queue_url(self.url(queue));
        deleting.set_receipt_handle(got.receipt_handle.clone()).send().await.unwrap();
    }

    async fn give_back(&self, client: &Client, queue: &str, got: &Got) {
        let changing = client.change_message_visibility().queue_url(self.url(queue)).visibility_timeout(0);
        changing.set_receipt_handle(got.receipt_handle.clone()).send().await.unwrap();
    }

    /// The captures of this way, in their order.
    fn seen(&self, direction: MessageDirection) -> Vec<Capture> {
        let (captures, gaps) = self.recorder.freeze();
        assert_eq!(gaps, []);
        captures.into_iter().filter(|capture| message(capture).direction == direction).collect()
    }
}

fn message(capture: &Capture) -> &Message {
    capture.message.as_ref().expect("a tap of SQS records messages only")
}

fn ends(captures: &[Capture]) -> Vec<CaptureEnd> {
    captures.iter().map(|capture| capture.end.clone()).collect()
}

fn settled(how: Settlement) -> CaptureEnd {
    CaptureEnd::Settled(how)
}

fn string(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn attributes(pairs: &[(&str, &str)]) -> HashMap<String, MessageAttributeValue> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), string(value))).collect()
}

/// Attributes have no order of their own.
fn sorted(capture: &Capture) -> Vec<Field> {
    let mut fields = capture.headers.clone();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields
}

#[tokio::test]
async fn a_message_is_seen_sent_received_and_deleted_over_other_connections_and_taps() {
    let stage = Stage::set().await;
    let id = stage.send("plain", attributes(&[("traceparent", "00-x"), ("other", "1")])).await;
    let published = stage.seen(MessageDirection::Published).remove(0);
    assert_eq!((published.tap, published.protocol), (TapIx(0), crate::evidence::Protocol::Sqs));
    assert_eq!(message(&published).destination, "plain");
    assert_eq!(message(&published).id.as_ref(), Some(&id));
    assert_eq!(published.end, settled(Settlement::Accepted));
    assert!(matches!(published.marked, CaptureMark::By(mark) if mark.to_string() == "ub000000ab-7"));

    let got = stage.receive(&stage.client(1), "plain").await;
    let delivered = stage.seen(MessageDirection::Delivered).remove(0);
    assert_eq!((delivered.tap, &delivered.end), (TapIx(1), &CaptureEnd::Open));
    assert_eq!(sorted(&delivered), sorted(&published));
    assert_eq!(delivered.marked, published.marked);

    stage.delete(&stage.client(1), "plain", &got[0]).await;
    let delivered = stage.seen(MessageDirection::Delivered).remove(0);
    assert_eq!(delivered.end, settled(Settlement::Done));
    let first = message(&delivered);
    assert_eq!((first.id.as_ref(), first.deliveries, first.receive), (Some(&id), 1, Some(1)));
    assert_eq!(delivered.connection, 0, "the message keeps the connection it came by");
}

#[tokio::test]
async fn of_a_batch_each_entry_ends_as_its_part_of_the_answer_says() {
    let stage = Stage::set().await;
    let eleven: Vec<_> = (0..11).map(|number| (format!("a{number}"), "x")).collect();
    let eleven: Vec<_> = eleven.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let entry = |id: &str, pairs| {
        let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(id);
        entry.set_message_attributes(Some(attributes(pairs))).build().unwrap()
    };
    let client = stage.client(0);
    let sending = client.send_message_batch().queue_url(stage.url("plain")).entries(entry("a", &[]));
    let sending = sending.entries(entry("b", &eleven)).entries(entry("c", &[("baggage", "k=v")]));
    let sent = sending.send().await.unwrap();
    assert_eq!((sent.successful.len(), sent.failed.len()), (2, 1));
    let published = stage.seen(MessageDirection::Published);
    let wanted = [Settlement::Accepted, Settlement::Refused, Settlement::Accepted];
    assert_eq!(ends(&published), wanted.map(settled));
    assert_eq!(message(&published[0]).id.as_ref(), Some(&sent.successful[0].message_id));
    assert_eq!((message(&published[1]).id.as_ref(), published[1].headers.len()), (None, 11));

    let reader = stage.client(1);
    let mut got = Vec::new();
    while got.len() < 2 {
        got.extend(stage.receive(&reader, "plain").await);
    }
    let deleting = reader.delete_message_batch().queue_url(stage.url("plain"));
    let entry = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let handle = got[0].receipt_handle.clone().unwrap();
    let deleting = deleting.entries(entry("x", "no handle")).entries(entry("y", &handle));
    assert_eq!(deleting.send().await.unwrap().failed.len(), 1);
    assert_eq!(ends(&stage.seen(MessageDirection::Delivered)), [settled(Settlement::Done), CaptureEnd::Open]);
}

#[tokio::test]
async fn messages_of_one_answer_share_its_number() {
    let stage = Stage::set().await;
    for _ in 0..3 {
        stage.send("plain", HashMap::new()).await;
    }
    let reader = stage.client(1);
    let mut answers = vec![stage.receive(&reader, "plain").await.len()];
    stage.send("plain", HashMap::new()).await;
    answers.push(stage.receive(&reader, "plain").await.len());
    let receives: Vec<_> =
        stage.seen(MessageDirection::Delivered).iter().map(|one| message(one).receive).collect();
    assert_eq!((answers, receives), (vec![3, 1], vec![Some(1), Some(1), Some(1), Some(2)]));
}

#[tokio::test]
async fn eleven_attributes_are_refused_and_recorded() {
    let stage = Stage::set().await;
    let names: Vec<_> = (0..11).map(|number| format!("a{number}")).collect();
    let eleven = names.iter().map(|name| (name.clone(), string("x"))).collect();
    let sending = stage.client(0).send_message().queue_url(stage.url("plain")).message_body("x");
    let error = sending.set_message_attributes(Some(eleven)).send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    let published = stage.seen(MessageDirection::Published);
    assert_eq!(ends(&published), [settled(Settlement::Refused)]);
    assert_eq!((published[0].headers.len(), message(&published[0]).id.as_ref()), (11, None));
}

#[tokio::test]
async fn what_is_given_back_is_returned_and_comes_again_and_then_as_a_dead_letter() {
    let stage = Stage::set().await;
    let id = stage.send("work", attributes(&[("traceparent", "00-x")])).await;
    let reader = stage.client(1);
    let first = stage.receive(&reader, "work").await.remove(0);
    stage.give_back(&reader, "work", &first).await;
    assert_eq!(ends(&stage.seen(MessageDirection::Delivered)), [settled(Settlement::Returned)]);
    let second = stage.receive(&reader, "work").await.remove(0);
    stage.give_back(&reader, "work", &second).await;
    let none = reader.receive_message().queue_url(stage.url("work")).send().await.unwrap();
    assert!(none.messages.is_none(), "the third receive moves it");
    let third = stage.receive(&stage.client(0), "dead").await.remove(0);
    stage.delete(&reader, "dead", &third).await;
    let delivered = stage.seen(MessageDirection::Delivered);
    let wanted = [Settlement::Returned, Settlement::Returned, Settlement::Done];
    assert_eq!(ends(&delivered), wanted.map(settled));
    let summary: Vec<_> = delivered.iter().map(|one| (one.path.as_str(), message(one).deliveries)).collect();
    // Becoming a dead letter is no receive.
    assert_eq!(summary, [("work", 1), ("work", 2), ("dead", 3)]);
    assert!(delivered.iter().all(|one| message(one).id.as_ref() == Some(&id)));
    assert_eq!(delivered[2].values("traceparent").collect::<Vec<_>>(), [b"00-x"]);
}

#[tokio::test]
async fn a_later_delivery_ends_one_whose_time_ran_out_and_is_counted_by_the_tap() {
    let stage = Stage::set().await;
    stage.send("plain", HashMap::new()).await;
    for tap in [0, 1] {
        let client = stage.client(tap);
        let asking = client.receive_message().queue_url(stage.url("plain")).wait_time_seconds(5);
        // Visible again at once: nothing on the wire shows the end of its timeout.
        let got = asking.visibility_timeout(0).send().await.unwrap();
        assert_eq!(got.messages().len(), 1);
    }
    let delivered = stage.seen(MessageDirection::Delivered);
    assert_eq!(ends(&delivered), [settled(Settlement::Returned), CaptureEnd::Open]);
    assert_eq!(delivered.iter().map(|one| message(one).deliveries).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn other_times_leave_a_message_with_its_reader() {
    let stage = Stage::set().await;
    stage.send("plain", HashMap::new()).await;
    let reader = stage.client(1);
    let got = stage.receive(&reader, "plain").await.remove(0);
    let changing = reader.change_message_visibility().queue_url(stage.url("plain")).visibility_timeout(9);
    changing.set_receipt_handle(got.receipt_handle.clone()).send().await.unwrap();
    assert_eq!(ends(&stage.seen(MessageDirection::Delivered)), [CaptureEnd::Open]);
    stage.delete(&reader, "plain", &got).await;
    assert_eq!(ends(&stage.seen(MessageDirection::Delivered)), [settled(Settlement::Done)]);
}

#[tokio::test]
async fn attributes_keep_their_kinds_and_the_trace_header_is_one_of_the_system() {
    let stage = Stage::set().await;
    let typed = |kind: &str| MessageAttributeValue::builder().data_type(kind);
    let trace_header = MessageSystemAttributeValue::builder().data_type("String");
    let trace_header = trace_header.string_value("Root=1-5759e988-bd862e3fe1be46a994272793").build().unwrap();
    let sending = stage.client(0).send_message().queue_url(stage.url("plain")).message_body(BODY);
    let sending = sending
        .message_attributes("b", typed("Binary.raw").binary_value(Blob::new([0, 255])).build().unwrap());
    let sending = sending.message_attributes("n", typed("Number").string_value("42").build().unwrap());
    let sending = sending.message_attributes("t", typed("String.x").string_value("é").build().unwrap());
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    sending.message_system_attributes(name, trace_header).send().await.unwrap();
    stage.receive(&stage.client(1), "plain").await;
    let field = |name: &str, value: &[u8], kind| Field { kind, ..Field::text(name, value) };
    let wanted = [
        field("AWSTraceHeader", b"Root=1-5759e988-bd862e3fe1be46a994272793", FieldKind::System),
        field("b", &[0, 255], FieldKind::Bytes),
        field("n", b"42", FieldKind::Number),
        field("t", "é".as_bytes(), FieldKind::Text),
    ];
    assert_eq!(sorted(&stage.seen(MessageDirection::Published)[0]), wanted);
    assert_eq!(sorted(&stage.seen(MessageDirection::Delivered)[0]), wanted);
}

#[tokio::test]
async fn what_was_not_asked_for_counts_as_arrived() {
    let stage = Stage::set().await;
    stage.send("plain", attributes(&[("traceparent", "00-x"), ("app.id", "7")])).await;
    let client = stage.client(1);
    let asking = client.receive_message().queue_url(stage.url("plain")).wait_time_seconds(5);
    let got = asking.message_attribute_names("app.*").send().await.unwrap().messages.unwrap();
    assert_eq!(got[0].message_attributes().map(HashMap::len), Some(1));
    assert_eq!(
        sorted(&stage.seen(MessageDirection::Delivered)[0]),
        sorted(&stage.seen(MessageDirection::Published)[0])
    );
}

#[tokio::test]
async fn a_long_poll_stays_open_while_other_connections_work() {
    let stage = Stage::set().await;
    let reader = stage.client(1);
    let polling = reader.receive_message().queue_url(stage.url("plain")).wait_time_seconds(20).send();
    let polling = tokio::spawn(polling);
    for _ in 0..3 {
        stage.send("work", HashMap::new()).await;
        let other = stage.client(1);
        let got = stage.receive(&other, "work").await;
        stage.delete(&other, "work", &got[0]).await;
    }
    assert!(!polling.is_finished());
    stage.send("plain", HashMap::new()).await;
    let got = tokio::time::timeout(DEADLINE, polling).await.expect("an answer").unwrap().unwrap();
    assert_eq!(got.messages().len(), 1);
    assert_eq!(
        stage.seen(MessageDirection::Delivered).last().map(|one| one.path.clone()),
        Some("plain".into())
    );
}

#[tokio::test]
async fn a_reader_that_hangs_up_in_a_long_poll_takes_no_message_with_it() {
    let stage = Stage::set().await;
    let body = format!(r#"{{"QueueUrl":"{}","WaitTimeSeconds":20}}"#, stage.url("plain"));
    let request = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(stage.taps[1].address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    stage.send("plain", HashMap::new()).await;
    // The client that disconnected may have received it nevertheless; then it is delivered again.
    let got = tokio::time::timeout(2 * DEADLINE, async {
        loop {
            let got = stage.receive(&stage.client(1), "plain").await;
            if !got.is_empty() {
                return got;
            }
        }
    });
    let got = got.await.expect("the message comes");
    stage.delete(&stage.client(1), "plain", &got[0]).await;
    assert_eq!(ends(&stage.seen(MessageDirection::Delivered)).pop(), Some(settled(Settlement::Done)));
}

#[tokio::test]
async fn the_query_protocol_and_compressed_bodies_go_through_and_are_gaps() {
    let stage = Stage::set().await;
    let ask = async |headers: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        String::from_utf8(exchange(stage.taps[0].address(), request.as_bytes()).await).unwrap()
    };
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert!(ask(form, "Action=SendMessage").await.starts_with("HTTP/1.1 400"));
    let gzip = "X-Amz-Target: AmazonSQS.SendMessage\r\nContent-Encoding: gzip\r\n";
    assert!(ask(gzip, "\u{1f}").await.starts_with("HTTP/1.1 4"));
    let long = format!("{}{}", r#"{"QueueUrl":"q"}"#, " ".repeat(1024 * 1024));
    ask("X-Amz-Target: AmazonSQS.SendMessage\r\n", &long).await;
    let (captures, gaps) = stage.recorder.freeze();
    assert_eq!(captures, []);
    let gaps: Vec<_> = gaps.iter().map(|gap| gap.what.as_str()).collect();
    let newer = "the tap reads only the JSON protocol, which SDKs use since November 2023";
    assert_eq!(
        gaps,
        [
            format!("request 0 on connection 0 was not read: it uses the older query protocol, and {newer}"),
            "request 0 on connection 1 (SendMessage) was not read: its body is encoded as `gzip`".to_owned(),
            "request 0 on connection 2 (SendMessage) was not read: its body is longer than 1 MiB".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_body_that_waits_for_100_continue_is_read() {
    let stage = Stage::set().await;
    let body = format!(r#"{{"QueueUrl":"{}","MessageBody":"{}"}}"#, stage.url("plain"), "b");
    let mut stream = TcpStream::connect(stage.taps[0].address()).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n\
         X-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    tokio::time::timeout(DEADLINE, stream.read_exact(&mut interim))
        .await
        .expect("an interim answer")
        .unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(ends(&stage.seen(MessageDirection::Published)), [settled(Settlement::Accepted)]);
}
