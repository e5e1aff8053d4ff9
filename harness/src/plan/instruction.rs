//! What relays are told to do: the hops of a scenario as a tree of calls (`fixtures/CONTRACT.md`).

use super::StimulusIx;
use crate::scenario::HopIx;

/// Index into `Plan::calls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallIx(pub usize);

/// One crossing that is due: a hop below the call that causes it.
#[derive(Clone, Debug)]
pub struct Call {
    pub hop: HopIx,
    /// `None` for what the driver itself sends.
    pub parent: Option<CallIx>,
    /// What the receiver is told to do, if it is a relay.
    pub task: Vec<Task>,
}

/// One step of an instruction, its addresses still names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Log(String),
    Wait(u64),
    Spawn(Vec<Task>),
    Retry(u32, Vec<Task>),
    Restart(Vec<Task>),
    /// `500` or `panic`.
    Fail(String),
    Call(CallIx),
}

/// What a call's receiver is told for one stimulus: `mark:` first, then the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    pub stimulus: StimulusIx,
    pub call: CallIx,
}
