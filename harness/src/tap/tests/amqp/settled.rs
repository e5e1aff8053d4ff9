//! The outcomes of messages, as client and broker report them to each other.

use lapin::BasicProperties;
use lapin::options::*;
use lapin::types::{AMQPValue, FieldTable};
use stand_in_brokers::amqp::Argument;

use super::rabbit::*;
use super::*;
use crate::evidence::MessageDirection;

use Settlement::{Accepted, Done, Refused, Rejected, Returned};

fn ends(these: &[Settlement]) -> Vec<CaptureEnd> {
    these.iter().copied().map(ended).collect()
}

#[tokio::test]
async fn what_is_given_back_is_delivered_again() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    send(&channel, "orders", "x").await;
    let mut consumer = consume(&channel, "orders").await;
    let again = BasicNackOptions { requeue: true, multiple: false };
    next(&mut consumer).await.nack(again).await.unwrap();
    next(&mut consumer).await.reject(BasicRejectOptions { requeue: true }).await.unwrap();
    let third = next(&mut consumer).await;
    assert!(third.redelivered);
    third.ack(BasicAckOptions::default()).await.unwrap();
    let captures = rabbit.captures(4).await;
    let deliveries: Vec<u32> = captures.iter().map(|capture| message(capture).deliveries).collect();
    assert_eq!(deliveries, [1, 1, 2, 2]);
    assert_eq!(rabbit.ends(4, MessageDirection::Delivered).await, ends(&[Returned, Returned, Done]));
}

#[tokio::test]
async fn what_is_given_up_comes_back_as_a_dead_letter_and_names_its_queue() {
    let rabbit = Rabbit::with(&["dead"]).await;
    let arguments: [(&str, Argument); 2] =
        [("x-dead-letter-exchange", "".into()), ("x-dead-letter-routing-key", "dead".into())];
    rabbit.broker.declare_queue("orders", &arguments).unwrap();
    let (_connection, channel) = rabbit.channel().await;
    publish(&channel, ("", "orders"), b"x", headers(&[("traceparent", text("00-a"))])).await;
    let mut orders = consume(&channel, "orders").await;
    let mut dead = consume(&channel, "dead").await;
    next(&mut orders).await.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    next(&mut dead).await.ack(BasicAckOptions::default()).await.unwrap();
    let captures = rabbit.captures(3).await;
    assert_eq!(rabbit.ends(3, MessageDirection::Delivered).await, ends(&[Rejected, Done]));
    let (first, last) = (message(&captures[1]), message(&captures[2]));
    assert_eq!((first.destination.as_str(), first.moved_from.as_deref()), ("orders", None));
    assert_eq!((last.destination.as_str(), last.moved_from.as_deref()), ("dead", Some("orders")));
    assert_eq!(captures[2].values("traceparent").next(), Some(&b"00-a"[..]));
    assert_eq!(
        captures.iter().filter(|capture| message(capture).direction == MessageDirection::Published).count(),
        1
    );
}

#[tokio::test]
async fn one_acknowledgement_may_be_for_many() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    for _ in 0..5 {
        send(&channel, "orders", "x").await;
    }
    let mut consumer = consume(&channel, "orders").await;
    let mut deliveries = Vec::new();
    for _ in 0..5 {
        deliveries.push(next(&mut consumer).await);
    }
    deliveries[2].ack(BasicAckOptions { multiple: true }).await.unwrap();
    deliveries[4].nack(BasicNackOptions { multiple: true, requeue: false }).await.unwrap();
    assert_eq!(
        rabbit.ends(10, MessageDirection::Delivered).await,
        ends(&[Done, Done, Done, Rejected, Rejected])
    );
}

#[tokio::test]
async fn a_prefetched_message_is_under_way_until_it_is_acknowledged() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    for _ in 0..3 {
        send(&channel, "orders", "x").await;
    }
    channel.basic_qos(2, BasicQosOptions::default()).await.unwrap();
    let mut consumer = consume(&channel, "orders").await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    let open =
        |captures: &[Capture]| captures.iter().filter(|capture| capture.end == CaptureEnd::Open).count();
    assert_eq!(rabbit.seen.recorder.look(|captures| (captures.len(), open(captures))), (5, 2));
    first.ack(BasicAckOptions::default()).await.unwrap();
    let third = next(&mut consumer).await;
    assert_eq!(rabbit.seen.recorder.look(|captures| (captures.len(), open(captures))), (6, 2));
    second.ack(BasicAckOptions::default()).await.unwrap();
    third.ack(BasicAckOptions::default()).await.unwrap();
    assert_eq!(rabbit.ends(6, MessageDirection::Delivered).await, ends(&[Done; 3]));
}

#[tokio::test]
async fn a_message_that_is_fetched_is_of_the_queue_that_was_asked_for() {
    let rabbit = Rabbit::with(&["orders", "empty"]).await;
    let (_connection, channel) = rabbit.channel().await;
    for _ in 0..2 {
        send(&channel, "orders", "x").await;
    }
    let get = |queue: &str, no_ack| channel.basic_get(queue.into(), BasicGetOptions { no_ack });
    assert_eq!(get("empty", false).await.unwrap(), None);
    get("orders", false).await.unwrap().unwrap().ack(BasicAckOptions::default()).await.unwrap();
    assert!(get("orders", true).await.unwrap().is_some());
    let captures = rabbit.captures(4).await;
    assert!(captures[2..].iter().all(|capture| message(capture).destination == "orders"));
    assert_eq!(rabbit.ends(4, MessageDirection::Delivered).await, ends(&[Done, Done]));
}

