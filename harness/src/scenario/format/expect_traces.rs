//! The keys of an expectation of traces.

use crate::scenario::pattern::LINE;
use crate::scenario::shape::{Object, Shape, Tag, TaggedKind, Words, may, must};

pub(super) static TRACE_EXPECTATION: Object = Object {
    what: "an expectation of traces",
    keys: &[may(
        "when",
        Shape::Either(&[Shape::Words(&OTHERWISE), Shape::Object(&CONDITION)]),
        "the traces that it is about; every trace by default",
    )],
    tag: Some(&Tag {
        what: "fate",
        kinds: &[
            TaggedKind {
                key: must(
                    "kept",
                    Shape::Words(&KEPT),
                    "`whole`: every span arrives at the sink; `whole-or-nothing`: every span or none",
                ),
                with: &[],
            },
            TaggedKind {
                key: must("dropped", Shape::Words(&DROPPED), "`whole`: no span arrives at the sink"),
                with: &[],
            },
        ],
        later: &["attributes", "sampler"],
    }),
};

static CONDITION: Object = Object {
    what: "a condition of traces",
    keys: &[must("fails", Shape::Text(&LINE), "a node of which a span ended in an error")],
    tag: None,
};

static OTHERWISE: Words = Words { what: "condition", words: || vec!["otherwise"], later: &[] };
static KEPT: Words = Words { what: "fate", words: || vec!["whole", "whole-or-nothing"], later: &[] };
static DROPPED: Words = Words { what: "fate", words: || vec!["whole"], later: &[] };
