//! The suites that are a part of the program.

use super::{Suite, read};
use crate::source::Source;

/// The version of all suites together. It is a version of its own: a vector that is added raises the second number,
/// a requirement that changes what it demands the first.
pub const VERSION: &str = "1.0";

/// The files in the order of the report.
const FILES: &[(&str, &str)] = &[
    ("trace-context.yaml", include_str!("../../../../scenarios/conformance/trace-context.yaml")),
    ("tracestate.yaml", include_str!("../../../../scenarios/conformance/tracestate.yaml")),
    ("baggage.yaml", include_str!("../../../../scenarios/conformance/baggage.yaml")),
];

/// Every suite.
pub fn suites() -> Vec<Suite> {
    let suite = |(name, text): &(&str, &str)| {
        let source = Source::new(format!("scenarios/conformance/{name}"), *text);
        read(&source)
            .unwrap_or_else(|wrong| unreachable!("a test reads every suite that is built in: {wrong:?}"))
    };
    FILES.iter().map(suite).collect()
}
