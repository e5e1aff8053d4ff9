//! Each statement: what fits, and the defect of the spans that it finds.

use super::*;
use crate::conform::judge::{ExchangeTelemetry, ExportedMetric};
use crate::conform::suite::RequestIds;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const P: &str = "00f067aa0ba902b7";
const ENTRY: [u8; 8] = [1; 8];
const CALL: [u8; 8] = [2; 8];

fn span(id: [u8; 8], parent: &[u8], kind: SpanKind) -> ExportedSpan {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ExportedSpan {
        trace_id: hex::decode(T.as_bytes()).unwrap(),
        span_id: id.to_vec(),
        parent_id: parent.to_vec(),
        kind,
        flags: 0x101,
        trace_state: "foo=1".to_owned(),
        name: "POST /".to_owned(),
        start_nanos: 10_000_000,
        end_nanos: 20_000_000,
        attributes: [
            ("http.request.method", "POST"),
            ("url.path", "/"),
            ("url.scheme", "http"),
            ("url.full", "http://localhost/"),
            ("server.address", "localhost"),
            ("server.port", "80"),
        ]
        .map(|(name, value)| pair(name, value))
        .to_vec(),
        service_name: Some("target".to_owned()),
        links: Vec::new(),
        is_failed: false,
    }
}

/// Returns one request with its entry span and the span of its call, both right.
fn exchange() -> VectorExchange {
    let line = format!("00-{T}-{}-01", hex::encode(&CALL));
    let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let mut entry = span(ENTRY, &hex::decode(P.as_bytes()).unwrap(), SpanKind::Server);
    entry.flags = 0x301;
    let spans = vec![entry, span(CALL, &ENTRY, SpanKind::Client)];
    let exemplars = vec![(hex::decode(T.as_bytes()).unwrap(), ENTRY.to_vec())];
    let metrics = vec![ExportedMetric { name: format!("measured.{T}"), exemplars }];
    VectorExchange {
        minted: RequestIds { trace_id: T.to_owned(), parent_id: P.to_owned() },
        sent: vec![field("baggage", "k=secret")],
        answer: TargetAnswer::Status(200),
        calls: vec![Call {
            number: 0,
            fields: vec![field("traceparent", &line), field("tracestate", " foo=1 ")],
            is_late: false,
        }],
        is_without_span: false,
        answer_fields: Vec::new(),
        telemetry: ExchangeTelemetry { spans, metrics, ..ExchangeTelemetry::default() },
        output: Vec::new(),
    }
}

/// Returns what contradicts the statement after a change.
fn contradicted(statement: SpanStatement, change: impl FnOnce(&mut VectorExchange)) -> Option<String> {
    let mut exchange = exchange();
    change(&mut exchange);
    RequestSpans::of(&[Format::TraceContext], &exchange).statement(statement).err().map(|found| found.0)
}

fn entry(exchange: &mut VectorExchange) -> &mut ExportedSpan {
    &mut exchange.telemetry.spans[0]
}

fn call(exchange: &mut VectorExchange) -> &mut ExportedSpan {
    &mut exchange.telemetry.spans[1]
}

fn measured(exchange: &mut VectorExchange) -> &mut ExportedMetric {
    &mut exchange.telemetry.metrics[0]
}

fn answered(exchange: &mut VectorExchange, id: [u8; 8]) {
    let line = format!("trace;desc=00-{T}-{}-01", hex::encode(&id));
    exchange.answer_fields = vec![(b"server-timing".to_vec(), line.into_bytes())];
}

#[test]
fn spans_that_are_right_contradict_nothing_but_what_states_the_opposite() {
    let opposite = [
        SpanStatement::NotExported,
        SpanStatement::EntryRoot,
        SpanStatement::LinkedToEntry,
        SpanStatement::SendLinksToCall,
        SpanStatement::LinkedToSent,
        SpanStatement::Redelivered,
        SpanStatement::FailedDelivery,
        SpanStatement::NoExemplar,
        SpanStatement::ResponseOfEntry,
    ];
    for statement in SpanStatement::ALL {
        let found = contradicted(*statement, |_| {});
        assert_eq!(found.is_some(), opposite.contains(statement), "{}: {found:?}", statement.word());
    }
    let no_spans = |exchange: &mut VectorExchange| exchange.telemetry.spans.clear();
    assert_eq!(contradicted(SpanStatement::NotExported, no_spans), None);
    assert_eq!(contradicted(SpanStatement::ResponseOfEntry, |exchange| answered(exchange, ENTRY)), None);
    let no_exemplar = |exchange: &mut VectorExchange| measured(exchange).exemplars.clear();
    assert_eq!(contradicted(SpanStatement::NoExemplar, no_exemplar), None);
    assert_eq!(contradicted(SpanStatement::EntryRoot, |exchange| entry(exchange).parent_id.clear()), None);
}

