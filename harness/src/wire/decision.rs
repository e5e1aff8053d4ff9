//! The sampling decision, as far as any format has a word for it.

/// The sampling decision that a context carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    NotSampled,
    Sampled,
    /// Sampled, and no sampler may decide otherwise (B3, Jaeger).
    Debug,
    /// Left to the receiver (B3, X-Ray, Datadog, Google).
    Deferred,
}

impl Decision {
    pub const ALL: [Decision; 4] =
        [Decision::NotSampled, Decision::Sampled, Decision::Debug, Decision::Deferred];

    pub fn of(sampled: bool) -> Decision {
        if sampled { Decision::Sampled } else { Decision::NotSampled }
    }

    /// Returns `None` where the decision is left to the receiver.
    pub fn is_sampled(self) -> Option<bool> {
        match self {
            Decision::NotSampled => Some(false),
            Decision::Sampled | Decision::Debug => Some(true),
            Decision::Deferred => None,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Decision::NotSampled => "not sampled",
            Decision::Sampled => "sampled",
            Decision::Debug => "debug",
            Decision::Deferred => "deferred",
        }
    }
}
