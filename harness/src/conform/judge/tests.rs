use super::*;
use crate::conform::suite;
use crate::evidence::RawFields;
use crate::source::Source;

const HEAD: &str = "suite: s\nabout: a\nrequirements:\n  XX-01:\n    says: s\n    strength: MUST\n    clause: https://c\n    vectors:\n";
const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const P: &str = "00f067aa0ba902b7";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";

fn vector(text: &str) -> Vector {
    let valid = "      valid: { send: [[traceparent, '00-{T}-{P}-01']], expect: continue }\n";
    let source = Source::new("suite.yaml", format!("{HEAD}      it: {text}\n{valid}"));
    let suite = suite::read(&source).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    suite.requirements[0].vectors[0].clone()
}

fn fields(lines: &[(&str, &str)]) -> RawFields {
    lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// Returns the verdict on a vector where the target made these calls, as a word.
fn judged(text: &str, calls: &[&[(&str, &str)]]) -> String {
    match end_of(text, calls) {
        End::Fits(outcome) => outcome,
        End::Misfits(mismatch) => mismatch.kind.word().to_owned(),
        End::Inconclusive(why) | End::Unsupported(why) => why,
    }
}

/// Returns the verdict on a vector where the target made these calls.
pub(super) fn end_of(text: &str, calls: &[&[(&str, &str)]]) -> End {
    let vector = vector(text);
    let minted = minted();
    let sent = vector.send.iter().map(|(name, value)| (name.fill(&minted), value.fill(&minted))).collect();
    let calls = calls.iter().enumerate().map(|(number, lines)| call(number, lines));
    judge(&vector, &[VectorExchange { sent, calls: calls.collect(), ..exchange_of(&[]) }]).end
}

fn minted() -> RequestIds {
    RequestIds { trace_id: T.into(), parent_id: P.into() }
}

fn call(number: usize, lines: &[(&str, &str)]) -> Call {
    Call { number, fields: fields(lines), is_late: false }
}

/// Returns a request with these fields, its answer 200, and one call without fields.
pub(super) fn exchange_of(sent: &[(&str, &str)]) -> VectorExchange {
    VectorExchange {
        minted: minted(),
        sent: fields(sent),
        answer: TargetAnswer::Status(200),
        calls: vec![call(0, &[])],
        is_without_span: false,
        answer_fields: Vec::new(),
        telemetry: ExchangeTelemetry::default(),
        output: Vec::new(),
    }
}

fn parent(trace: &str, span: &str, flags: &str) -> String {
    format!("00-{trace}-{span}-{flags}")
}

#[test]
fn a_trace_is_continued_with_its_trace_id_and_a_new_parent_id() {
    let text = "{ send: [[traceparent, '00-{T}-{P}-01']], expect: continue }";
    let judged_with = |line: &str| judged(text, &[&[("TraceParent", line)]]);
    assert_eq!(judged_with(&parent(T, "00f067aa0ba902b8", "01")), "continue");
    assert_eq!(judged_with(&parent(OTHER, "00f067aa0ba902b8", "01")), "trace-id-changed");
    assert_eq!(judged_with(&parent(T, P, "01")), "parent-id-kept");
    assert_eq!(judged_with("00-zz"), "malformed");
    assert_eq!(judged_with(&format!("01-{T}-00f067aa0ba902b8-01")), "version");
    assert_eq!(judged(text, &[&[]]), "missing");
    let line = parent(T, "00f067aa0ba902b8", "01");
    assert_eq!(judged(text, &[&[("traceparent", &line), ("traceparent", &line)]]), "repeated");
    assert_eq!(judged(text, &[]), "not-called-back");
}

#[test]
fn a_new_trace_takes_nothing_from_an_invalid_one() {
    let short = "{ send: [[traceparent, '00-{T:31}-{P}-01'], [tracestate, 'foo=1']], expect: restart }";
    let judged_with = |trace: &str| judged(short, &[&[("traceparent", &parent(trace, P, "01"))]]);
    assert_eq!(judged_with(OTHER), "restart");
    assert_eq!(judged_with(T), "trace-id-kept");
    assert_eq!(judged_with(&format!("0{}", &T[..31])), "trace-id-derived");
    let line = parent(OTHER, P, "01");
    assert_eq!(judged(short, &[&[("traceparent", &line), ("tracestate", "foo=1")]]), "member-kept");
    assert_eq!(judged(short, &[&[("traceparent", &line), ("tracestate", "own=1")]]), "restart");
    let upper = "{ send: [[trace-parent, '00-{T:upper}-{P}-01']], expect: restart }";
    assert_eq!(judged(upper, &[&[("traceparent", &parent(T, "00f067aa0ba902b8", "01"))]]), "trace-id-kept");
}

#[test]
fn members_keep_their_order_with_new_ones_in_front() {
    let text = "{ send: [[traceparent, '00-{T}-{P}-01'], [tracestate, 'foo=1,bar=2']], \
                expect: { continue: { tracestate: [foo=1, bar=2] } } }";
    let judged_with = |list: &str| {
        judged(text, &[&[("traceparent", &parent(T, "00f067aa0ba902b8", "01")), ("tracestate", list)]])
    };
    assert_eq!(judged_with("foo=1,bar=2"), "continue");
    assert_eq!(judged_with("own=3,foo=1 , bar=2"), "continue");
    assert_eq!(judged_with("foo=1"), "member-lost");
    assert_eq!(judged_with("foo=1,bar=3"), "member-altered");
    assert_eq!(judged_with("bar=2,foo=1"), "reordered");
    assert_eq!(judged_with("foo=1,own=3,bar=2"), "added-behind");
    assert_eq!(judged_with("foo=1,bar=2,foo=1"), "reordered");
    assert_eq!(judged_with("foo=1,foo=9,bar=2"), "member-kept");
}

#[test]
fn the_actual_one_of_several_outcomes_is_named() {
    let text = "{ send: [[traceparent, '00-{T}-{P}-01'], [tracestate, 'FOO=1,bar=2']], expect: [\
                { as: header-dropped, continue: { tracestate: none } }, \
                { as: member-dropped, continue: { tracestate: [bar=2] } }] }";
    let judged_with = |list: &str| {
        judged(text, &[&[("traceparent", &parent(T, "00f067aa0ba902b8", "01")), ("tracestate", list)]])
    };
    assert_eq!(judged_with(""), "header-dropped");
    assert_eq!(judged_with("bar=2"), "member-dropped");
    assert_eq!(judged_with("FOO=1,bar=2"), "member-kept");
}

#[test]
fn baggage_is_compared_by_its_meaning() {
    let text = "{ send: [[traceparent, '00-{T}-{P}-01'], [baggage, 'a=x%20y;p=1,b=2']], \
                expect: { continue: { baggage: ['a=x%20y;p=1', b=2] } } }";
    let judged_with = |list: &str| {
        judged(text, &[&[("traceparent", &parent(T, "00f067aa0ba902b8", "01")), ("baggage", list)]])
    };
    assert_eq!(judged_with("b=2,own=1,a=%78%20y;p=1"), "continue");
    assert_eq!(judged_with("a=x+y;p=1,b=2"), "member-altered");
    assert_eq!(judged_with("a=x%20y,b=2"), "member-altered");
    assert_eq!(judged_with("b=2"), "member-lost");
}

#[test]
fn statements_hold_over_all_calls() {
    let text =
        "{ send: [[traceparent, '00-{T}-{P}-01']], calls: 2, across: distinct-parents, expect: continue }";
    let (one, two) = (parent(T, "00f067aa0ba902b8", "01"), parent(T, "00f067aa0ba902b9", "01"));
    assert_eq!(judged(text, &[&[("traceparent", &one)], &[("traceparent", &two)]]), "continue");
    assert_eq!(judged(text, &[&[("traceparent", &one)], &[("traceparent", &one)]]), "across");
    assert_eq!(judged(text, &[&[("traceparent", &one)]]), "not-called-back");
}

#[test]
fn the_caret_points_at_the_first_byte_that_differs() {
    let vector = vector(
        "{ send: [[traceparent, '00-{T}-{P}-01'], [tracestate, 'foo=1,bar=2']], \
                         expect: { continue: { tracestate: [foo=1, bar=2] } } }",
    );
    let minted = RequestIds { trace_id: T.into(), parent_id: P.into() };
    let sent = vector.send.iter().map(|(name, value)| (name.fill(&minted), value.fill(&minted))).collect();
    let lines =
        [("traceparent", parent(T, "00f067aa0ba902b8", "01")), ("tracestate", "foo=1,bar=9".to_owned())];
    let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let calls = vec![Call { number: 0, fields: fields(&lines), is_late: false }];
    let exchange = VectorExchange {
        minted,
        sent,
        answer: TargetAnswer::Status(200),
        calls,
        is_without_span: false,
        answer_fields: Vec::new(),
        telemetry: ExchangeTelemetry::default(),
        output: Vec::new(),
    };
    let End::Misfits(mismatch) = judge(&vector, &[exchange]).end else { panic!("it fits") };
    let difference = mismatch.difference.expect("the bytes differ");
    assert_eq!(difference.caret, 10..11);
    assert_eq!(difference.expected.as_deref(), Some(&b"foo=1,bar=2"[..]));
}

#[test]
fn trace_ids_that_are_no_random_numbers_are_found() {
    let text = "{ requests: 4096, across: [uniform-trace-ids], expect: restart }";
    let vector = vector(text);
    let exchange = |trace: String| {
        let minted = RequestIds { trace_id: T.into(), parent_id: P.into() };
        let call =
            Call { number: 0, fields: fields(&[("traceparent", &parent(&trace, P, "02"))]), is_late: false };
        VectorExchange {
            minted,
            sent: Vec::new(),
            answer: TargetAnswer::Status(200),
            calls: vec![call],
            is_without_span: false,
            answer_fields: Vec::new(),
            telemetry: ExchangeTelemetry::default(),
            output: Vec::new(),
        }
    };
    let mut ids = crate::plan::seed::Ids::new(crate::plan::Seed(1));
    let random: Vec<VectorExchange> =
        (0..4096).map(|_| exchange(format!("{:016x}{:016x}", ids.next_u64(), ids.next_u64()))).collect();
    assert!(matches!(judge(&vector, &random).end, End::Fits(_)));
    let counted: Vec<VectorExchange> =
        (1..=4096_u64).map(|number| exchange(format!("{OTHER:.16}{number:016x}"))).collect();
    assert!(matches!(judge(&vector, &counted).end, End::Misfits(_)));
}

#[test]
fn a_target_that_hangs_or_ends_is_reported() {
    let vector = vector("{ send: [[traceparent, '00-{T}-{P}-01']], expect: [continue, restart] }");
    let exchange = |answer| {
        let minted = RequestIds { trace_id: T.into(), parent_id: P.into() };
        VectorExchange {
            minted,
            sent: Vec::new(),
            answer,
            calls: Vec::new(),
            is_without_span: false,
            answer_fields: Vec::new(),
            telemetry: ExchangeTelemetry::default(),
            output: Vec::new(),
        }
    };
    for (answer, word) in [
        (TargetAnswer::None(Duration::from_secs(5)), "no-answer"),
        (TargetAnswer::BrokenOff("closed".into()), "broken-off"),
        (TargetAnswer::Ended("exit status 1".into(), Vec::new()), "target-ended"),
        (TargetAnswer::Status(500), "answered-with-error"),
    ] {
        let End::Misfits(mismatch) = judge(&vector, &[exchange(answer)]).end else { panic!("it fits") };
        assert_eq!(mismatch.kind.word(), word);
    }
    let End::Inconclusive(_) = judge(&vector, &[exchange(TargetAnswer::NotSent("no route".into()))]).end
    else {
        panic!("nothing was sent")
    };
}

#[test]
fn several_formats_of_one_call_carry_one_context() {
    let text = "{ send: [[b3, '{T}-{P}-1']], configuration: { propagators: [b3, jaeger] }, \
         expect: { continue: { format: [b3, jaeger], set: sampled, alone: true } } }";
    let single = format!("{T}-00f067aa0ba902b8-1");
    let jaeger = format!("{T}:00f067aa0ba902b8:0:1");
    let judged_with = |lines: &[(&str, &str)]| judged(text, &[lines]);
    assert_eq!(judged_with(&[("b3", &single), ("uber-trace-id", &jaeger)]), "continue");
    assert_eq!(judged_with(&[("b3", &single)]), "missing");
    let other = format!("{T}:00f067aa0ba902b9:0:1");
    assert_eq!(judged_with(&[("b3", &single), ("uber-trace-id", &other)]), "conflict");
    let line = parent(T, "00f067aa0ba902b8", "01");
    assert_eq!(
        judged_with(&[("b3", &single), ("uber-trace-id", &jaeger), ("traceparent", &line)]),
        "forbidden-field"
    );
    assert_eq!(judged_with(&[("b3", &format!("{T}-00f067aa0ba902b8")), ("uber-trace-id", &jaeger)]), "flag");
}

#[test]
fn a_call_in_the_wrong_format_is_explained_with_the_propagator_to_configure() {
    let vector = vector(
        "{ send: [[b3, '{T}-{P}-1']], configuration: { propagators: [b3, jaeger] }, \
         expect: { continue: { format: jaeger } } }",
    );
    let minted = RequestIds { trace_id: T.into(), parent_id: P.into() };
    let sent = fields(&[("b3", &format!("{T}-{P}-1"))]);
    let advised = |lines: &[(&str, &str)]| {
        let calls = vec![Call { number: 0, fields: fields(lines), is_late: false }];
        let (answer, telemetry) = (TargetAnswer::Status(200), ExchangeTelemetry::default());
        let (minted, sent) = (minted.clone(), sent.clone());
        let answer_fields = Vec::new();
        let exchange = VectorExchange {
            minted,
            sent,
            answer,
            answer_fields,
            calls,
            is_without_span: false,
            telemetry,
            output: Vec::new(),
        };
        match judge(&vector, &[exchange]).end {
            End::Misfits(mismatch) => mismatch,
            other => panic!("{other:?}"),
        }
    };
    let wrong = advised(&[("b3", &format!("{T}-00f067aa0ba902b8-1"))]);
    let advice = wrong.advice.clone().unwrap();
    for part in ["`jaeger`", "B3 (one header)", "OTEL_PROPAGATORS=b3,jaeger", "unbroken schema target"] {
        assert!(advice.contains(part), "{advice}");
    }
    assert!(wrong.format_rule().unwrap().contains("jaegertracing.io"), "{wrong:?}");
    let wrong = advised(&[("uber-trace-id", &format!("{OTHER}:00f067aa0ba902b8:0:1"))]);
    assert!(wrong.advice.clone().unwrap().starts_with("configure the propagator `b3` for requests"));
    let narrow = format!("{}{}:00f067aa0ba902b8:0:1", "0".repeat(16), &T[16..]);
    let narrow = advised(&[("uber-trace-id", &narrow)]).advice.unwrap();
    assert!(narrow.starts_with("configure trace ids of 128 bits"), "{narrow}");
    let difference = wrong.difference.unwrap();
    assert_eq!(&difference.actual[difference.caret], OTHER.as_bytes());
    assert!(difference.expected.unwrap().starts_with(T.as_bytes()));
}

#[test]
fn entries_of_a_member_are_compared_and_its_other_members_keep_their_order() {
    let text = "{ send: [[traceparent, '00-{T}-{P}-01'], [tracestate, 'a=1,ot=rv:1,b=2']], expect: { continue: \
         { tracestate: ['a=1', 'b=2'], entries: { ot: 'th:8' }, lacks-entries: { ot: p }, first: ot } } }";
    let line = parent(T, "00f067aa0ba902b8", "01");
    let judged_with = |list: &str| judged(text, &[&[("traceparent", &line), ("tracestate", list)]]);
    assert_eq!(judged_with("ot=rv:1;th:8,a=1,b=2"), "continue");
    assert_eq!(judged_with("ot=th:c;rv:1,a=1,b=2"), "entry-lost");
    assert_eq!(judged_with("ot=th:8;p:1,a=1,b=2"), "entry-kept");
    assert_eq!(judged_with("a=1,ot=th:8,b=2"), "not-first");
    assert_eq!(judged_with("ot=th:8,b=2,a=1"), "reordered");
    let text = "{ send: [[traceparent, '00-{T}-{P}-01']], expect: { continue: { fields: [[x, '1']] } } }";
    assert_eq!(judged(text, &[&[("traceparent", &line), ("X", "1")]]), "continue");
    assert_eq!(judged(text, &[&[("traceparent", &line), ("x", "2")]]), "field-changed");
}