#[test]
fn a_link_to_the_entry_span_is_found_in_the_new_trace_only() {
    let linked = |trace: Vec<u8>| {
        move |exchange: &mut VectorExchange| {
            let (trace_id, span_id) = (entry(exchange).trace_id.clone(), entry(exchange).span_id.clone());
            let target = link(&trace_id, &span_id);
            call(exchange).trace_id = trace.clone();
            call(exchange).links.push(target);
            let line = format!("00-{}-{}-01", hex::encode(&trace), hex::encode(&CALL));
            exchange.calls[0].fields[0].1 = line.into_bytes();
        }
    };
    assert_eq!(contradicted(SpanStatement::LinkedToEntry, linked(vec![9; 16])), None);
    let same = linked(hex::decode(T.as_bytes()).unwrap());
    assert!(contradicted(SpanStatement::LinkedToEntry, same).is_some());
}

fn link(trace_id: &[u8], span_id: &[u8]) -> ExportedLink {
    let (trace_id, span_id) = (trace_id.to_vec(), span_id.to_vec());
    ExportedLink { trace_id, span_id, ..ExportedLink::default() }
}

/// Links the entry span to the context that was sent, which has the flags 01 and the trace state `foo=1`.
fn link_to_sent(exchange: &mut VectorExchange, flags: u32, state: &str) {
    let field = |name: &str, value: String| (name.as_bytes().to_vec(), value.into_bytes());
    exchange.sent.push(field("traceparent", format!("00-{T}-{P}-01")));
    exchange.sent.push(field("tracestate", "foo=1".to_owned()));
    let (trace, span) = (hex::decode(T.as_bytes()).unwrap(), hex::decode(P.as_bytes()).unwrap());
    let link = ExportedLink { flags, trace_state: state.to_owned(), ..link(&trace, &span) };
    entry(exchange).links.push(link);
}

#[test]
fn a_link_and_a_second_delivery_are_found() {
    assert_eq!(contradicted(SpanStatement::LinkedToSent, |one| link_to_sent(one, 0x301, "foo=1")), None);
    let twice = |exchange: &mut VectorExchange| {
        entry(exchange).kind = SpanKind::Consumer;
        entry(exchange).is_failed = true;
        let again = ExportedSpan { span_id: vec![6; 8], start_nanos: 9_000_000, ..entry(exchange).clone() };
        exchange.telemetry.spans.push(again);
    };
    assert_eq!(contradicted(SpanStatement::Redelivered, twice), None);
    assert_eq!(contradicted(SpanStatement::FailedDelivery, twice), None);
}

#[test]
fn a_send_links_to_the_context_that_the_application_gave_to_its_message() {
    let linked = |exchange: &mut VectorExchange| {
        let given = (vec![9; 16], vec![8; 8]);
        let line = format!("00-{}-{}-01", hex::encode(&given.0), hex::encode(&given.1));
        exchange.calls[0].fields[0].1 = line.into_bytes();
        call(exchange).links.push(link(&given.0, &given.1));
    };
    assert_eq!(contradicted(SpanStatement::SendLinksToCall, linked), None);
}

type Change = fn(&mut VectorExchange);

