//! One break: its class, side and hop, and what is needed to tell it.

use super::{Class, Side};
use crate::crossings::CrossingIx;
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};

#[derive(Clone, Debug, PartialEq)]
pub struct Break {
    pub class: Class,
    pub side: Side,
    pub hop: HopIx,
    /// Whose it is.
    pub node: NodeIx,
    pub crossing: Option<CrossingIx>,
    /// Crossings of other hops that the same message goes over.
    pub shared: Vec<CrossingIx>,
    pub stimulus: Option<StimulusIx>,
    pub grade: Grade,
    /// One sentence, lower case, no full stop.
    pub message: String,
    pub expected: String,
    pub actual: String,
    /// What to point at on the wire.
    pub caret: Caret,
    pub missing_witness: Option<String>,
    /// What belongs to it and is not a finding of its own.
    pub inside: Vec<String>,
}

/// How much it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Legal for a service, a finding under `--strict` and in the reference suite.
    Note,
    /// The witnesses at hand do not suffice.
    Inconclusive,
    Fault,
}

/// The bytes that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caret {
    Nothing,
    /// The whole field.
    Field(&'static str),
    TraceId,
    ParentId,
    Flags,
}

impl Break {
    pub fn new(class: Class, side: Side, hop: HopIx, node: NodeIx) -> Break {
        Break {
            class,
            side,
            hop,
            node,
            crossing: None,
            shared: Vec::new(),
            stimulus: None,
            grade: Grade::Fault,
            message: String::new(),
            expected: String::new(),
            actual: String::new(),
            caret: Caret::Nothing,
            missing_witness: None,
            inside: Vec::new(),
        }
    }

    pub fn told(self, message: String, expected: String, actual: String) -> Break {
        Break { message, expected, actual, ..self }
    }

    pub fn at(self, caret: Caret) -> Break {
        Break { caret, ..self }
    }

    pub fn graded(self, grade: Grade) -> Break {
        Break { grade, ..self }
    }

    pub fn missing(self, witness: String) -> Break {
        Break { missing_witness: Some(witness), ..self }
    }

    pub fn with(mut self, inside: String) -> Break {
        self.inside.push(inside);
        self
    }
}
