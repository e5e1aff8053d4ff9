//! The plan, the run and the recorder, which all connections of one tap share.

#[cfg(feature = "sqs")]
use super::sqs::Messages;
use super::tap_recorder::TapRecorder;
use crate::evidence::Recorder;
use crate::plan::{TapIx, TapPlan};

/// Everything that the connections of one tap share.
#[derive(Debug)]
pub struct Scene {
    pub plan: TapPlan,
    /// Marks of other runs on the same machine are ignored.
    pub run: u32,
    pub writer: TapRecorder,
    /// The messages of SQS seen so far, at all taps that share them.
    #[cfg(feature = "sqs")]
    pub sqs: Messages,
}

impl Scene {
    pub fn new(tap: TapIx, plan: TapPlan, run: u32, recorder: Recorder) -> Self {
        Self {
            writer: TapRecorder::new(tap, &plan.markers, recorder),
            plan,
            run,
            #[cfg(feature = "sqs")]
            sqs: Messages::default(),
        }
    }

    /// Reports a gap at this tap.
    pub fn gap(&self, what: String) {
        self.writer.gap(what);
    }

    /// Reports that the receiver took no connection.
    pub fn unreachable_receiver(&self, what: String) {
        self.writer.unreachable_receiver(what);
    }
}