#[tokio::test]
async fn confirms_say_what_was_taken_and_what_not() {
    let rabbit = Rabbit::with(&[]).await;
    let limits: [(&str, Argument); 2] = [("x-max-length", 1.into()), ("x-overflow", "reject-publish".into())];
    rabbit.broker.declare_queue("full", &limits).unwrap();
    let (_connection, channel) = rabbit.confirmed().await;
    let plain = BasicProperties::default;
    assert!(publish(&channel, ("", "full"), b"1", plain()).await.is_ack());
    assert!(publish(&channel, ("", "full"), b"2", plain()).await.is_nack());
    assert!(publish(&channel, ("", "nowhere"), b"3", plain()).await.take_message().is_some());
    assert_eq!(rabbit.ends(3, MessageDirection::Published).await, ends(&[Accepted, Refused, Refused]));
    let captures = rabbit.captures(3).await;
    let why: Vec<_> = captures.iter().map(|capture| message(capture).refused.as_deref()).collect();
    assert_eq!(why, [None, Some("basic.nack from the broker"), Some("312 NO_ROUTE")]);
}

#[tokio::test]
async fn an_exchange_that_is_not_there_refuses_with_and_without_confirms() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (connection, confirmed) = rabbit.confirmed().await;
    let plain = connection.create_channel().await.unwrap();
    send(&plain, "orders", "x").await;
    for channel in [&plain, &confirmed] {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let sent = channel.basic_publish("none".into(), "k".into(), options, b"x", properties).await;
        // Without confirms this call has no way to know.
        let _ = sent.unwrap().await;
    }
    let refused =
        |captures: &[Capture]| captures.iter().filter(|capture| capture.end == ended(Refused)).count() == 2;
    let mut watch = rabbit.seen.recorder.watch();
    let waiting = watch.wait_for(|_| rabbit.seen.recorder.look(refused));
    tokio::time::timeout(DEADLINE, waiting).await.expect("both are refused").unwrap();
    let captures = rabbit.captures(3).await;
    assert_eq!(captures[0].end, ended(Accepted));
    for capture in &captures[1..] {
        let why = message(capture).refused.as_deref();
        assert_eq!(why, Some("404 NOT_FOUND - no exchange 'none' in vhost '/'"));
    }
}

#[tokio::test]
async fn a_transaction_settles_at_its_end() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    send(&channel, "orders", "before").await;
    channel.tx_select().await.unwrap();
    let got = channel.basic_get("orders".into(), BasicGetOptions::default()).await.unwrap().unwrap();
    got.ack(BasicAckOptions::default()).await.unwrap();
    send(&channel, "orders", "within").await;
    let open =
        |captures: &[Capture]| captures.iter().filter(|capture| capture.end == CaptureEnd::Open).count();
    // The next answer comes after all that was sent before.
    channel.basic_qos(1, BasicQosOptions::default()).await.unwrap();
    assert_eq!(rabbit.seen.recorder.look(open), 2);
    channel.tx_commit().await.unwrap();
    assert_eq!(rabbit.seen.recorder.look(open), 0);
    send(&channel, "orders", "taken back").await;
    channel.tx_rollback().await.unwrap();
    let expected = [
        ended(Accepted),
        ended(Accepted),
        CaptureEnd::Broken("the client rolled back its transaction".into()),
    ];
    assert_eq!(rabbit.ends(4, MessageDirection::Published).await, expected);
    assert_eq!(rabbit.ends(4, MessageDirection::Delivered).await, ends(&[Done]));
}

#[tokio::test]
async fn a_consumer_that_asks_for_no_acknowledgements_has_settled_at_once() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (_connection, channel) = rabbit.channel().await;
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let consuming = channel.basic_consume("orders".into(), "mine".into(), options, FieldTable::default());
    let mut consumer = consuming.await.unwrap();
    send(&channel, "orders", "x").await;
    next(&mut consumer).await;
    assert_eq!(rabbit.ends(2, MessageDirection::Delivered).await, ends(&[Done]));
}

#[tokio::test]
async fn recovering_closing_and_breaking_off_give_back_what_is_not_settled() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let (connection, channel) = rabbit.channel().await;
    send(&channel, "orders", "x").await;
    let mut consumer = consume(&channel, "orders").await;
    next(&mut consumer).await;
    channel.basic_recover(BasicRecoverOptions { requeue: true }).await.unwrap();
    next(&mut consumer).await;
    channel.close(200, "bye".into()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, "orders").await;
    next(&mut consumer).await;
    // The broker goes.
    rabbit.broker.stop().await;
    let mut expected = ends(&[Returned, Returned]);
    expected.push(CaptureEnd::Broken("the broker closed the connection".to_owned()));
    assert_eq!(rabbit.ends(4, MessageDirection::Delivered).await, expected);
}

#[tokio::test]
async fn what_waits_in_a_queue_until_its_time_is_over_names_that_queue() {
    let rabbit = Rabbit::with(&["orders"]).await;
    let arguments: [(&str, Argument); 3] = [
        ("x-message-ttl", 20.into()),
        ("x-dead-letter-exchange", "".into()),
        ("x-dead-letter-routing-key", "orders".into()),
    ];
    rabbit.broker.declare_queue("orders.delay", &arguments).unwrap();
    let (_connection, channel) = rabbit.channel().await;
    let mut consumer = consume(&channel, "orders").await;
    publish(&channel, ("", "orders.delay"), b"x", headers(&[("n", AMQPValue::LongInt(1))])).await;
    next(&mut consumer).await.ack(BasicAckOptions::default()).await.unwrap();
    let captures = rabbit.captures(2).await;
    assert_eq!(message(&captures[1]).moved_from.as_deref(), Some("orders.delay"));
}
