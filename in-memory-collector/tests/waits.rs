//! Waiting: what meets a condition, what a time-out tells, that no wake-up is lost, and that time is in the
//! test's hand.

#![allow(clippy::unwrap_used, reason = "a test")]

mod client;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::{DEADLINE, Http1, PROTOBUF, samples};
use in_memory_collector::{
    Clock, Collector, Condition, Fault, Limits, ManualClock, Missing, SpanId, SpanKind, SpanPattern, TraceId,
    TraceQuery, WaitError, When,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;

struct Sender(Http1);

impl Sender {
    async fn to(address: SocketAddr) -> Self {
        Self(Http1::connect(address).await)
    }

    async fn send(&mut self, spans: Vec<Span>) {
        let body = samples::traces(spans);
        assert_eq!(self.0.request("POST", "/v1/traces", &[PROTOBUF], &body).await.status, 200);
    }
}

async fn start() -> (Collector, Sender) {
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    let sender = Sender::to(address).await;
    (collector, sender)
}

const SOON: Duration = Duration::from_millis(30);

fn missing(error: WaitError) -> Vec<Missing> {
    error.time_out().missing.clone()
}

#[tokio::test]
async fn a_count_is_met_at_once_if_the_spans_are_here() {
    let (collector, mut sender) = start().await;
    sender.send(vec![samples::span(1, 1, 0), samples::span(1, 2, 1), samples::span(2, 1, 0)]).await;
    let query = TraceQuery::trace([1; 16]);
    assert_eq!(collector.wait(&query, Condition::AtLeast(2), DEADLINE).await.unwrap().len(), 2);
    let all = collector.wait(&TraceQuery::all(), Condition::AtLeast(3), Instant::now() + DEADLINE).await;
    assert_eq!(all.unwrap().len(), 3);
    let error = collector.wait(&query, Condition::AtLeast(3), SOON).await.unwrap_err();
    assert_eq!(missing(error), [Missing::Spans { wanted: 3, have: 2 }]);
}

#[tokio::test]
async fn a_query_may_be_narrowed_to_an_endpoint() {
    let (collector, mut shop) = start().await;
    let mut billing = Sender::to(collector.endpoint("billing").await.unwrap().address()).await;
    shop.send(vec![samples::span(1, 1, 0)]).await;
    billing.send(vec![samples::span(1, 2, 1)]).await;
    let query = TraceQuery::trace([1; 16]).at("billing");
    let spans = collector.wait(&query, Condition::ParentsComplete, DEADLINE).await.unwrap();
    assert_eq!((spans.len(), spans[0].name()), (1, "span 2"));
}

#[tokio::test]
async fn parents_are_complete_when_each_is_here_or_known_not_to_be_exported() {
    let (collector, mut sender) = start().await;
    let query = TraceQuery::trace([1; 16]);
    sender.send(vec![samples::span(1, 3, 2), samples::span(1, 2, 9)]).await;
    let error = collector.wait(&query, Condition::ParentsComplete, SOON).await.unwrap_err();
    let parent = SpanId([9; 8]);
    assert_eq!(missing(error), [Missing::Parent { of: "span 2".to_owned(), parent }]);
    let query = query.not_exported([9; 8]);
    assert_eq!(collector.wait(&query, Condition::ParentsComplete, DEADLINE).await.unwrap().len(), 2);
}

#[tokio::test]
async fn links_are_resolved_by_an_arrival_in_another_trace() {
    let (collector, mut sender) = start().await;
    let mut linking = samples::span(1, 1, 0);
    linking.links = vec![Link { trace_id: vec![2; 16], span_id: vec![5; 8], ..Link::default() }];
    sender.send(vec![linking]).await;
    let waiter = collector.clone();
    let wait = tokio::spawn(async move {
        waiter.wait(&TraceQuery::trace([1; 16]), Condition::LinksResolved, DEADLINE).await
    });
    sender.send(vec![samples::span(2, 4, 0)]).await;
    sender.send(vec![samples::span(2, 5, 0)]).await;
    assert_eq!(wait.await.unwrap().unwrap().len(), 1);
    let from = collector.linking_to([2; 16]);
    assert_eq!((from.len(), from[0].trace_id()), (1, Some(TraceId([1; 16]))));
    assert_eq!(collector.linking_to_span([2; 16], [5; 8]).len(), 1);
    assert_eq!(collector.linking_to_span([2; 16], [4; 8]).len(), 0);
}

#[tokio::test]
async fn each_pattern_gets_a_span_of_its_own() {
    let (collector, mut sender) = start().await;
    sender.send(vec![samples::span(1, 1, 0), samples::span(1, 2, 1)]).await;
    let query = TraceQuery::trace([1; 16]);
    // The first pattern fits both; a greedy choice would leave nothing for the second.
    let patterns = vec![SpanPattern::default().kind(SpanKind::Server), SpanPattern::named("span 1")];
    assert!(collector.wait(&query, Condition::Includes(patterns.clone()), DEADLINE).await.is_ok());
    let more = vec![patterns[0].clone(), patterns[0].clone(), patterns[0].clone()];
    let error = collector.wait(&query, Condition::Includes(more), SOON).await.unwrap_err();
    assert_eq!(missing(error), [Missing::Span(patterns[0].clone())]);
}

#[tokio::test]
async fn a_time_out_tells_what_is_missing_met_and_additional_and_when_it_came() {
    let (collector, mut sender) = start().await;
    let waiter = collector.clone();
    let wait = tokio::spawn(async move {
        let wanted = vec![SpanPattern::named("span 1"), SpanPattern::named("checkout").at("billing")];
        let both = Condition::All(vec![Condition::AtLeast(1), Condition::Includes(wanted)]);
        waiter.wait(&TraceQuery::trace([1; 16]), both, Duration::from_millis(150)).await
    });
    sender.send(vec![samples::span(1, 1, 0), samples::span(1, 2, 1)]).await;
    sender.0.request("POST", "/v1/traces", &[PROTOBUF], b"\xff").await;
    let error = wait.await.unwrap().unwrap_err();
    let time_out = error.time_out();
    assert_eq!(time_out.met, [Condition::AtLeast(1)]);
    assert_eq!(time_out.additional.iter().map(|span| span.name()).collect::<Vec<_>>(), ["span 2"]);
    assert_eq!(time_out.timeline.len(), 3);
    let text = error.to_string();
    for part in [
        "missing:\n  a span named `checkout` at `billing`",
        "met:\n  at least 1 spans",
        "additional:\n  `span 2` Server at `shop`, span 0202020202020202, parent 0101010101010101",
        "refused: not a valid protobuf message",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[tokio::test]
async fn quiet_is_measured_on_a_clock_that_a_test_may_hold() {
    let clock = ManualClock::default();
    let collector = Collector::builder().clock(Clock::Manual(clock.clone())).start().unwrap();
    let address = collector.endpoint("shop").await.unwrap().address();
    let mut sender = Sender::to(address).await;
    sender.send(vec![samples::span(1, 1, 0)]).await;
    let waiter = collector.clone();
    let wait = tokio::spawn(async move {
        let nothing_else = Condition::Exactly(1, Duration::from_secs(10));
        waiter.wait(&TraceQuery::trace([1; 16]), nothing_else, Duration::from_secs(60)).await
    });
    until(|| clock.waits_begun() == 1).await;
    clock.advance(Duration::from_secs(9));
    assert!(!wait.is_finished());
    clock.advance(Duration::from_secs(1));
    let spans = tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap().unwrap();
    assert_eq!(spans.len(), 1);
}

#[tokio::test]
async fn a_late_span_breaks_the_quiet_and_one_too_many_is_named() {
    let clock = ManualClock::default();
    let collector = Collector::builder().clock(Clock::Manual(clock.clone())).start().unwrap();
    let mut sender = Sender::to(collector.endpoint("shop").await.unwrap().address()).await;
    sender.send(vec![samples::span(1, 1, 0)]).await;
    let waiter = collector.clone();
    let wait = tokio::spawn(async move {
        let nothing_else = Condition::Exactly(1, Duration::from_secs(10));
        waiter.wait(&TraceQuery::trace([1; 16]), nothing_else, Duration::from_secs(60)).await
    });
    until(|| clock.waits_begun() == 1).await;
    clock.advance(Duration::from_secs(9));
    sender.send(vec![samples::span(1, 2, 1)]).await;
    until(|| clock.waits_begun() >= 2).await;
    clock.advance(Duration::from_secs(51));
    let error = tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap().unwrap_err();
    assert_eq!(missing(error), [Missing::TooMany { wanted: 1, have: 2 }]);
}

#[tokio::test]
async fn a_request_under_way_is_no_quiet() {
    let collector = Collector::start(Limits::default()).unwrap();
    let endpoint = collector.endpoint("shop").await.unwrap();
    endpoint.inject(When::nth(1), Fault::Delay(Duration::from_millis(300)));
    let mut sender = Sender::to(endpoint.address()).await;
    let sending = tokio::spawn(async move { sender.send(vec![samples::span(1, 1, 0)]).await });
    let query = TraceQuery::trace([1; 16]);
    collector.wait(&query, Condition::AtLeast(1), DEADLINE).await.unwrap();
    let begun = Instant::now();
    collector.wait(&query, Condition::Quiet(Duration::from_millis(1)), DEADLINE).await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(200), "quiet only when the request was answered");
    sending.await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_every_wait() {
    let (collector, _sender) = start().await;
    let waiter = collector.clone();
    let wait = tokio::spawn(async move {
        waiter.wait(&TraceQuery::trace([1; 16]), Condition::AtLeast(1), DEADLINE).await
    });
    collector.stop().await;
    assert!(matches!(wait.await.unwrap(), Err(WaitError::Stopped(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost_between_the_look_and_the_sleep() {
    let (collector, mut sender) = start().await;
    for round in 1..400u16 {
        let mut span = samples::span(1, 1, 0);
        span.trace_id[..2].copy_from_slice(&round.to_be_bytes());
        let trace: [u8; 16] = span.trace_id.clone().try_into().unwrap();
        let waiter = collector.clone();
        let wait = tokio::spawn(async move {
            waiter.wait(&TraceQuery::trace(trace), Condition::AtLeast(1), DEADLINE).await
        });
        sender.send(vec![span]).await;
        assert_eq!(wait.await.unwrap().unwrap().len(), 1, "round {round}");
    }
}

#[test]
fn a_test_without_a_runtime_may_wait_and_a_blocked_thread_holds_nothing_up() {
    let collector = Collector::start(Limits::default()).unwrap();
    let address = collector.block_on(collector.endpoint("shop")).unwrap().address();
    // The sender blocks this very thread, as a flush of an SDK does.
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = samples::traces(vec![samples::span(1, 1, 0)]);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    std::io::Write::write_all(&mut stream, &[head.as_bytes(), &body].concat()).unwrap();
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let query = TraceQuery::all();
    let wait = collector.wait(&query, Condition::AtLeast(1), DEADLINE);
    assert_eq!(collector.block_on(wait).unwrap().len(), 1);
}

/// Lets the other tasks run until it is so.
async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("not so in time");
}
