//! Drives: which hop is sent to, how often, how many at once, and with which context.

use std::time::Duration;

use super::index::HopIx;
use super::template::Template;
use crate::source::Place;
use crate::wire::Decision;

#[derive(Clone, Debug)]
pub struct Drive {
    pub place: Place,
    /// A hop from `client`.
    pub send: HopIx,
    pub times: u32,
    /// The most stimuli that are under way at once.
    pub concurrency: u32,
    pub context: DriveContext,
    /// Sent in this order; names keep their case on the wire.
    pub headers: Vec<(String, Template)>,
    pub body: DriveBody,
    /// Parameters of the query, in this order; HTTP only.
    pub query: Vec<(String, Template)>,
    /// `upgrade: websocket`: the body is sent as a message over the WebSocket, and is to come back.
    pub upgrades: bool,
    /// `origin:`, the page that a browser shows: requests carry it, and a preflight goes before the first.
    pub origin: Option<String>,
    /// The time that one stimulus may wait for its answer; default the scenario's timeout.
    pub within: Option<Duration>,
    /// The client closes the connection after `within`, without waiting for the answer.
    pub hangs_up: bool,
    /// The answer that is expected: an HTTP status, or a gRPC code; default any below 400, or OK.
    pub answers: Option<u32>,
    /// Further requests of this drive may be sent after the story, to show that services have exported their spans.
    pub canary: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriveContext {
    /// A fresh trace id and parent id for each stimulus.
    Valid { decision: Decision, random: bool },
    /// No traceparent. `root` says what the root sampler must decide, if that is to be judged.
    None { root: Option<bool> },
    /// A traceparent that does not parse, `${trace-id}` and `${parent-id}` in it filled from fresh ids.
    Invalid { traceparent: String, root: Option<bool> },
    /// `raw-headers`: name and value of each field line as it is sent, filled as in `Invalid`. What context they carry,
    /// if any, their text says.
    Raw { lines: Vec<(String, String)>, root: Option<bool> },
}

/// The body that the driver sends. A relay's instruction is worked out by the plan and needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriveBody {
    Empty,
    /// Sent as it is; `application/json` when the file gave a mapping or a list.
    Bytes {
        content: Template,
        content_type: String,
    },
}
