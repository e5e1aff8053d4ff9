//! The format of a suite's file, as tables: each key with its shape and its meaning.

use serde_json::{Value, json};

use super::{
    Across, CarrierKind, ContextFlag, OutcomeKind, ResponseStatement, Setting, SpanStatement, Strength,
};
use crate::conform::transport::TransportKind;
use crate::scenario::Role;
use crate::scenario::pattern::{LINE, NAME, TEXT};
use crate::scenario::schema::object;
use crate::scenario::shape::{KeyShape, Object, Pattern, Shape, Tag, TaggedKind, Words, may, must};
use crate::wire::Format;
use Shape::{Either, List, Named, OneOrList};

/// Returns the JSON Schema (draft 2020-12) of a suite's file, for editors.
pub fn schema() -> Value {
    let mut schema = object(&SUITE);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("unbroken conformance suite");
    schema["description"] = json!("Requirements of a standard, each with the vectors that try it.");
    schema
}

pub(super) static SUITE: Object = Object {
    what: "a suite",
    keys: &[
        must("suite", Shape::Text(&NAME), "its name, unique among the suites"),
        must("about", Shape::Text(&TEXT), "the standard that it tries, and which parts"),
        may("on-request", Shape::True, "it is tried only when `--suite` or `--only` names it"),
        may("format", Shape::Words(&FORMATS), "the format of the outgoing context; default: `w3c`"),
        may("configuration", Shape::Object(&CONFIGURATION), "the settings of its requirements"),
        must(
            "requirements",
            Named { names: &ID, of: &Shape::Object(&REQUIREMENT) },
            "the requirements by their ids, which never change",
        ),
    ],
    tag: None,
};

static REQUIREMENT: Object = Object {
    what: "a requirement",
    keys: &[
        must("says", Shape::Text(&LINE), "the requirement in one sentence"),
        must("strength", Shape::Words(&STRENGTHS), "the strength of the requirement"),
        may("level", LEVEL, "the level of the W3C documents that has it; default: 1"),
        may("role", Shape::Words(&ROLES), "the services that it binds; default: `participant`"),
        must("clause", Shape::Text(&LINK), "a link to the clause"),
        may(
            "over",
            OneOrList(&Shape::Words(&TRANSPORTS)),
            "the transports that it is about; default: every transport",
        ),
        may("needs", OneOrList(&Shape::Text(&NAME)), "words of `/-/capabilities` that a target must have"),
        may(
            "format",
            Shape::Words(&FORMATS),
            "the format of the outgoing context; default: that of the suite",
        ),
        may("configuration", Shape::Object(&CONFIGURATION), "its settings; default: those of the suite"),
        may("w3c", OneOrList(&Shape::Text(&NAME)), "the tests of the W3C suite that it covers"),
        may("note", Shape::Text(&TEXT), "a remark for the reader"),
        may(
            "twin",
            Shape::Text(&NAME),
            "the vector that must be continued for the restarting vectors to count",
        ),
        must("vectors", Named { names: &VECTOR, of: &Shape::Object(&VECTOR_KEYS) }, "the vectors by name"),
    ],
    tag: None,
};

static CONFIGURATION: Object = Object {
    what: "a configuration",
    keys: &[
        may("propagators", OneOrList(&Shape::Text(&NAME)), "the formats, as OTEL_PROPAGATORS names them"),
        may(
            "extract",
            OneOrList(&Shape::Text(&NAME)),
            "the formats that are extracted, in place of `propagators`",
        ),
        may(
            "inject",
            OneOrList(&Shape::Text(&NAME)),
            "the formats that are injected, in place of `propagators`",
        ),
        may("sampler", Shape::Text(&NAME), "as OTEL_TRACES_SAMPLER names it"),
        may("sampler-argument", Shape::Text(&LINE), "as OTEL_TRACES_SAMPLER_ARG takes it"),
        may(
            "composite-sampler",
            Shape::Text(&LINE),
            "the sampler that a file of OpenTelemetry names `composite/development`: `always_on`, `always_off` or \
             `probability:RATIO`, each also behind `parent_threshold:`",
        ),
        may("consumer-relation", Shape::Text(&NAME), "as RELAY_CONSUMER_RELATION names it"),
        may("consumer-batch", Shape::Text(&LINE), "up to so many messages are processed together"),
        may(
            "collector",
            Shape::Text(&LINE),
            "the fault of the collector: a status, `503-retry-after`, `warning`, `slow`, `gone`",
        ),
        may("sdk-disabled", Shape::Text(&LINE), "the value of OTEL_SDK_DISABLED"),
    ],
    tag: None,
};

