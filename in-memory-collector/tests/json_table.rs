//! OTLP/JSON, case by case: what is refused, and what is taken in which meaning.
//!
//! A case is a span, or a value of an attribute; its meaning is the canonical text of that span. The canonical text is
//! read by opentelemetry-proto's serde types too, and must be the same span there, so that the table does not rest on
//! our own printer. Clause: OTLP "JSON Protobuf Encoding", ProtoJSON.

#![allow(clippy::unwrap_used, reason = "a test")]

use in_memory_collector::{Encoding, decode};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// The result that opentelemetry-proto 0.33 makes of the case.
#[derive(Clone, Copy, PartialEq)]
enum Serde {
    Agrees,
    /// Refuses what it should take, or takes what it should refuse.
    Wrong,
    /// Not compared: the protocol allows the difference.
    Other,
}
use Serde::{Agrees, Other, Wrong};

/// Members of a span, and the members that they mean; nothing where they are refused.
type Case = (&'static str, Option<&'static str>, Serde);

const SPANS: &[Case] = &[
    // Ids: hexadecimal in either case, of any length.
    (
        r#""traceId":"0af7651916cd43dd8448eb211c80319c""#,
        Some(r#""traceId":"0af7651916cd43dd8448eb211c80319c""#),
        Agrees,
    ),
    (
        r#""traceId":"0AF7651916cd43DD8448eb211c80319C""#,
        Some(r#""traceId":"0af7651916cd43dd8448eb211c80319c""#),
        Agrees,
    ),
    (r#""spanId":"b7ad6b7169203331""#, Some(r#""spanId":"b7ad6b7169203331""#), Agrees),
    (r#""spanId":"b7ad6b""#, Some(r#""spanId":"b7ad6b""#), Agrees),
    (r#""spanId":"""#, Some(r#""spanId":"""#), Agrees),
    (r#""parentSpanId":null"#, Some(""), Wrong),
    (r#""parentSpanId":"00f067aa0ba902b7""#, Some(r#""parentSpanId":"00f067aa0ba902b7""#), Agrees),
    (r#""spanId":"0x00f067aa0ba902b7""#, None, Wrong),
    (r#""spanId":"b7ad6b716920333""#, None, Agrees),
    (r#""spanId":"b7ad6b716920333g""#, None, Agrees),
    (r#""spanId":"AAAAAAAAAAA=""#, None, Agrees),
    (r#""spanId":"\u0062\u0037""#, Some(r#""spanId":"b7""#), Other),
    (r#""spanId":5"#, None, Agrees),
    // Enums are numbers.
    (r#""kind":3"#, Some(r#""kind":3"#), Agrees),
    (r#""kind":"SPAN_KIND_CLIENT""#, None, Agrees),
    (r#""kind":"3""#, None, Agrees),
    (r#""kind":99"#, Some(r#""kind":99"#), Agrees),
    (r#""kind":null"#, Some(""), Other),
    (r#""kind":1.5"#, None, Agrees),
    (r#""status":{"code":2,"message":"no"}"#, Some(r#""status":{"message":"no","code":2}"#), Agrees),
    (r#""status":{"code":"STATUS_CODE_ERROR"}"#, None, Agrees),
    (r#""status":null"#, Some(""), Agrees),
    (r#""status":{}"#, Some(r#""status":{}"#), Agrees),
    // 64-bit integers as text or number.
    (
        r#""startTimeUnixNano":"1700000000000000001""#,
        Some(r#""startTimeUnixNano":"1700000000000000001""#),
        Agrees,
    ),
    (
        r#""startTimeUnixNano":1700000000000000001"#,
        Some(r#""startTimeUnixNano":"1700000000000000001""#),
        Agrees,
    ),
    (
        r#""startTimeUnixNano":"18446744073709551615""#,
        Some(r#""startTimeUnixNano":"18446744073709551615""#),
        Agrees,
    ),
    (r#""startTimeUnixNano":"18446744073709551616""#, None, Agrees),
    (r#""startTimeUnixNano":-1"#, None, Agrees),
    (r#""startTimeUnixNano":1e3"#, Some(r#""startTimeUnixNano":"1000""#), Wrong),
    (r#""startTimeUnixNano":"1e3""#, Some(r#""startTimeUnixNano":"1000""#), Other),
    (r#""startTimeUnixNano":1000.0"#, Some(r#""startTimeUnixNano":"1000""#), Other),
    (r#""startTimeUnixNano":1.5"#, None, Agrees),
    (r#""startTimeUnixNano":"""#, None, Agrees),
    (r#""startTimeUnixNano":" 1""#, None, Agrees),
    (r#""startTimeUnixNano":null"#, Some(""), Other),
    // 32-bit integers as number or text.
    (r#""flags":257"#, Some(r#""flags":257"#), Agrees),
    (r#""flags":"257""#, Some(r#""flags":257"#), Wrong),
    (r#""flags":4294967295"#, Some(r#""flags":4294967295"#), Agrees),
    (r#""flags":4294967296"#, None, Agrees),
    (r#""flags":-1"#, None, Agrees),
    (r#""droppedAttributesCount":"7""#, Some(r#""droppedAttributesCount":7"#), Other),
    (r#""droppedAttributesCount":true"#, None, Agrees),
    // Names.
    (r#""name":"a""#, Some(r#""name":"a""#), Agrees),
    (r#""name":null"#, Some(""), Wrong),
    (r#""name":5"#, None, Agrees),
    (r#""name":"ä\u00e4\ud83d\ude00\n\"\\""#, Some(r#""name":"ää😀\n\"\\""#), Agrees),
    (r#""name":"\ud83d""#, None, Agrees),
    (r#""name":"\ude00\ud83d""#, None, Agrees),
    (r#""trace_id":"0a","name":"b""#, Some(r#""name":"b""#), Agrees),
    (r#""start_time_unix_nano":"x","Name":5"#, Some(""), Agrees),
    // Unknown members of any shape, and order.
    (r#""new":{"a":[1,{"b":null}],"c":"d"},"name":"n""#, Some(r#""name":"n""#), Agrees),
    (r#""new":1e999,"name":"n""#, Some(r#""name":"n""#), Other),
    (r#""new":[1,]"#, None, Agrees),
    (r#""flags":1,"name":"n""#, Some(r#""flags":1,"name":"n""#), Agrees),
    (r#""name":"first","name":"last""#, Some(r#""name":"last""#), Other),
    // Repeated fields.
    (r#""attributes":[]"#, Some(""), Agrees),
    (r#""attributes":null"#, Some(""), Wrong),
    (r#""attributes":[null]"#, None, Agrees),
    (r#""attributes":{}"#, None, Agrees),
    (
        r#""events":[{"timeUnixNano":"5","name":"e"}]"#,
        Some(r#""events":[{"timeUnixNano":"5","name":"e"}]"#),
        Agrees,
    ),
    (
        r#""links":[{"traceId":"0A","spanId":"0b","traceState":"a=b","flags":769}]"#,
        Some(r#""links":[{"traceId":"0a","spanId":"0b","traceState":"a=b","flags":769}]"#),
        Agrees,
    ),
    (r#""links":[{}]"#, Some(r#""links":[{}]"#), Agrees),
    (r#""links":[{"spanId":"zz"}]"#, None, Agrees),
    (r#""traceState":"acme=1""#, Some(r#""traceState":"acme=1""#), Agrees),
];

/// Values of an attribute.
const VALUES: &[Case] = &[
    (r#"{"stringValue":"text"}"#, Some(r#"{"stringValue":"text"}"#), Agrees),
    (r#"{"stringValue":""}"#, Some(r#"{"stringValue":""}"#), Agrees),
    (r#"{"boolValue":true}"#, Some(r#"{"boolValue":true}"#), Agrees),
    (r#"{"boolValue":false}"#, Some(r#"{"boolValue":false}"#), Agrees),
    (r#"{"boolValue":"true"}"#, None, Agrees),
    (r#"{"intValue":"-5"}"#, Some(r#"{"intValue":"-5"}"#), Agrees),
    (r#"{"intValue":-5}"#, Some(r#"{"intValue":"-5"}"#), Agrees),
    (r#"{"intValue":"9223372036854775808"}"#, None, Agrees),
    (r#"{"intValue":"-9223372036854775808"}"#, Some(r#"{"intValue":"-9223372036854775808"}"#), Agrees),
    (r#"{"doubleValue":1.5}"#, Some(r#"{"doubleValue":1.5}"#), Agrees),
    (r#"{"doubleValue":5}"#, Some(r#"{"doubleValue":5.0}"#), Agrees),
    (r#"{"doubleValue":"1.5"}"#, Some(r#"{"doubleValue":1.5}"#), Wrong),
    (r#"{"doubleValue":"NaN"}"#, Some(r#"{"doubleValue":"NaN"}"#), Wrong),
    (r#"{"doubleValue":"Infinity"}"#, Some(r#"{"doubleValue":"Infinity"}"#), Wrong),
    (r#"{"doubleValue":"-Infinity"}"#, Some(r#"{"doubleValue":"-Infinity"}"#), Other),
    (r#"{"doubleValue":"inf"}"#, None, Agrees),
    (r#"{"doubleValue":NaN}"#, None, Agrees),
    (r#"{"doubleValue":1e400}"#, None, Other),
    (r#"{"bytesValue":"+/8="}"#, Some(r#"{"bytesValue":"+/8="}"#), Agrees),
    (r#"{"bytesValue":"-_8="}"#, Some(r#"{"bytesValue":"+/8="}"#), Wrong),
    (r#"{"bytesValue":"+/8"}"#, Some(r#"{"bytesValue":"+/8="}"#), Wrong),
    (r#"{"bytesValue":"!"}"#, None, Agrees),
    (r#"{"bytesValue":""}"#, Some(r#"{"bytesValue":""}"#), Agrees),
    (r#"{"arrayValue":{}}"#, Some(r#"{"arrayValue":{}}"#), Wrong),
    (
        r#"{"arrayValue":{"values":[{"intValue":1},{"stringValue":"a"}]}}"#,
        Some(r#"{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"a"}]}}"#),
        Agrees,
    ),
    (r#"{"arrayValue":[1]}"#, None, Other),
    // As the protocol's own `events.json` had it for years; the schema has a message there.
    (r#"{"kvlistValue":[{"key":"a","value":{"boolValue":true}}]}"#, None, Other),
    (
        r#"{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}}"#,
        Some(r#"{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}}"#),
        Agrees,
    ),
    (r#"{}"#, Some(r#"{}"#), Agrees),
    (r#"{"stringValue":null}"#, Some(r#"{}"#), Other),
    (r#"{"string_value":"ignored"}"#, Some(r#"{}"#), Other),
    (r#""text""#, None, Agrees),
];

fn request(span: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{span}}}]}}]}}]}}"#)
}

fn check(input: &str, meaning: Option<&str>, serde: Serde) {
    let ours = decode::traces(Encoding::Json, request(input).as_bytes());
    let theirs = serde_json::from_str::<Span>(&format!("{{{input}}}"));
    let Some(meaning) = meaning else {
        assert!(ours.is_err(), "{input} was taken as {:?}", ours.map(|spans| spans[0].json()));
        if serde != Other {
            assert_eq!(theirs.is_err(), serde == Agrees, "{input}: serde");
        }
        return;
    };
    let spans = ours.unwrap_or_else(|refusal| panic!("{input}: {refusal}"));
    assert_eq!(normal(&spans[0].json()), normal(&format!("{{{meaning}}}")), "{input}");
    // The same with white space and members in another order, where serde_json can say what that is.
    if let Ok(tree) = serde_json::from_str::<serde_json::Value>(&request(input)) {
        let spaced = serde_json::to_string_pretty(&tree).unwrap();
        let again = decode::traces(Encoding::Json, spaced.as_bytes()).unwrap();
        assert_eq!(again[0].json(), spans[0].json(), "{input} with white space");
    }
    let read = Span::decode(spans[0].protobuf()).unwrap();
    let strange = ["NaN", "Infinity", r#""arrayValue":{}"#].iter().any(|text| meaning.contains(text));
    if !strange {
        let canonical: Span = serde_json::from_str(&format!("{{{meaning}}}")).unwrap();
        assert_eq!(read, canonical, "{input}");
    }
    match serde {
        Agrees => assert_eq!(theirs.unwrap(), read, "{input}"),
        Wrong => assert!(theirs.map_or(true, |theirs| theirs != read), "{input}: serde reads this now"),
        Other => {}
    }
}

/// Sorts the members and removes empty lists, which mean the same as none.
fn normal(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn every_case_is_refused_or_has_its_meaning() {
    assert!(SPANS.len() + VALUES.len() >= 60, "{}", SPANS.len() + VALUES.len());
    let wrong = SPANS.iter().chain(VALUES).filter(|case| case.2 == Wrong).count();
    assert!(wrong >= 12, "{wrong} cases that opentelemetry-proto gets wrong");
    for (input, meaning, serde) in SPANS {
        check(input, *meaning, *serde);
    }
    for (value, meaning, serde) in VALUES {
        let attribute = |value: &str| format!(r#""attributes":[{{"key":"k","value":{value}}}]"#);
        check(&attribute(value), meaning.map(attribute).as_deref(), *serde);
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "{}x",
        "{} {}",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{a:1}"#,
        "{'a':1}",
        r#"{"a":1,}"#,
        "/**/{}",
        "{\"a\":\"\t\"}",
        "\u{feff}{}",
        r#"{"resourceSpans":{}}"#,
        r#"{"a":tru}"#,
        r#"{"a":01}"#,
    ] {
        assert!(decode::traces(Encoding::Json, text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(decode::traces(Encoding::Json, b"{\"a\":\"\xff\"}").is_err(), "not UTF-8");
    for text in
        ["{}", " \n{ }\r\n\t", r#"{"resourceSpans":[]}"#, r#"{"resourceSpans":null}"#, r#"{"x":[[[]]]}"#]
    {
        assert!(decode::traces(Encoding::Json, text.as_bytes()).is_ok(), "{text:?}");
    }
}

#[test]
fn nesting_is_bounded_in_messages_and_in_what_is_ignored() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let ignored = |depth: usize| {
            let inner = if close == "}" { "1" } else { "" };
            format!(r#"{{"x":{}{inner}{}}}"#, open.repeat(depth), close.repeat(depth))
        };
        assert!(decode::traces(Encoding::Json, ignored(90).as_bytes()).is_ok());
        assert!(decode::traces(Encoding::Json, ignored(100_000).as_bytes()).is_err());
    }
    let value = |depth: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let span = format!(r#""attributes":[{{"key":"k","value":{open}{}}}]"#, "]}}".repeat(depth));
        decode::traces(Encoding::Json, request(&span).as_bytes())
    };
    assert!(value(40).is_ok());
    assert!(value(100_000).is_err());
}

#[test]
fn a_refusal_names_the_place() {
    let text = request(r#""attributes":[{"key":"k","value":{"intValue":"x"}}]"#);
    let refusal = decode::traces(Encoding::Json, text.as_bytes()).unwrap_err().to_string();
    let at = text.find(r#""x""#).unwrap() + 3;
    assert!(refusal.ends_with(&format!("at byte {at}, in `AnyValue.intValue`")), "{refusal}");
}

/// Payloads with every field that the protocol's own examples have (opentelemetry-proto, `examples/`): all signals,
/// resources, scopes, each kind of metric.
#[test]
fn whole_payloads_of_all_signals_are_read() {
    let traces = include_bytes!("payloads/trace.json");
    let spans = decode::traces(Encoding::Json, traces).unwrap();
    assert_eq!(
        (spans[0].name(), spans[0].service_name().as_deref()),
        ("I'm a server span", Some("my.service"))
    );
    let theirs: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest =
        serde_json::from_slice(traces).unwrap();
    let span = &theirs.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(Span::decode(spans[0].protobuf()).unwrap(), *span);

    let records = decode::logs(Encoding::Json, include_bytes!("payloads/logs.json")).unwrap();
    assert_eq!(records[0].body().as_str(), Some("Example log record"));
    assert_eq!(records[0].attributes().len(), 6);
    let events = decode::logs(Encoding::Json, include_bytes!("payloads/events.json")).unwrap();
    assert_eq!(events[0].event_name(), "browser.page_view");
    assert_eq!(decode::metrics(Encoding::Json, include_bytes!("payloads/metrics.json")).unwrap(), 5);
}
