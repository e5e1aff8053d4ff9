//! The tap beside a broker that real clients talk to. They block their thread, and the broker needs one.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, FutureProducer, FutureRecord, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};
use stand_in_brokers::kafka::KafkaBroker;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{KafkaTap, KafkaTapConfig};
use crate::evidence::group_positions::UnreadRanges;
use crate::evidence::{
    Capture, CaptureEnd, CaptureMark, Field, FieldKind, Gap, GroupPositions, MessageDirection, Recorder,
    Settlement,
};
use crate::plan::broker::Topic;
use crate::plan::{CallIx, Mark, StimulusIx, TapIx, TapPlan, TapProtocol};
use crate::scenario::{Marker, NodeIx};

const RUN: u32 = 7;
const SOON: Duration = Duration::from_secs(20);

/// A broker with a tap beside it.
struct Scene {
    broker: KafkaBroker,
    tap: KafkaTap,
    recorder: Recorder,
}

fn topic(name: &str, partitions: u16, groups: &[&str]) -> Topic {
    Topic {
        name: name.to_owned(),
        partitions,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

impl Scene {
    async fn new(topics: Vec<Topic>) -> Scene {
        Scene::with_positions(topics, None).await
    }

    async fn with_positions(topics: Vec<Topic>, positions: Option<GroupPositions>) -> Scene {
        let broker = KafkaBroker::start(Default::default()).await.unwrap();
        for topic in &topics {
            broker.create_topic(&topic.name, i32::from(topic.partitions)).unwrap();
        }
        let recorder = Recorder::new(10_000, false);
        let config = KafkaTapConfig { positions, ..config(&broker, topics) };
        let tap = KafkaTap::start(config, recorder.clone()).await.unwrap();
        Scene { broker, tap, recorder }
    }

    fn producer(&self) -> FutureProducer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.broker.address().to_string()).set("linger.ms", "0");
        config.create().unwrap()
    }

    async fn produce(&self, topic: &str, partition: i32, headers: OwnedHeaders, body: &str) {
        let record = FutureRecord::<(), str>::to(topic).partition(partition).headers(headers).payload(body);
        self.producer().send(record, SOON).await.unwrap();
    }

    fn commit(&self, group: &str, topic: &str, partition: i32, next: i64) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.broker.address().to_string()).set("group.id", group);
        let consumer: BaseConsumer = config.create().unwrap();
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, Offset::Offset(next)).unwrap();
        consumer.commit(&offsets, CommitMode::Sync).unwrap();
    }

    async fn read(&self) -> Vec<Capture> {
        self.tap.caught_up(Instant::now() + SOON).await;
        self.recorder.freeze().0
    }

    /// Waits until what was seen is as it should be.
    async fn until(&self, holds: impl Fn(&[Capture], &[Gap]) -> bool) {
        let mut changes = self.recorder.watch();
        let holding = async {
            loop {
                let (captures, gaps) = self.recorder.freeze();
                if holds(&captures, &gaps) {
                    return;
                }
                changes.changed().await.unwrap();
            }
        };
        if timeout(SOON, holding).await.is_err() {
            panic!("it never came to that: {:?}", self.recorder.freeze());
        }
    }

    fn gaps(&self) -> Vec<String> {
        self.recorder.freeze().1.into_iter().map(|gap| gap.what).collect()
    }
}

fn config(broker: &KafkaBroker, topics: Vec<Topic>) -> KafkaTapConfig {
    let at = broker.address();
    let markers = vec![Marker::Header("order-id".to_owned())];
    let plan = TapPlan { markers, ..TapPlan::between(NodeIx(1), NodeIx(1), TapProtocol::Kafka) };
    let (tap, bootstrap) = (TapIx(3), at.to_string());
    KafkaTapConfig { tap, plan, run: RUN, bootstrap, at, topics, same_clock: true, positions: None }
}

fn of(captures: &[Capture], direction: MessageDirection) -> Vec<&Capture> {
    captures.iter().filter(|capture| capture.message.as_ref().unwrap().direction == direction).collect()
}