static VECTOR_KEYS: Object = Object {
    what: "a vector",
    keys: &[
        may(
            "each",
            Named { names: &NAME, of: &Shape::Text(&TEXT) },
            "one vector `NAME.KEY` for each entry; its text replaces `{each}`",
        ),
        may("send", List(&List(&Shape::Text(&TEXT))), "the fields in their order, each `[name, value]`"),
        may(
            "calls",
            Shape::Whole { min: 1, max: 16 },
            "the number of calls that the target makes in a request; default: 1",
        ),
        may(
            "steps",
            List(&Shape::Text(&LINE)),
            "the steps of a request in place of `calls`: `call`, `wait:20`, `spawn: wait:20; call`",
        ),
        may("needs", OneOrList(&Shape::Text(&NAME)), "words of `/-/capabilities` that it needs, too"),
        may(
            "propagate",
            Shape::Words(&CARRIERS),
            "the propagators alone are tried: `send` is the carrier that they read",
        ),
        may("into", List(&List(&Shape::Text(&TEXT))), "the fields in the carrier before the injection"),
        may(
            "upstream-answers",
            List(&List(&Shape::Text(&TEXT))),
            "fields of the answer behind a forwarder, which must arrive unchanged",
        ),
        may(
            "upstream-fails",
            Shape::Whole { min: 1, max: 8 },
            "the number of requests that the service behind a forwarder answers with 503 first",
        ),
        may("fails", Shape::True, "the steps make the target answer with an error"),
        may(
            "configuration",
            Shape::Object(&CONFIGURATION),
            "its settings; default: those of the requirement",
        ),
        may(
            "then",
            Shape::Object(&CONFIGURATION),
            "the settings of a second instance, which gets what the first one has sent",
        ),
        may("requests", Shape::Whole { min: 1, max: 10_000 }, "the number of requests; default: 1"),
        may("across", OneOrList(&Shape::Words(&ACROSS)), "statements over all contexts that come out"),
        may(
            "response",
            OneOrList(&Shape::Words(&RESPONSES)),
            "statements about the context that an answer returns in `server-timing`",
        ),
        may("telemetry", OneOrList(&Shape::Words(&SPANS)), "statements about the spans that are exported"),
        must("expect", OneOrList(&Either(&[Shape::Words(&KINDS), Shape::Object(&OUTCOME)])), EXPECT),
        may("twin", Shape::Text(&VECTOR), "the vector that must be continued for this one to count"),
        may("level", LEVEL, "the only level at which it is tried"),
    ],
    tag: None,
};

const EXPECT: &str = "the outcome; several where the standard leaves a choice, the preferred one first";

const LEVEL: Shape = Shape::Whole { min: 1, max: 3 };

static OUTCOME: Object = Object {
    what: "an outcome",
    keys: &[may("as", Shape::Text(&NAME), "its name in the report")],
    tag: Some(&Tag { what: "kind", kinds: OUTCOME_KINDS, later: &[] }),
};

static OUTCOME_KINDS: &[TaggedKind] = &[
    TaggedKind { key: must("continue", Shape::Object(&CONTEXT), "the trace is continued"), with: &[] },
    TaggedKind { key: must("restart", Shape::Object(&CONTEXT), "a new trace begins"), with: &[] },
    TaggedKind { key: must("pass-through", Shape::True, "every field is forwarded unchanged"), with: &[] },
    TaggedKind { key: must("nothing", Shape::Object(&CONTEXT), "no trace context goes out"), with: &[] },
    TaggedKind {
        key: must("refuse", Shape::True, "the request is answered with a status from 400 to 499"),
        with: &[],
    },
];

static CONTEXT: Object = Object {
    what: "what must come out",
    keys: &[
        may(
            "format",
            OneOrList(&Shape::Words(&FORMATS)),
            "the formats that carry the context, each the same; default: that of the requirement",
        ),
        may("alone", Shape::True, "no context in another format is sent"),
        may("trace-id", Shape::Text(&TEXT), "the trace id that is continued; default: the minted one"),
        may("parent-id", Shape::Text(&TEXT), "the parent id that was sent; default: the minted one"),
        may("tracestate", MEMBERS, "the members that are forwarded, in this order"),
        may("baggage", MEMBERS, "the members that are forwarded"),
        may("keeps-parent", Shape::True, "the parent id stays the one that was sent: no span is between"),
        may("own-tracestate", List(&Shape::Text(&TEXT)), "members that the target must add, in this order"),
        may("own-baggage", List(&Shape::Text(&TEXT)), "members that the target must add, each once"),
        may("lacks", OneOrList(&Shape::Text(&TEXT)), "keys that the tracestate must not have"),
        may("set", OneOrList(&Shape::Words(&FLAGS)), "trace flags that must be set"),
        may("clear", OneOrList(&Shape::Words(&FLAGS)), "trace flags that must not be set"),
        may("without", OneOrList(&Shape::Text(&NAME)), "fields that must not be sent"),
        may(
            "fields",
            List(&List(&Shape::Text(&TEXT))),
            "fields that must be sent with this value, each `[name, value]`",
        ),
        may(
            "holds",
            List(&List(&Shape::Text(&TEXT))),
            "texts inside the values of fields, each `[name, text]`",
        ),
        may("entries", ENTRIES, "entries `key:value` that the value of a member of tracestate must have"),
        may(
            "lacks-entries",
            ENTRIES,
            "keys of entries that the value of a member of tracestate must not have",
        ),
        may("first", Shape::Text(&TEXT), "the key of the left-most member of tracestate"),
    ],
    tag: None,
};

