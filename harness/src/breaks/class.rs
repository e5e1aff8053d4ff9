//! The classes of a propagation fault, and whose side a fault is on.

macro_rules! classes {
    ($($variant:ident $word:literal)*) => {
        /// The class of a break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Class {
            $(
                #[doc = concat!("`", $word, "`, explained by `unbroken explain ", $word, "`.")]
                $variant
            ),*
        }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Class] = &[$(Class::$variant),*];

            /// Returns the word in reports, baselines and `explain`; it never changes.
            pub fn word(self) -> &'static str {
                match self { $(Class::$variant => $word),* }
            }
        }
    };
}

classes! {
    NotCrossed "not-crossed"
    Refused "refused"
    Leaked "leaked"
    BaggageLeaked "baggage-leaked"
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
    NotAdded "not-added"
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
    TraceSplit "trace-split"
    TraceDropped "trace-dropped"
    TraceKept "trace-kept"
    CollectorAltered "collector-altered"
}

impl Class {
    /// Returns whether a node does it to all that it sends: before several outgoing hops it is one cause.
    pub fn is_of_the_whole_node(self) -> bool {
        match self {
            Class::FlagChanged
            | Class::TracestateLeaked
            | Class::TracestateAltered
            | Class::TracestateCut
            | Class::TracestateLost
            | Class::TracestateReordered
            | Class::BaggageLost
            | Class::BaggageAltered => true,
            Class::NotCrossed
            | Class::Refused
            | Class::Leaked
            | Class::BaggageLeaked
            | Class::NotInjected
            | Class::Malformed
            | Class::Duplicated
            | Class::Swapped
            | Class::Joined
            | Class::Restarted
            | Class::PassedThrough
            | Class::Reparented
            | Class::LinkMissing
            | Class::LinkWrong
            | Class::Stripped
            | Class::Altered
            | Class::NotAdded
            | Class::Adopted
            | Class::SampledOut
            | Class::NotExported
            | Class::NotExtracted
            | Class::SampledIn
            | Class::TelemetryDiffers
            | Class::SpanIdRepeated
            | Class::SpanMalformed
            | Class::ParentMissing
            | Class::KindWrong
            | Class::TimeInverted
            | Class::ResourceMissing
            | Class::LogUncorrelated
            | Class::ContractBroken
            | Class::Undeclared
            | Class::TraceSplit
            | Class::TraceDropped
            | Class::TraceKept
            | Class::CollectorAltered => false,
        }
    }

    /// Returns whether the field that it is about, and not the class, decides which clause holds.
    pub fn is_of_any_field(self) -> bool {
        matches!(self, Class::Stripped | Class::Altered | Class::Malformed)
    }

    /// Returns whether a collector does it, outside of the graph of hops.
    pub fn is_of_a_collector(self) -> bool {
        matches!(self, Class::TraceSplit | Class::TraceDropped | Class::TraceKept | Class::CollectorAltered)
    }

    /// Returns whether it says that a witness failed; such a break counts whatever rules a scenario lists.
    pub fn is_of_a_witness(self) -> bool {
        matches!(self, Class::NotExported | Class::ContractBroken)
    }
}

/// The side that broke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The service that sends over the hop.
    Sender,
    /// The service that receives over the hop.
    Receiver,
    /// A proxy, gateway or broker between the two.
    Intermediary,
    /// The witnesses at hand do not show it.
    Unknown,
}

impl Side {
    /// Returns the word in reports and baselines.
    pub fn word(self) -> &'static str {
        match self {
            Side::Sender => "sender",
            Side::Receiver => "receiver",
            Side::Intermediary => "intermediary",
            Side::Unknown => "unknown",
        }
    }
}