fn reader(capture: &Capture) -> &str {
    capture.message.as_ref().unwrap().reader.as_deref().unwrap()
}

fn mark(stimulus: usize) -> Mark {
    Mark { run: RUN, stimulus: StimulusIx(stimulus), call: Some(CallIx(1)), item: None }
}

fn headers(list: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
    list.iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: *value }))
}

/// A header: name, value, kind.
type Seen<'a> = (&'a [u8], Option<&'a [u8]>, FieldKind);

const ODD: &[(&str, Option<&[u8]>)] = &[
    ("traceparent", Some(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
    ("TraceState", Some(b"a=1,b=\xff\xfe")),
    ("traceparent", Some(b"")),
    ("baggage", None),
    ("secret", Some(b"hunter2")),
    ("traceparent", Some(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
];

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_every_partition_are_seen_byte_for_byte_in_their_order() {
    let scene = Scene::new(vec![topic("orders", 3, &[])]).await;
    for partition in 0..3 {
        scene.produce("orders", partition, headers(ODD), &format!("[{}]", mark(partition as usize))).await;
        scene.produce("orders", partition, OwnedHeaders::new(), "nothing").await;
    }
    let captures = scene.read().await;
    assert_eq!(captures.len(), 6);
    for partition in 0..3 {
        let seen: Vec<&Capture> = captures.iter().filter(|capture| capture.stream == partition).collect();
        let summary: Vec<Seen<'_>> = seen[0]
            .headers
            .iter()
            .map(|Field { name, value, kind }| (name.as_slice(), value.as_deref(), *kind))
            .collect();
        let wanted: Vec<Seen<'_>> = ODD
            .iter()
            .map(|(name, value)| match (*name, value) {
                // Its value stays where it is.
                ("secret", _) => (name.as_bytes(), None, FieldKind::Text),
                (_, None) => (name.as_bytes(), None, FieldKind::Null),
                (_, Some(value)) => (name.as_bytes(), Some(*value), FieldKind::Text),
            })
            .collect();
        assert_eq!(summary, wanted);
        let message = seen[0].message.as_ref().unwrap();
        assert_eq!(
            (message.direction, message.destination.as_str()),
            (MessageDirection::Published, "orders")
        );
        assert_eq!(message.offset, Some((partition as i32, 0)));
        assert_eq!(seen[0].marked, CaptureMark::By(mark(partition as usize)));
        assert_eq!(seen[0].end, CaptureEnd::Settled(Settlement::Accepted));
        assert_eq!((seen[1].headers.len(), &seen[1].marked), (0, &CaptureMark::Absent));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_marker_is_found_in_its_header_and_kept() {
    let scene = Scene::new(vec![topic("orders", 1, &[])]).await;
    let value = mark(4).to_string();
    scene.produce("orders", 0, headers(&[("order-id", Some(value.as_bytes()))]), "no JSON").await;
    let captures = scene.read().await;
    assert_eq!(captures[0].marked, CaptureMark::By(mark(4)));
    assert_eq!(captures[0].headers[0].value.as_deref(), Some(value.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_the_run_is_not_read() {
    let broker = KafkaBroker::start(Default::default()).await.unwrap();
    broker.create_topic("orders", 1).unwrap();
    let recorder = Recorder::new(10, false);
    let mut scene = Scene {
        tap: KafkaTap::start(config(&broker, Vec::new()), recorder.clone()).await.unwrap(),
        broker,
        recorder,
    };
    scene.produce("orders", 0, OwnedHeaders::new(), "before").await;
    let topics = vec![topic("orders", 1, &[])];
    scene.tap = KafkaTap::start(config(&scene.broker, topics), scene.recorder.clone()).await.unwrap();
    scene.produce("orders", 0, OwnedHeaders::new(), &mark(1).to_string()).await;
    let captures = scene.read().await;
    assert_eq!(
        captures.iter().map(|capture| &capture.marked).collect::<Vec<_>>(),
        [&CaptureMark::By(mark(1))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_group_passed_over_is_skipped_and_no_commit_makes_it_processed() {
    let (ranges, receiver) = watch::channel(UnreadRanges::new());
    let topics = vec![topic("orders", 1, &["late", "early", "unknown"])];
    let scene = Scene::with_positions(topics, Some(GroupPositions::new(receiver))).await;
    for body in ["one", "two", "three", "four"] {
        scene.produce("orders", 0, headers(&[]), body).await;
    }
    scene.read().await;
    ranges.send_modify(|ranges| {
        for (group, passed) in [("late", vec![0..2, 2..3]), ("early", vec![0..0, 4..4])] {
            ranges.insert((group.to_owned(), "orders".to_owned(), 0), passed);
        }
    });
    for group in ["late", "early", "unknown"] {
        scene.commit(group, "orders", 0, 4);
    }
    scene.until(|captures, _| captures.iter().all(|capture| capture.end != CaptureEnd::Open)).await;
    let captures = scene.read().await;
    let ends = |group: &str| -> Vec<CaptureEnd> {
        let delivered = of(&captures, MessageDirection::Delivered).into_iter();
        let mut own: Vec<&Capture> = delivered.filter(|capture| reader(capture) == group).collect();
        own.sort_by_key(|capture| capture.message.as_ref().unwrap().offset);
        own.into_iter().map(|capture| capture.end.clone()).collect()
    };
    let (skipped, done) = (CaptureEnd::Settled(Settlement::Skipped), CaptureEnd::Settled(Settlement::Done));
    assert_eq!(ends("late"), [skipped.clone(), skipped.clone(), skipped, done.clone()]);
    assert_eq!(ends("early"), [done.clone(), done.clone(), done.clone(), done.clone()]);
    assert_eq!(ends("unknown"), [done.clone(), done.clone(), done.clone(), done]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_ends_when_its_group_has_committed_past_it_and_no_other_does() {
    let scene = Scene::new(vec![topic("orders", 2, &["billing", "audit"])]).await;
    for partition in [0, 0, 1] {
        scene.produce("orders", partition, OwnedHeaders::new(), "one").await;
    }
    let captures = scene.read().await;
    assert_eq!(
        (of(&captures, MessageDirection::Published).len(), of(&captures, MessageDirection::Delivered).len()),
        (3, 6)
    );
    assert!(of(&captures, MessageDirection::Delivered).iter().all(|capture| capture.end == CaptureEnd::Open));
    scene.commit("billing", "orders", 0, 1);
    let done = |captures: &[Capture]| {
        let done = of(captures, MessageDirection::Delivered).into_iter();
        let done = done.filter(|capture| capture.end == CaptureEnd::Settled(Settlement::Done));
        done.map(|capture| (reader(capture).to_owned(), capture.message.as_ref().unwrap().offset.unwrap()))
            .collect::<Vec<_>>()
    };
    scene.until(|captures, _| !done(captures).is_empty()).await;
    assert_eq!(done(&scene.recorder.freeze().0), [("billing".to_owned(), (0, 0))]);
    scene.commit("audit", "orders", 1, 1);
    scene.commit("billing", "orders", 0, 2);
    scene.until(|captures, _| done(captures).len() == 3).await;
    let mut all = done(&scene.recorder.freeze().0);
    all.sort();
    assert_eq!(
        all,
        [("audit".to_owned(), (1, 0)), ("billing".to_owned(), (0, 0)), ("billing".to_owned(), (0, 1))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_produced_before_is_read_when_it_has_caught_up() {
    let scene = Scene::new(vec![topic("orders", 3, &[]), topic("bills", 1, &[])]).await;
    let producer: ThreadedProducer<_> = {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", scene.broker.address().to_string());
        config.create().unwrap()
    };
    for number in 0..2_000 {
        let topic = if number % 4 == 3 { "bills" } else { "orders" };
        let partition = if number % 4 == 3 { 0 } else { number % 3 };
        let record = BaseRecord::<(), str>::to(topic).partition(partition).payload("x");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    assert_eq!(scene.read().await.len(), 2_000);
    assert_eq!(scene.gaps(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_read_to_their_end_and_aborted_ones_have_crossed_nothing() {
    let scene = Scene::new(vec![topic("orders", 1, &[])]).await;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", scene.broker.address().to_string()).set("transactional.id", "till");
    let producer: ThreadedProducer<_> = config.create().unwrap();
    producer.init_transactions(SOON).unwrap();
    for (body, kept) in [(mark(1).to_string(), false), (mark(2).to_string(), true)] {
        producer.begin_transaction().unwrap();
        producer
            .send(BaseRecord::<(), str>::to("orders").payload(&body))
            .map_err(|(error, _)| error)
            .unwrap();
        producer.flush(SOON).unwrap();
        let ended = if kept { producer.commit_transaction(SOON) } else { producer.abort_transaction(SOON) };
        ended.unwrap();
    }
    let captures = scene.read().await;
    assert_eq!(
        captures.iter().map(|capture| &capture.marked).collect::<Vec<_>>(),
        [&CaptureMark::By(mark(2))]
    );
    assert_eq!(scene.gaps(), [""; 0]);
}

#[cfg(feature = "zstd")]
#[tokio::test(flavor = "multi_thread")]
async fn batches_are_read_whatever_they_are_compressed_with() {
    let scene = Scene::new(vec![topic("orders", 1, &[])]).await;
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for (ix, codec) in codecs.iter().enumerate() {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", scene.broker.address().to_string()).set("compression.type", *codec);
        let producer: FutureProducer = config.create().unwrap();
        let body = format!("{} {}", mark(ix), "x".repeat(10_000));
        let record = FutureRecord::<(), str>::to("orders").headers(headers(ODD)).payload(&body);
        producer.send(record, SOON).await.unwrap();
    }
    let marks: Vec<CaptureMark> = scene.read().await.into_iter().map(|capture| capture.marked).collect();
    assert_eq!(marks, Vec::from_iter((0..codecs.len()).map(|ix| CaptureMark::By(mark(ix)))));
    assert_eq!(scene.gaps(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_reported_at_once() {
    let config_of =
        |auto_create_topics| stand_in_brokers::kafka::Config { auto_create_topics, ..Default::default() };
    let broker = KafkaBroker::start(config_of(false)).await.unwrap();
    let recorder = Recorder::new(10, false);
    let started = KafkaTap::start(config(&broker, vec![topic("orders", 1, &[])]), recorder).await;
    assert_eq!(started.unwrap_err().to_string(), "cannot read the topic `orders`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_away_is_a_gap_and_hangs_nothing() {
    let scene = Scene::new(vec![topic("orders", 1, &["billing"])]).await;
    scene.produce("orders", 0, OwnedHeaders::new(), "one").await;
    assert_eq!(scene.read().await.len(), 2);
    scene.broker.stop().await;
    scene.until(|_, gaps| gaps.iter().any(|gap| gap.what.contains("`orders`"))).await;
    let asked = Instant::now();
    scene.tap.caught_up(asked + SOON).await;
    scene.tap.stop().await;
    assert!(asked.elapsed() < SOON / 2, "{:?}", asked.elapsed());
    assert!(scene.gaps().iter().any(|gap| gap.contains("was not read to its end")), "{:?}", scene.gaps());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_vanishes_is_a_gap_that_names_it() {
    use rdkafka::admin::{AdminClient, AdminOptions};
    use rdkafka::client::DefaultClientContext;

    let scene = Scene::new(vec![topic("orders", 1, &[])]).await;
    scene.produce("orders", 0, OwnedHeaders::new(), "one").await;
    assert_eq!(scene.read().await.len(), 1);
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", scene.broker.address().to_string());
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    admin.delete_topics(&["orders"], &AdminOptions::new()).await.unwrap();
    scene.until(|_, gaps| gaps.iter().any(|gap| gap.what.contains("`orders`"))).await;
}
