//! The table: each fault, the story that it is enabled in, and exactly what must be found.
//!
//! The class and the side of a finding are those of the relay's own list (`unbroken relay model --faults`); a row names
//! the hops. Rows whose story shows the fault in another way name all three.

use relay_model::faults::Fault;
use unbroken::breaks::Class::{self, *};
use unbroken::breaks::Side::{self, *};

/// Class, side and hops of a finding.
pub type Found = (Class, Side, &'static [&'static str]);

/// The findings of one row.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// Class and side as the relay's list has them, once for each group of hops.
    Listed(&'static [&'static [&'static str]]),
    /// The findings of a story in which the fault shows in another way; none where it does no harm.
    Other(&'static [Found]),
}

use Expected::{Listed, Other};

/// A row for what is legal, or does no harm in its story.
pub const NOTHING: Expected = Other(&[]);

/// The findings of a reader that takes either of two values.
pub const VARIES: Expected =
    Other(&[(Duplicated, Sender, &["order"]), (ContractBroken, Receiver, &["order"])]);

/// One fault in one story.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub fault: &'static str,
    /// `tests/faults/NAME.yaml`, of messages `tests/faults/messages/NAME.yaml`; the fault is at the node that says
    /// `FAULT`.
    pub story: &'static str,
    /// Transports for which a story of messages is run; none where the story says it itself.
    pub over: &'static [&'static str],
    pub expected: Expected,
    /// Judged with `--strict`.
    pub strict: bool,
}

impl Row {
    /// Returns the findings that the row must have.
    pub fn found(&self) -> Vec<Found> {
        match self.expected {
            Other(found) => found.to_vec(),
            Listed(groups) => {
                let (class, side) = listed(self.fault);
                groups.iter().map(|hops| (class, side, *hops)).collect()
            }
        }
    }
}

/// Returns class and side of a fault in the relay's list: `CLASS, SIDE`, with words in brackets behind it.
fn listed(fault: &str) -> (Class, Side) {
    let known = Fault::ALL.into_iter().find(|known| known.name() == fault);
    let shows = known.unwrap_or_else(|| panic!("the relay has no fault `{fault}`")).shows();
    let words = shows.split(" (").next().and_then(|words| words.split_once(", "));
    let (class, side) =
        words.unwrap_or_else(|| panic!("`{fault}` shows `{shows}`, which is not CLASS, SIDE"));
    let class = Class::ALL.iter().copied().find(|known| known.word() == class);
    let side = [Sender, Receiver, Intermediary].into_iter().find(|known| known.word() == side);
    let both = class.zip(side);
    both.unwrap_or_else(|| panic!("`{fault}` shows `{shows}`, which is no class and side"))
}

const SUITE: &str = "the reference suite finds it: tests/conform/relay_table.rs";

/// Faults that no verdict reports, and why.
pub const NOT_FOUND: &[(&str, &str)] = &[
    ("capability-claimed", "a capability that no step of the story needs is not requested"),
    ("ready-unsubscribed", "what is sent in the meantime waits in its topic or queue: nothing is lost by it"),
    ("format-pads-right", SUITE),
    ("format-padded-random", SUITE),
    ("format-ignores-member", SUITE),
    ("format-member-unescaped", SUITE),
    ("format-last-only", SUITE),
    ("threshold-lost", SUITE),
    ("threshold-kept", SUITE),
    ("threshold-invented", SUITE),
    ("threshold-strips-zeros", SUITE),
    ("threshold-any-digits", SUITE),
    ("threshold-truncates", SUITE),
    ("threshold-inverted", SUITE),
    ("randomness-lost", SUITE),
    ("ready-early", "the case could not run because of the relay, shown in tests/endings.rs"),
    ("schemes-accepted", "the harness sends known schemes only; the contract suite sends unknown ones"),
];

const fn row(fault: &'static str, story: &'static str, expected: Expected) -> Row {
    Row { fault, story, over: &[], expected, strict: false }
}

