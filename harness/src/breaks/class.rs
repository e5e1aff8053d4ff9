//! The classes of a propagation fault, and whose side a fault is on.

macro_rules! classes {
    ($($variant:ident $word:literal)*) => {
        /// The class of a break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Class { $($variant),* }

        impl Class {
            pub const ALL: &'static [Class] = &[$(Class::$variant),*];

            /// The word in reports, baselines and `explain`; it never changes.
            pub fn word(self) -> &'static str {
                match self { $(Class::$variant => $word),* }
            }
        }
    };
}

classes! {
    NotCrossed "not-crossed"
    Leaked "leaked"
    NotInjected "not-injected"
    Malformed "malformed"
    Duplicated "duplicated"
    Swapped "swapped"
    Joined "joined"
    Restarted "restarted"
    PassedThrough "passed-through"
    Reparented "reparented"
    FlagChanged "flag-changed"
    TracestateLeaked "tracestate-leaked"
    TracestateAltered "tracestate-altered"
    TracestateCut "tracestate-cut"
    TracestateLost "tracestate-lost"
    TracestateReordered "tracestate-reordered"
    BaggageLost "baggage-lost"
    BaggageAltered "baggage-altered"
    LinkMissing "link-missing"
    LinkWrong "link-wrong"
    Stripped "stripped"
    Altered "altered"
    Adopted "adopted"
    SampledOut "sampled-out"
    NotExported "not-exported"
    NotExtracted "not-extracted"
    SampledIn "sampled-in"
    TelemetryDiffers "telemetry-differs"
    SpanIdRepeated "span-id-repeated"
    SpanMalformed "span-malformed"
    ParentMissing "parent-missing"
    KindWrong "kind-wrong"
    TimeInverted "time-inverted"
    ResourceMissing "resource-missing"
    LogUncorrelated "log-uncorrelated"
    ContractBroken "contract-broken"
    Undeclared "undeclared"
}

/// Who broke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Sender,
    Receiver,
    Intermediary,
    /// Not known with the witnesses at hand.
    Nobody,
}

impl Side {
    pub fn word(self) -> &'static str {
        match self {
            Side::Sender => "sender",
            Side::Receiver => "receiver",
            Side::Intermediary => "intermediary",
            Side::Nobody => "nobody yet",
        }
    }
}
