//! The expectations of a scenario: one word for each rule, in the order in which reports list them.

use crate::source::Place;

/// The rules that count.
#[derive(Clone, Debug)]
pub enum Expectations {
    /// Without `expect`: every rule that applies.
    All,
    Only(Vec<(Expectation, Place)>),
}

macro_rules! expectations {
    ($($variant:ident $word:literal $about:literal)*) => {
        /// One rule, by its id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Expectation {
            $(
                #[doc = concat!("`", $word, "`: ", $about, ".")]
                $variant
            ),*
        }

        impl Expectation {
            /// Every rule.
            pub const ALL: &'static [Expectation] = &[$(Expectation::$variant),*];

            /// Returns the rule's id in scenarios, reports and baselines; it never changes.
            pub fn id(self) -> &'static str {
                match self { $(Expectation::$variant => $word),* }
            }

            /// Returns one sentence for lists and `explain`.
            pub fn about(self) -> &'static str {
                match self { $(Expectation::$variant => $about),* }
            }
        }
    };
}

expectations! {
    HopsCrossed "hops.crossed" "every hop is crossed as often as it declares"
    HopsKeepRelation "hops.keep-relation" "every hop keeps the relation it declares"
    HopsOnlyDeclared "hops.only-declared" "nothing crosses that no hop declares"
    ContextNotLeaked "context.not-leaked" "no context or baggage crosses a hop that must carry none"
    ContextNotAdopted "context.not-adopted" "an invalid context is not continued"
    SamplingWholePath "sampling.whole-path" "a trace is exported whole or not at all, and each hop keeps the sampled flag"
    TracestateKept "tracestate.kept" "tracestate arrives with every member, in order"
    BaggageKept "baggage.kept" "baggage arrives with every member and value"
    Isolation "isolation" "no request carries the context of another request"
    TelemetryMatchesWire "telemetry.matches-wire" "exported spans agree with the wire"
    SpansWellFormed "spans.well-formed" "ids are valid and unique, and no span ends before it starts"
    SpansConnected "spans.connected" "every span's parent was exported too"
    SpansKind "spans.kind" "the spans at a hop have the kind that the conventions name"
    ResourceNamed "resource.named" "every span's resource has a service.name"
    LogsCorrelated "logs.correlated" "log records carry the ids of the span they were written in"
    TracesKept "traces.kept" "every trace arrives behind the collectors as `expect-traces` says"
    CollectorsUnchanged "collectors.unchanged" "no collector changes ids, parents, flags, links or tracestate"
    RelayKeepsContract "relay.keeps-contract" "a relay does what the relay contract says"
}
