//! Messages of real clients are captured unchanged: headers, bodies, channels and connections.

use lapin::options::*;
use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldArray};
use lapin::{BasicProperties, Connection, ConnectionProperties};

use super::rabbit::*;
use super::*;
use crate::evidence::{FieldKind, MessageDirection, Protocol, mark_of};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn headers_of_every_type_are_seen_on_both_ways() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    let table = [
        ("array", AMQPValue::FieldArray(FieldArray::from(vec![text("one")]))),
        ("binary", AMQPValue::ByteArray(ByteArray::from(&b"\x00\xff"[..]))),
        ("byte", AMQPValue::ShortShortInt(-1)),
        ("decimal", AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 314 })),
        ("double", AMQPValue::Double(0.5)),
        ("flag", AMQPValue::Boolean(true)),
        ("float", AMQPValue::Float(0.25)),
        ("int", AMQPValue::LongInt(-7)),
        ("latin", AMQPValue::LongString(b"\xe9".to_vec().into())),
        ("long", AMQPValue::LongLongInt(i64::MIN)),
        ("nothing", AMQPValue::Void),
        ("short", AMQPValue::ShortInt(-2)),
        ("time", AMQPValue::Timestamp(1_700_000_000)),
        ("traceparent", text(PARENT)),
        ("unsigned", AMQPValue::LongUInt(u32::MAX)),
    ];
    let properties = headers(&table).with_message_id("id-1".into()).with_content_type("text/plain".into());
    let mut consumer = consume(&channel, "orders").await;
    publish(&channel, ("", "orders"), b"ub000000ab-7", properties).await;
    next(&mut consumer).await.ack(BasicAckOptions::default()).await.unwrap();
    let captures = rabbit.captures(2).await;
    let (sent, delivered) = (&captures[0], &captures[1]);
    assert_eq!(
        (message(sent).direction, message(delivered).direction),
        (MessageDirection::Published, MessageDirection::Delivered)
    );
    assert_eq!(sent.headers, delivered.headers);
    let kinds: Vec<FieldKind> = sent.headers.iter().map(|field| field.kind).collect();
    use FieldKind::{Bytes, Null, Number, Other, Text};
    let expected = [
        Other, Bytes, Number, Other, Number, Other, Number, Number, Text, Number, Null, Number, Other, Text,
        Number,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(sent.values("TraceParent").next(), Some(PARENT.as_bytes()));
    assert_eq!(sent.values("long").next(), Some(&b"-9223372036854775808"[..]));
    for capture in [sent, delivered] {
        assert_eq!((capture.protocol, message(capture).id.as_deref()), (Protocol::Amqp, Some("id-1")));
        assert_eq!(mark_of(&capture.marked).unwrap().stimulus.0, 7);
    }
    assert_eq!(
        (sent.end.clone(), delivered.end.clone()),
        (ended(Settlement::Accepted), ended(Settlement::Done))
    );
}

/// `lapin` cannot write a name twice, so this client is written by hand.
#[tokio::test]
async fn duplicates_and_their_order_go_through_a_broker_and_are_seen_on_both_ways() {
    use super::frames::*;
    let rabbit = Rabbit::with(&["orders"]).await;
    let entries = [
        entry("traceparent", b'S', &long(PARENT.as_bytes())),
        entry("a", b'S', &long(b"between")),
        entry("traceparent", b'S', &long(b"again")),
    ];
    let client = [
        PROTOCOL.to_vec(),
        method(0, (10, 11), &[long(b""), text("PLAIN"), long(b"\0guest\0guest"), text("en_US")]),
        method(0, (10, 31), &[short(10), vec![0, 2, 0, 0], short(0)]),
        method(0, (10, 40), &[text("/"), text(""), octet(0)]),
        method(1, (20, 10), &[text("")]),
        consume(1, "orders", "mine", 0b10),
        publish(1, "", "orders", false),
        content(1, &headers(&entries), &[b"x"]),
    ];
    let mut stream = TcpStream::connect(rabbit.seen.address()).await.unwrap();
    stream.write_all(&client.concat()).await.unwrap();
    let captures = rabbit.captures(2).await;
    for capture in &captures {
        let names: Vec<_> = capture.headers.iter().map(|field| field.name.as_slice()).collect();
        assert_eq!(names, [&b"traceparent"[..], b"a", b"traceparent"]);
        let values: Vec<_> = capture.values("traceparent").collect();
        assert_eq!(values, [PARENT.as_bytes(), b"again"]);
    }
    assert_eq!(
        (message(&captures[1]).direction, &captures[1].end),
        (MessageDirection::Delivered, &ended(Settlement::Done))
    );
}

#[tokio::test]
async fn a_body_of_a_mebibyte_goes_through_whole() {
    let rabbit = Rabbit::with(&["large"]).await;
    let (_connection, channel) = rabbit.confirmed().await;
    let sent: Vec<u8> =
        b"ub000000ab-9 ".iter().copied().chain((0..1 << 20).map(|n: u32| n.to_be_bytes()[3])).collect();
    let mut consumer = consume(&channel, "large").await;
    publish(&channel, ("", "large"), &sent, BasicProperties::default()).await;
    let delivery = next(&mut consumer).await;
    assert!(delivery.data == sent);
    delivery.ack(BasicAckOptions::default()).await.unwrap();
    let captures = rabbit.captures(2).await;
    assert!(captures.iter().all(|capture| mark_of(&capture.marked).unwrap().stimulus.0 == 9));
}