const ENTRIES: Shape = Named { names: &NAME, of: &OneOrList(&Shape::Text(&TEXT)) };

const MEMBERS: Shape = Either(&[Shape::Words(&PARTS), List(&Shape::Text(&TEXT))]);

static PARTS: Words = Words { what: "part of the list", words: || vec!["none", "some"], later: &[] };
/// Returns the shape of a configuration, for files that name one.
pub(crate) const fn configuration_shape() -> Shape {
    Shape::Object(&CONFIGURATION)
}

/// The words for the formats of an outgoing context.
pub(super) const FORMAT_WORDS: &[(Format, &str)] = &[
    (Format::TraceContext, "w3c"),
    (Format::B3Single, "b3"),
    (Format::B3Multi, "b3multi"),
    (Format::Jaeger, "jaeger"),
    (Format::XRay, "xray"),
    (Format::Datadog, "datadog"),
    (Format::GoogleCloud, "google"),
    (Format::GrpcTraceBin, "grpc-trace-bin"),
    (Format::OtTrace, "ottrace"),
];

static FORMATS: Words =
    Words { what: "format", words: || FORMAT_WORDS.iter().map(|(_, word)| *word).collect(), later: &[] };
static TRANSPORTS: Words =
    Words { what: "transport", words: || TransportKind::ALL.iter().map(|c| c.word()).collect(), later: &[] };
static STRENGTHS: Words =
    Words { what: "strength", words: || Strength::ALL.iter().map(|s| s.word()).collect(), later: &[] };
static ROLES: Words =
    Words { what: "role", words: || Role::ALL.iter().map(|r| r.word()).collect(), later: &[] };
static ACROSS: Words =
    Words { what: "statement", words: || Across::ALL.iter().map(|a| a.word()).collect(), later: &[] };
static RESPONSES: Words = Words {
    what: "statement",
    words: || ResponseStatement::ALL.iter().map(|r| r.word()).collect(),
    later: &[],
};
static CARRIERS: Words =
    Words { what: "carrier", words: || CarrierKind::ALL.iter().map(|c| c.word()).collect(), later: &[] };
static SPANS: Words =
    Words { what: "statement", words: || SpanStatement::ALL.iter().map(|s| s.word()).collect(), later: &[] };
static FLAGS: Words =
    Words { what: "flag", words: || ContextFlag::ALL.iter().map(|f| f.word()).collect(), later: &[] };
static KINDS: Words =
    Words { what: "outcome", words: || OutcomeKind::ALL.iter().map(|k| k.word()).collect(), later: &[] };

static ID: Pattern = Pattern {
    what: "an id such as `TP-12`",
    regex: "^[A-Z][A-Z0-9]*-[0-9]{2,3}$",
    fits: |text| {
        text.split_once('-').is_some_and(|(family, number)| {
            family.starts_with(|c: char| c.is_ascii_uppercase())
                && family.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                && (2..=3).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    },
    any_scalar: false,
};

static VECTOR: Pattern = Pattern {
    what: "a vector's name: letters, digits, `-` and `.`, at most 64 in all",
    regex: "^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$",
    fits: |text| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    },
    any_scalar: true,
};

pub(crate) static LINK: Pattern = Pattern {
    what: "a link, `https://...`",
    regex: "^https://[^\\s]+$",
    fits: |text| text.starts_with("https://") && !text.contains(char::is_whitespace),
    any_scalar: false,
};

/// Returns the settings, each with the key that it is written under.
pub(super) fn settings() -> impl Iterator<Item = (Setting, &'static KeyShape)> {
    Setting::ALL.iter().filter_map(|setting| {
        CONFIGURATION.keys.iter().find(|key| key.name == setting.word()).map(|key| (*setting, key))
    })
}
