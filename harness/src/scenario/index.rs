//! Indices into the lists of a scenario.

/// Index into `Scenario::nodes`; 0 is `client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub usize);

impl NodeIx {
    pub const CLIENT: NodeIx = NodeIx(0);
}

/// Index into `Scenario::hops`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HopIx(pub usize);
