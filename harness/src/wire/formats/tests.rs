use super::*;

#[test]
fn every_field_belongs_to_its_own_format_whatever_its_case() {
    for format in Format::ALL {
        for field in format.fields() {
            assert_eq!(Format::of_field(field.as_bytes()), Some(*format));
            assert_eq!(Format::of_field(field.to_ascii_uppercase().as_bytes()), Some(*format));
        }
    }
}

#[test]
fn other_formats_are_named_once_and_baggage_is_not_a_format() {
    let names: [&[u8]; 6] =
        [b"X-B3-SpanId", b"traceparent", b"X-B3-TraceId", b"baggage", b"uberctx-user", b"b3"];
    assert_eq!(Format::among(names), [Format::TraceContext, Format::B3Single, Format::B3Multi]);
    assert_eq!(Format::others_among(names), [Format::B3Single, Format::B3Multi]);
}

/// TP-01, TS-01.
#[test]
fn names_with_delimiters_are_not_trace_context() {
    for name in
        ["trace-parent", "trace.parent", "trace_parent", "x-traceparent", "trace-state", "trace.state"]
    {
        assert_eq!(Format::of_field(name.as_bytes()), None, "{name}");
    }
}

#[test]
fn each_word_names_one_format() {
    for format in Format::ALL {
        assert_eq!(Format::from_word(format.word()), Some(*format));
    }
    assert_eq!(Format::from_word("w3c"), None);
}