const fn strict(fault: &'static str, story: &'static str, expected: Expected) -> Row {
    Row { fault, story, over: &[], expected, strict: true }
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("inject-nothing", "chain", Listed(&[&["record"]])),
    row("inject-nothing-http", "chain", Listed(&[&["record"]])),
    row("inject-other-format", "chain", Listed(&[&["record"]])),
    row("inject-wrong-name", "chain", Listed(&[&["record"]])),
    row("inject-nothing", "two-hops", Listed(&[&["record"], &["reserve"]])),
    row("inject-nothing-second-call", "fan-out", Listed(&[&["record"]])),
    row("inject-nothing-after-failure", "retry", Listed(&[&["record"]])),
    row("inject-nothing-grpc", "grpc", Listed(&[&["record"]])),
    row("inject-nothing-unsampled", "unsampled", Listed(&[&["record"]])),
    row("inject-server-span", "chain", Listed(&[&["record"]])),
    row("inject-before-span", "chain", NOTHING),
    strict("inject-before-span", "chain", Other(&[(Reparented, Sender, &["record"])])),
    row("span-kind-server-consumer", "chain", Listed(&[&["order"]])),
    row("span-kind-client-producer", "chain", Listed(&[&["record"]])),
    row("inject-random-span", "chain", Listed(&[&["record"]])),
    row("inject-detached-span", "chain", Listed(&[&["record"]])),
    row("inject-server-span", "grpc", Listed(&[&["record"]])),
    row("inject-same-span-twice", "fan-out", Listed(&[&["record"]])),
    row("inject-passed-through", "chain", Listed(&[&["record"]])),
    row("inject-flag-cleared", "chain", Listed(&[&["record"]])),
    row("inject-flag-cleared", "two-hops", Listed(&[&["record", "reserve"]])),
    row("inject-flag-set", "unsampled", Listed(&[&["record"]])),
    row("inject-flag-flipped", "chain", Listed(&[&["record"]])),
    row("inject-flag-flipped-unsampled", "unsampled", Listed(&[&["record"]])),
    row("inject-flag-flipped-unsampled", "chain", NOTHING),
    row("inject-random-flag-cleared", "level-two", Listed(&[&["record"]])),
    row("inject-random-flag-set", "level-two-not-random", Listed(&[&["record"]])),
    row("inject-random-flag-set", "chain", NOTHING),
    row("inject-undefined-flags", "chain", Listed(&[&["record"]])),
    row("inject-version-ff", "chain", Listed(&[&["record"]])),
    row("inject-upper-hex", "chain", Listed(&[&["record"]])),
    row("inject-short", "chain", Listed(&[&["record"]])),
    row("inject-long", "chain", Listed(&[&["record"]])),
    row("inject-zero-trace-id", "chain", Listed(&[&["record"]])),
    row("inject-zero-parent-id", "chain", Listed(&[&["record"]])),
    row("inject-empty", "chain", Listed(&[&["record"]])),
    row("inject-folded", "chain", Listed(&[&["record"]])),
    strict("inject-twice-identical", "chain", Listed(&[&["record"]])),
    row("inject-twice-identical", "chain", NOTHING),
    row("inject-twice-stale", "chain", Listed(&[&["record"]])),
    row("inject-other-case", "chain", Listed(&[&["record"]])),
    row("inject-other-case", "two-hops", Listed(&[&["record"]])),
    row("inject-twice-stale", "grpc", Listed(&[&["record"]])),
    row("inject-new-trace", "chain", Listed(&[&["record"]])),
    row("restart-ignored", "restart", Listed(&[&["record"]])),
    row("restart-forgotten", "edge-alone", Listed(&[&["record"]])),
    row("restart-without-link", "restart", Listed(&[&["record"]])),
    row("restart-wrong-link", "restart", Listed(&[&["record"]])),
    row("restart-keeps-tracestate", "restart", Listed(&[&["record"]])),
    row("restart-loses-baggage", "restart", Listed(&[&["record"]])),
    row("extract-nothing", "chain", Listed(&[&["order"]])),
    row("extract-nothing-grpc", "grpc", Listed(&[&["order"]])),
    row("extract-nothing-http", "chain", Listed(&[&["order"]])),
    row("extract-nothing-unsampled", "unsampled", Listed(&[&["order"]])),
    row("extract-case-sensitive", "upper-case", Listed(&[&["order"]])),
    row("extract-once-per-connection", "chain", Listed(&[&["order"]])),
    row("extract-stale-on-connection", "chain", Listed(&[&["order"]])),
    row("extract-previous-request", "chain", Listed(&[&["order"]])),
    row("extract-one-root", "root", Listed(&[&["order"]])),
    row("extract-global", "concurrent", Listed(&[&["order"]])),
    row("extract-restarted", "chain", Listed(&[&["order"]])),
    row("extract-restarted-wrong-link", "edge-alone", Listed(&[&["order"]])),
    row("extract-restarted-double-link", "edge-alone", Listed(&[&["order"]])),
    row("extract-restarted-with-parent", "edge-alone", Listed(&[&["order"]])),
    row("legal-edge-restart-no-link", "edge-alone", Other(&[(LinkMissing, Receiver, &["order"])])),
    row("extract-uninstrumented", "chain", Listed(&[&["record"]])),
    row("extract-restarted-other-link", "edge-alone", Listed(&[&["order"]])),
    row("extract-invalid", "invalid", Listed(&[&["order"]])),
    row("extract-wrong-parent", "chain", Listed(&[&["order"]])),
    row("extract-parentless", "chain", Listed(&[&["order"]])),
    row("extract-first-parent", "fan-in", Listed(&[&["order"]])),
    row("extract-varies", "two-values", VARIES),
    row("sampled-in", "unsampled", Listed(&[&["order"]])),
    row("sampled-in-onward", "unsampled", Listed(&[&["order"]])),
    row("sampled-out", "chain", Listed(&[&["order"]])),
    row("sampled-out-half", "chain", Listed(&[&["order"]])),
    row("sampled-out-client", "chain", Listed(&[&["record"]])),
    row("sampling-off", "chain", Listed(&[&["order"]])),
    row("sampling-root-inverted", "root", Other(&[(SampledOut, Receiver, &["order"])])),
    row("tracestate-lost", "chain", Listed(&[&["record"]])),
    row("tracestate-member-lost", "chain", Listed(&[&["record"]])),
    row("tracestate-reversed", "chain", Listed(&[&["record"]])),
    row("tracestate-rotated", "chain", Listed(&[&["record"]])),
    row("tracestate-altered", "chain", Listed(&[&["record"]])),
    row("tracestate-doubled", "chain", Listed(&[&["record"]])),
    row("tracestate-own-doubled", "chain", Listed(&[&["record"]])),
    row("tracestate-cut", "chain", Listed(&[&["record"]])),
    row("tracestate-upper-keys", "chain", Listed(&[&["record"]])),
    row("tracestate-unparsable", "chain", Listed(&[&["record"]])),
    row("tracestate-twice", "chain", Listed(&[&["record"]])),
    row("tracestate-lost", "two-hops", Listed(&[&["record", "reserve"]])),
    row("tracestate-lost-unsampled", "unsampled", Listed(&[&["record"]])),
    strict("tracestate-stranger-right", "chain", Listed(&[&["record"]])),
    row("tracestate-stranger-right", "chain", NOTHING),
    row("tracestate-lost-when-split", "split", Listed(&[&["record"]])),
    row("tracestate-first-line", "split", Listed(&[&["record"]])),
    row("baggage-lost", "chain", Listed(&[&["record"]])),
    row("baggage-member-lost", "chain", Listed(&[&["record"]])),
    row("baggage-decoded-twice", "chain", Listed(&[&["record"]])),
    row("baggage-encoded-twice", "chain", Listed(&[&["record"]])),
    row("baggage-properties-lost", "chain", Listed(&[&["record"]])),
    row("baggage-properties-folded", "chain", Listed(&[&["record"]])),
    row("baggage-lower-keys", "chain", Listed(&[&["record"]])),
    row("baggage-plus", "chain", Listed(&[&["record"]])),
    row("baggage-altered", "chain", Listed(&[&["record"]])),
    row("baggage-doubled", "chain", Listed(&[&["record"]])),
    row("baggage-own-doubled", "chain", Listed(&[&["record"]])),
    row("baggage-unparsable", "chain", Listed(&[&["record"]])),
    row("baggage-lost", "two-hops", Listed(&[&["record", "reserve"]])),
    row("baggage-lost-unsampled", "unsampled", Listed(&[&["record"]])),
    row("baggage-first-line", "split", Listed(&[&["record"]])),
    row("context-global", "concurrent", Listed(&[&["record"]])),
    row("context-previous-request", "chain", Listed(&[&["record"]])),
    row("context-exchanged", "concurrent", Listed(&[&["record"]])),
    row("baggage-global", "concurrent", Listed(&[&["record"]])),
    row("baggage-exchanged", "concurrent", Listed(&[&["record"]])),
    row("tracestate-global", "concurrent", Listed(&[&["record"]])),
    row("context-global", "chain", NOTHING),
    row("context-lost-after-wait", "wait", Listed(&[&["record"]])),
    row("context-lost-after-wait", "chain", NOTHING),
    row("context-lost-in-spawn", "spawn", Listed(&[&["record"]])),
    row("context-lost-after-failure", "after-failure", Listed(&[&["reserve"], &["record"]])),
    row("call-skipped", "chain", Listed(&[&["record"]])),
    row("call-skipped-second", "fan-out", Listed(&[&["record"]])),
    row("call-doubled", "chain", NOTHING),
    strict("call-doubled", "chain", Other(&[(NotCrossed, Sender, &["record"])])),
    row("span-kind-server", "chain", Listed(&[&["order"]])),
    row("span-kind-client", "chain", Listed(&[&["record"]])),
    row("span-time-inverted", "chain", Listed(&[&["order"]])),
    row("span-id-repeated", "chain", Listed(&[&["order"]])),
    row("span-conflicting", "chain", Listed(&[&["order"]])),
    row("span-parent-missing", "chain", Listed(&[&["record"]])),
    row("span-orphan", "chain", Listed(&[&["order"]])),
    row("span-own-parent", "chain", Listed(&[&["order"]])),
    row("span-parent-zero", "chain", Listed(&[&["order"]])),
    row("span-trace-id-short", "chain", Listed(&[&["order"]])),
    row("span-id-short", "chain", Listed(&[&["order"]])),
    row("span-cycle", "chain", Listed(&[&["order"]])),
    row("span-client-trace-id", "chain", Listed(&[&["record"]])),
    strict("span-tracestate", "chain", Listed(&[&["order"]])),
    row("span-tracestate", "chain", NOTHING),
    strict("span-client-tracestate", "chain", Listed(&[&["record"]])),
    row("span-client-tracestate", "chain", NOTHING),
    strict("span-flags", "chain", Listed(&[&["order"]])),
    row("span-flags", "chain", NOTHING),
    strict("span-client-flags", "chain", Listed(&[&["record"]])),
    row("span-client-flags", "chain", NOTHING),
    strict("span-remote-bit", "chain", Listed(&[&["order"]])),
    row("span-remote-bit", "chain", NOTHING),
    strict("span-link", "edge", Listed(&[&["order"]])),
    row("span-link", "edge", NOTHING),
    row("export-nowhere", "chain", Other(&[(NotExported, Unknown, &["order"])])),
    row("service-name-missing", "chain", Listed(&[&["order"]])),
    row("service-name-wrong", "chain", Listed(&[&["order"]])),
    row("log-without-ids", "logs", Listed(&[&["order"]])),
    row("log-wrong-trace", "logs", Listed(&[&["order"]])),
    row("log-wrong-span", "logs", Listed(&[&["order"]])),
    row("log-other-request", "logs", Listed(&[&["order"]])),
    row("forward-drops-traceparent", "forwarder", Listed(&[&["record"]])),
    row("forward-drops-tracestate", "forwarder", Listed(&[&["record"]])),
    row("forward-drops-baggage", "forwarder", Listed(&[&["record"]])),
    row("forward-alters-traceparent", "forwarder", Listed(&[&["record"]])),
    row("forward-alters-flag", "forwarder", Listed(&[&["record"]])),
    row("forward-alters-tracestate", "forwarder", Listed(&[&["record"]])),
    row("forward-reorders-tracestate", "forwarder", Listed(&[&["record"]])),
    row("forward-alters-baggage", "forwarder", Listed(&[&["record"]])),
    row("forward-doubles-traceparent", "forwarder", Listed(&[&["record"]])),
    row("forward-first-context", "forwarder", Listed(&[&["record"]])),
    row("forward-refuses-large", "forwarder", Listed(&[&["record"]])),
    row("forward-previous-context", "forwarder", Listed(&[&["record"]])),
    row("forward-doubles-tracestate", "forwarder", Listed(&[&["record"]])),
    row("forward-upper-case", "forwarder", Listed(&[&["record"]])),
    row("forward-drops-traceparent", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-drops-tracestate", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-drops-baggage", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-alters-traceparent", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-alters-flag", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-alters-tracestate", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-reorders-tracestate", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-alters-baggage", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-doubles-traceparent", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-doubles-tracestate", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-first-context", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-previous-context", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-upper-case", "forwarder-grpc", Listed(&[&["record"]])),
    row("forward-drops-traceparent", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-drops-tracestate", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-drops-baggage", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-alters-traceparent", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-alters-flag", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-alters-tracestate", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-reorders-tracestate", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-alters-baggage", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-doubles-traceparent", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-doubles-tracestate", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-first-context", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-previous-context", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-upper-case", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-refuses-large", "forwarder-http2", Listed(&[&["record"]])),
    row("forward-joins-traceparent", "forwarder-lines", Listed(&[&["record"]])),
    row("forward-joins-traceparent", "forwarder", NOTHING),
    row("forward-retries-stale", "forwarder-retry", Listed(&[&["record"]])),
    row("forward-retries-bare", "forwarder-retry", Other(&[(Stripped, Intermediary, &["record"])])),
    row("forward-without-via", "forwarder", Listed(&[&["record"]])),
    row("forward-without-via", "forwarder-grpc", Listed(&[&["record"]])),
    row("legal-edge-restart-no-link", "restart-too-early", Other(&[(Restarted, Receiver, &["order"])])),
    row("legal-edge-restart", "restart-too-early", Other(&[(Restarted, Receiver, &["order"])])),
    row("format-old-only", "migration", Listed(&[&["record"]])),
    row("format-narrow-trace-id", "migration", Listed(&[&["record"]])),
    row("format-conflict", "migration", Listed(&[&["record"]])),
    row("format-ignores-b3", "migration", Listed(&[&["bill"]])),
    row("format-upper-hex", "migration", Listed(&[&["record"]])),
    row("format-upper-hex", "debug", Listed(&[&["record"]])),
    row("format-drops-debug", "debug", Listed(&[&["record"]])),
    row("format-drops-debug", "migration", NOTHING),
    row("format-drops-decision", "debug", Listed(&[&["record"]])),
    row("inject-nothing", "migration", Listed(&[&["record"]])),
    row("inject-flag-cleared", "migration", Listed(&[&["record"]])),
    row("inject-random-span", "migration", Listed(&[&["record"]])),
    row("inject-passed-through", "migration", Listed(&[&["record"]])),
    row("inject-new-trace", "debug", Listed(&[&["record"]])),
    row("inject-flag-flipped", "deferred", Listed(&[&["record"]])),
    row("extract-nothing", "deferred", Listed(&[&["order"]])),
    row("flush-early", "chain", Listed(&[&["order"]])),
    row("call-elsewhere", "only-declared", Listed(&[&["record"]])),
    row("call-elsewhere", "chain", NOTHING),
    row("legal-header-order", "no-context-may-cross", Other(&[(Leaked, Sender, &["tell"])])),
    row("legal-header-order", "baggage-dropped", Other(&[(BaggageLeaked, Sender, &["record"])])),
    row("baggage-lost", "baggage-dropped", NOTHING),
    row("forward-drops-baggage", "forwarder-drops-baggage", NOTHING),
    row("forward-drops-traceparent", "forwarder-drops-baggage", Other(&[(BaggageLeaked, Intermediary, &["record"]), (Stripped, Intermediary, &["record"])])),
    row("forward-drops-baggage", "forwarder-carries-nothing", Other(&[(Leaked, Intermediary, &["record"])])),
    row("forward-drops-traceparent", "forwarder-carries-nothing", Other(&[(Leaked, Intermediary, &["record"])])),
    row("legal-internal-span", "chain", NOTHING),
    row("legal-nested-clients", "chain", NOTHING),
    row("legal-nested-clients-outer", "chain", NOTHING),
    row("legal-no-client-span", "chain", NOTHING),
    row("legal-header-case", "chain", NOTHING),
    row("legal-header-order", "chain", NOTHING),
    row("legal-tracestate-own-key", "chain", NOTHING),
    row("legal-tracestate-two-lines", "chain", NOTHING),
    row("legal-baggage-two-lines", "chain", NOTHING),
    row("legal-baggage-reordered", "chain", NOTHING),
    row("legal-baggage-reencoded", "chain", NOTHING),
    row("legal-baggage-added", "chain", NOTHING),
    row("legal-flags-unset", "chain", NOTHING),
    row("legal-flags-absent", "chain", NOTHING),
    row("legal-whole-milliseconds", "chain", NOTHING),
    row("legal-extra-link", "chain", NOTHING),
    row("legal-own-traces", "chain", NOTHING),
    row("legal-export-twice", "chain", NOTHING),
    row("legal-export-late", "chain", NOTHING),
    row("legal-export-reversed", "chain", NOTHING),
    row("legal-export-singly", "chain", NOTHING),
    row("legal-internal-span", "grpc", NOTHING),
    row("legal-internal-span", "concurrent", NOTHING),
    row("legal-nested-clients", "grpc", NOTHING),
    row("legal-nested-clients", "concurrent", NOTHING),
    row("legal-no-client-span", "grpc", NOTHING),
    row("legal-no-client-span", "concurrent", NOTHING),
    row("legal-export-late", "grpc", NOTHING),
    row("legal-export-late", "concurrent", NOTHING),
    row("legal-export-reversed", "grpc", NOTHING),
    row("legal-export-reversed", "concurrent", NOTHING),
    row("legal-one-client-for-retries", "retry", NOTHING),
    row("legal-edge-restart", "edge-alone", NOTHING),
    row("legal-edge-restart-no-link", "edge-without-link", NOTHING),
];
