//! Extracts and injects in formats other than W3C Trace Context, with at most one flaw. It shares no code with the
//! product.

use std::sync::atomic::{AtomicU64, Ordering};

use super::service::{Carrier, Fields};
use unbroken::conform::suite::{Configuration, Setting};

mod reading;
mod table;
mod writing;

pub use table::TABLE;

/// The format of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    B3,
    B3Multi,
    Jaeger,
    XRay,
    Google,
    Datadog,
}

impl Style {
    pub const ALL: &'static [Style] =
        &[Style::B3, Style::B3Multi, Style::Jaeger, Style::XRay, Style::Google, Style::Datadog];

    /// Returns the configuration in which the suite tries the format.
    pub fn configuration(self) -> Configuration {
        let propagator = match self {
            Style::B3 => "b3",
            Style::B3Multi => "b3multi",
            Style::Jaeger => "jaeger",
            Style::XRay => "xray",
            Style::Google => "google",
            Style::Datadog => "datadog",
        };
        Configuration(vec![(Setting::Propagators, propagator.to_owned())])
    }
}

/// One way to break a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    IgnoresMulti,
    RefusesShortIds,
    InjectsBoth,
    SendsParentSpanId,
    DropsDebug,
    RefusesDeferred,
    FailsWithoutIds,
    AnyState,
    LenientIds,
    AlwaysSampled,
    SendsDecisionWithDebug,
    RequiresZeroParent,
    NameCaseSensitive,
    FixedOrder,
    DropsHighBits,
    DropsLineage,
}

/// The context of one request.
#[derive(Default)]
pub struct Context {
    trace_id: String,
    parent_id: String,
    sampled: Option<bool>,
    debug: bool,
    /// X-Ray's `Lineage`, if it came.
    lineage: Option<String>,
}

pub struct ForeignPropagation {
    style: Style,
    flaw: Option<Flaw>,
    next: AtomicU64,
}

impl ForeignPropagation {
    pub fn new(style: Style, flaw: Option<Flaw>) -> ForeignPropagation {
        ForeignPropagation { style, flaw, next: AtomicU64::new(1) }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Returns 16 digits that look random: SplitMix64.
    fn id(&self) -> String {
        let mut z = self.next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", (z ^ (z >> 31)) | 1 << 63)
    }
}

impl Carrier for ForeignPropagation {
    type Incoming = Context;

    fn extract(&self, fields: &Fields) -> Option<Context> {
        let read = self.read(fields).ok()?;
        Some(read.unwrap_or_else(|| Context { trace_id: self.id() + &self.id(), ..Context::default() }))
    }

    fn inject(&self, incoming: &Context, _: usize) -> Fields {
        let fields = self.write(incoming, &self.id());
        fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect()
    }
}