#[tokio::test]
async fn channels_and_connections_are_distinguished() {
    let rabbit = Rabbit::with(&["one", "two"]).await;
    let (first, channel) = rabbit.confirmed().await;
    let another = first.create_channel().await.unwrap();
    let (_second, apart) = rabbit.channel().await;
    let mut ones = consume(&another, "one").await;
    let mut twos = consume(&apart, "two").await;
    let bodies = ["ub000000ab-1", "ub000000ab-2"];
    tokio::join!(send(&channel, "one", bodies[0]), send(&another, "two", bodies[1]));
    let (one, two) = tokio::join!(next(&mut ones), next(&mut twos));
    assert_eq!((one.data.as_slice(), two.data.as_slice()), (bodies[0].as_bytes(), bodies[1].as_bytes()));
    one.ack(BasicAckOptions::default()).await.unwrap();
    two.ack(BasicAckOptions::default()).await.unwrap();
    let seen = rabbit.captures(4).await.into_iter().map(|capture| {
        let place = (capture.connection, capture.stream, message(&capture).direction.word());
        (place, message(&capture).destination.clone(), mark_of(&capture.marked).unwrap().stimulus.0)
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort();
    let expected = [
        ((0, 1, "published"), "", 1),
        ((0, 2, "delivered"), "one", 1),
        ((0, 2, "published"), "", 2),
        ((1, 1, "delivered"), "two", 2),
    ];
    assert_eq!(
        seen,
        expected.map(|(place, destination, stimulus)| (place, destination.to_owned(), stimulus))
    );
}

#[tokio::test]
async fn an_exchange_copies_to_two_queues_and_each_delivery_is_seen() {
    let rabbit = Rabbit::with(&["left", "right"]).await;
    let (_connection, channel) = rabbit.channel().await;
    let (fanout, options) = (lapin::ExchangeKind::Fanout, ExchangeDeclareOptions::default());
    channel.exchange_declare("all".into(), fanout, options, Default::default()).await.unwrap();
    for queue in ["left", "right"] {
        let options = QueueBindOptions::default();
        channel.queue_bind(queue.into(), "all".into(), "".into(), options, Default::default()).await.unwrap();
    }
    publish(&channel, ("all", "some.key"), b"x", headers(&[("traceparent", text(PARENT))])).await;
    for queue in ["left", "right"] {
        let got = channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap().unwrap();
        assert_eq!(got.delivery.exchange.as_str(), "all");
    }
    let captures = rabbit.captures(3).await;
    let places: Vec<_> = captures.iter().map(|capture| message(capture).destination.as_str()).collect();
    assert_eq!(places, ["all", "left", "right"]);
    assert_eq!(message(&captures[0]).routing_key.as_deref(), Some("some.key"));
    assert!(captures.iter().all(|capture| capture.values("traceparent").next() == Some(PARENT.as_bytes())));
}

#[tokio::test]
async fn a_queue_that_the_broker_names_is_known_by_that_name() {
    let rabbit = Rabbit::with(&[]).await;
    let (_connection, channel) = rabbit.channel().await;
    let options = QueueDeclareOptions { exclusive: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), options, Default::default()).await.unwrap();
    let mut consumer = consume(&channel, "").await;
    send(&channel, queue.name().as_str(), "x").await;
    next(&mut consumer).await.ack(BasicAckOptions::default()).await.unwrap();
    assert_eq!(message(&rabbit.captures(2).await[1]).destination, queue.name().as_str());
}

#[tokio::test]
async fn many_messages_at_once_are_all_seen_and_settled() {
    const MESSAGES: usize = 2000;
    let rabbit = Rabbit::with(&["many"]).await;
    let (_connection, channel) = rabbit.confirmed().await;
    let (_reading, reader) = rabbit.channel().await;
    let mut consumer = consume(&reader, "many").await;
    let sending = async {
        let mut confirms = Vec::new();
        for number in 0..MESSAGES {
            let properties = headers(&[("traceparent", text(PARENT))]);
            let options = BasicPublishOptions::default();
            let body = format!("ub000000ab-{number}");
            let sent =
                channel.basic_publish("".into(), "many".into(), options, body.as_bytes(), properties).await;
            confirms.push(sent.unwrap());
        }
        for confirm in confirms {
            assert!(confirm.await.unwrap().is_ack());
        }
    };
    let reading = async {
        for number in 1..=MESSAGES {
            let delivery = next(&mut consumer).await;
            if number % 100 == 0 {
                delivery.ack(BasicAckOptions { multiple: true }).await.unwrap();
            }
        }
    };
    tokio::join!(sending, reading);
    let captures = rabbit.captures(2 * MESSAGES).await;
    for (way, end) in
        [(MessageDirection::Published, Settlement::Accepted), (MessageDirection::Delivered, Settlement::Done)]
    {
        let own = captures.iter().filter(|capture| message(capture).direction == way);
        let marks: Vec<usize> = own.clone().map(|one| mark_of(&one.marked).unwrap().stimulus.0).collect();
        assert_eq!(marks, (0..MESSAGES).collect::<Vec<_>>());
        assert!(own.clone().all(|capture| capture.end == ended(end)));
    }
}

#[tokio::test]
async fn whom_the_broker_does_not_let_in_hears_it_from_the_broker() {
    let rabbit = Rabbit::with(&[]).await;
    let url = format!("amqp://guest:wrong@{}/%2f", rabbit.seen.address());
    let refused = Connection::connect(&url, ConnectionProperties::default()).await.unwrap_err();
    assert!(refused.to_string().contains("ACCESS_REFUSED"), "{refused}");
    assert_eq!(rabbit.seen.recorder.freeze().0, []);
}
