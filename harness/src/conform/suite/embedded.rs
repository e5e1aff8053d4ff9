//! The suites that are a part of the program.

use super::{Suite, read};
use crate::source::Source;

/// The version of all suites together, apart from the version of this program. An added vector raises the second
/// number; a requirement with a new demand raises the first.
pub const VERSION: &str = "1.5";

/// The files in the order of the report.
const FILES: &[(&str, &str)] = &[
    ("trace-context.yaml", include_str!("../../../conformance/trace-context.yaml")),
    ("tracestate.yaml", include_str!("../../../conformance/tracestate.yaml")),
    ("baggage.yaml", include_str!("../../../conformance/baggage.yaml")),
    ("propagators.yaml", include_str!("../../../conformance/propagators.yaml")),
    ("env-carrier.yaml", include_str!("../../../conformance/env-carrier.yaml")),
    ("sampling.yaml", include_str!("../../../conformance/sampling.yaml")),
    ("telemetry.yaml", include_str!("../../../conformance/telemetry.yaml")),
    ("response.yaml", include_str!("../../../conformance/response.yaml")),
    ("grpc.yaml", include_str!("../../../conformance/grpc.yaml")),
    ("messaging.yaml", include_str!("../../../conformance/messaging.yaml")),
    ("exporter.yaml", include_str!("../../../conformance/exporter.yaml")),
    ("forwarder.yaml", include_str!("../../../conformance/forwarder.yaml")),
    ("b3.yaml", include_str!("../../../conformance/b3.yaml")),
    ("jaeger.yaml", include_str!("../../../conformance/jaeger.yaml")),
    ("x-ray.yaml", include_str!("../../../conformance/x-ray.yaml")),
    ("datadog.yaml", include_str!("../../../conformance/datadog.yaml")),
    ("google.yaml", include_str!("../../../conformance/google.yaml")),
    ("grpc-trace-bin.yaml", include_str!("../../../conformance/grpc-trace-bin.yaml")),
    ("ot.yaml", include_str!("../../../conformance/ot.yaml")),
    ("probability.yaml", include_str!("../../../conformance/probability.yaml")),
    ("bridge.yaml", include_str!("../../../conformance/bridge.yaml")),
    ("matrix.yaml", include_str!("../../../conformance/matrix.yaml")),
];

/// Returns every suite.
pub fn suites() -> Vec<Suite> {
    let mut suites = Vec::new();
    for (name, text) in FILES {
        let source = Source::new(format!("scenarios/conformance/{name}"), *text);
        let suite = read(&source);
        suites
            .push(suite.unwrap_or_else(|wrong| {
                unreachable!("a test reads every suite that is built in: {wrong:?}")
            }));
    }
    suites
}