/// Each statement and a defect that it must find.
const DEFECTS: &[(SpanStatement, Change, &str)] = &[
    (SpanStatement::Exported, |exchange| exchange.telemetry.spans.clear(), "no span"),
    (SpanStatement::Exported, |exchange| drop(exchange.telemetry.spans.remove(0)), "none of the request"),
    (SpanStatement::Exported, |exchange| drop(exchange.telemetry.spans.remove(1)), "0202020202020202"),
    (SpanStatement::NotExported, |_| {}, "was exported"),
    (SpanStatement::EntryParent, |exchange| entry(exchange).parent_id = vec![7; 8], "0707070707070707"),
    (SpanStatement::EntryParent, |exchange| entry(exchange).parent_id.clear(), "has no parent"),
    (SpanStatement::EntryRoot, |_| {}, "has the parent"),
    (SpanStatement::CallsNameSpans, |exchange| call(exchange).span_id = vec![7; 8], "0202020202020202"),
    (SpanStatement::ParentsExist, |exchange| call(exchange).parent_id = vec![7; 8], "not exported"),
    (SpanStatement::OneTree, |exchange| call(exchange).span_id = ENTRY.to_vec(), "two spans"),
    (SpanStatement::OneTree, |exchange| call(exchange).parent_id.clear(), "outermost"),
    (SpanStatement::OneTree, |exchange| entry(exchange).parent_id = CALL.to_vec(), "cycle"),
    (SpanStatement::OneTree, |exchange| call(exchange).parent_id = CALL.to_vec(), "cycle"),
    (SpanStatement::TimesOrdered, |exchange| entry(exchange).end_nanos = 1, "ends at 1"),
    (SpanStatement::TimesOrdered, |exchange| call(exchange).start_nanos = 5_000_000, "before its parent"),
    (SpanStatement::Kinds, |exchange| entry(exchange).kind = SpanKind::Internal, "INTERNAL"),
    (SpanStatement::Kinds, |exchange| exchange.answer = TargetAnswer::Delivered, "expected CONSUMER"),
    (SpanStatement::Kinds, |exchange| call(exchange).kind = SpanKind::Server, "expected CLIENT"),
    (SpanStatement::ValidIds, |exchange| call(exchange).span_id = vec![2; 7], "02020202020202"),
    (SpanStatement::ValidIds, |exchange| entry(exchange).parent_id = vec![0; 8], "0000000000000000"),
    (SpanStatement::RemoteParents, |exchange| entry(exchange).flags = 0x101, "0x300"),
    (SpanStatement::RemoteParents, |exchange| call(exchange).flags = 0x301, "0x100"),
    (SpanStatement::FlagsOfCall, |exchange| call(exchange).flags = 0x103, "flags 01"),
    (SpanStatement::TracestateOfCall, |exchange| call(exchange).trace_state.clear(), "foo=1"),
    (SpanStatement::SampledOnly, |exchange| call(exchange).flags = 0x100, "0x100"),
    (
        SpanStatement::NoBaggageAttributes,
        |exchange| entry(exchange).attributes.push(("k".to_owned(), "secret".to_owned())),
        "`k`",
    ),
    (
        SpanStatement::NoOtherTraces,
        |exchange| exchange.telemetry.other_traces.push(span([5; 8], &[], SpanKind::Client)),
        "no request and no call",
    ),
    (SpanStatement::HttpAttributes, |exchange| drop(entry(exchange).attributes.remove(1)), "url.path"),
    (SpanStatement::HttpAttributes, |exchange| drop(call(exchange).attributes.remove(3)), "url.full"),
    (SpanStatement::LowCardinalityName, |exchange| entry(exchange).name = format!("GET /{T}"), "GET /"),
    (SpanStatement::ResourceNamed, |exchange| call(exchange).service_name = None, "has no `service.name`"),
    (SpanStatement::LinkedToEntry, |_| {}, "links to"),
    (SpanStatement::SendLinksToCall, |_| {}, "no link to"),
    (
        SpanStatement::ThresholdsHold,
        |exchange| entry(exchange).trace_state = "ot=th:8;rv:7fffffffffffff".to_owned(),
        "the threshold 8",
    ),
    (SpanStatement::LinkedToSent, |_| {}, "has 0 links"),
    (SpanStatement::LinkedToSent, |exchange| link_to_sent(exchange, 0x300, "foo=1"), "flags 00"),
    (SpanStatement::LinkedToSent, |exchange| link_to_sent(exchange, 0x301, "foo=2"), "foo=2"),
    (SpanStatement::Redelivered, |exchange| entry(exchange).kind = SpanKind::Consumer, "1 spans"),
    (SpanStatement::FailedDelivery, |exchange| entry(exchange).kind = SpanKind::Consumer, "not ERROR"),
    (SpanStatement::ExemplarOfEntry, |exchange| exchange.telemetry.metrics.clear(), "was not exported"),
    (SpanStatement::ExemplarOfEntry, |exchange| measured(exchange).exemplars.clear(), "has no exemplar"),
    (
        SpanStatement::ExemplarOfEntry,
        |exchange| measured(exchange).exemplars[0].1 = CALL.to_vec(),
        "span id 0202020202020202",
    ),
    (SpanStatement::ExemplarOfEntry, |exchange| measured(exchange).exemplars[0].0.clear(), "trace id <none>"),
    (SpanStatement::ResponseOfEntry, |_| {}, "no context"),
    (SpanStatement::ResponseOfEntry, |exchange| answered(exchange, CALL), "the id 0202020202020202"),
    (SpanStatement::NoExemplar, |_| {}, "not sampled"),
    (SpanStatement::NoExemplar, |exchange| exchange.telemetry.metrics.clear(), "was not exported"),
];

#[test]
fn each_statement_finds_its_defects() {
    for (statement, change, part) in DEFECTS {
        let found = contradicted(*statement, change).unwrap_or_else(|| panic!("{}", statement.word()));
        assert!(found.contains(part), "{}: {found}", statement.word());
    }
    for statement in SpanStatement::ALL {
        assert!(DEFECTS.iter().any(|(known, ..)| known == statement), "{} has no defect", statement.word());
    }
}

#[test]
fn a_threshold_above_the_randomness_and_two_randomnesses_contradict_each_other() {
    let held = |entry_state: &str, call_state: &str| {
        contradicted(SpanStatement::ThresholdsHold, |exchange| {
            entry(exchange).trace_state = entry_state.to_owned();
            call(exchange).trace_state = call_state.to_owned();
        })
    };
    assert_eq!(held("ot=th:8;rv:80000000000000", "x=1,ot=rv:80000000000000;th:8"), None);
    assert_eq!(held("", "foo=1"), None, "without a threshold nothing is stated");
    assert_eq!(held("ot=th:c", "ot=th:ce9"), None, "the trace id ends in ce929d0e0e4736");
    let above = held("ot=th:c;rv:80000000000000", "ot=rv:80000000000000").unwrap();
    assert!(above.contains("the threshold c and the randomness 80000000000000"), "{above}");
    let two = held("ot=rv:80000000000000", "ot=rv:90000000000000").unwrap();
    assert!(two.contains("90000000000000") && two.contains("80000000000000"), "{two}");
}
