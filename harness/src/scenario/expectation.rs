//! What a scenario may expect: one word for each rule, in the order in which reports list them.

use crate::source::Place;

/// Which rules count.
#[derive(Clone, Debug)]
pub enum Expectations {
    /// `expect` left out: every rule that applies.
    All,
    Only(Vec<(Expectation, Place)>),
}

macro_rules! expectations {
    ($($variant:ident $word:literal $about:literal)*) => {
        /// One rule, by its id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Expectation { $($variant),* }

        impl Expectation {
            pub const ALL: &'static [Expectation] = &[$(Expectation::$variant),*];

            /// The rule's id in scenarios, reports and baselines; it never changes.
            pub fn id(self) -> &'static str {
                match self { $(Expectation::$variant => $word),* }
            }

            /// One sentence for lists and `explain`.
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
    ContextNotLeaked "context.not-leaked" "no context crosses a hop whose relation is none"
    ContextNotAdopted "context.not-adopted" "an invalid context is not continued"
    SamplingWholePath "sampling.whole-path" "all or nothing for each trace, the flag honoured on each hop"
    TracestateKept "tracestate.kept" "tracestate arrives with every member, in order"
    BaggageKept "baggage.kept" "baggage arrives with every member and value"
    Isolation "isolation" "no request's context turns up in another's"
    TelemetryMatchesWire "telemetry.matches-wire" "what spans report is what was on the wire"
    SpansWellFormed "spans.well-formed" "span ids are unique, ids valid, nothing ends before it starts"
    SpansConnected "spans.connected" "every span's parent was exported too"
    SpansKind "spans.kind" "the spans at a hop have the kind that the conventions name"
    ResourceNamed "resource.named" "every span's resource has a service.name"
    LogsCorrelated "logs.correlated" "log records carry the ids of the span they were written in"
    RelayKeepsContract "relay.keeps-contract" "a relay does what the relay contract says"
}
