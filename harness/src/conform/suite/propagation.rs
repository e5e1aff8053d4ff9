//! Vectors that try the propagators alone: `POST /-/propagate` (`fixtures/CONTRACT.md`).

use super::notation::Text;

/// The input of the propagators besides the fields that are sent.
#[derive(Clone, Debug)]
pub struct Propagation {
    pub carrier: CarrierKind,
    /// The fields in the carrier before the injection.
    pub into: Vec<(Text, Text)>,
}

/// A carrier, which has rules for the names of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarrierKind {
    /// Names in any case, repeated ones too.
    Fields,
    /// Variables of a process.
    Environment,
}

impl CarrierKind {
    pub const ALL: &'static [CarrierKind] = &[CarrierKind::Fields, CarrierKind::Environment];

    pub fn word(self) -> &'static str {
        match self {
            CarrierKind::Fields => "fields",
            CarrierKind::Environment => "environment",
        }
    }
}
