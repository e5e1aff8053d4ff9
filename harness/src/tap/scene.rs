//! What every connection of one tap knows: the plan, the run and where to write what is seen.

use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "sqs")]
use super::sqs::Messages;
use crate::evidence::{GapPlace, Recorder};
use crate::plan::{TapIx, TapPlan};
use crate::scenario::Marker;

/// Gaps that one tap lists one by one; a node that sends nothing but garbage must not fill the memory.
const GAPS_LISTED: u32 = 32;

#[derive(Debug)]
pub struct Scene {
    pub tap: TapIx,
    pub plan: TapPlan,
    /// Marks of other runs on the same machine are ignored.
    pub run: u32,
    pub recorder: Recorder,
    /// Names of header fields whose values are kept because they are declared markers.
    pub kept: Vec<String>,
    /// What was seen of the messages of SQS so far, at all taps that share it.
    #[cfg(feature = "sqs")]
    pub sqs: Messages,
    gaps: AtomicU32,
}

impl Scene {
    pub fn new(tap: TapIx, plan: TapPlan, run: u32, recorder: Recorder) -> Self {
        let kept = plan.markers.iter().filter_map(|marker| match marker {
            Marker::Header(name) => Some(name.clone()),
            Marker::Path | Marker::Body(_) | Marker::Query(_) => None,
        });
        Self {
            tap,
            run,
            recorder,
            kept: kept.collect(),
            plan,
            #[cfg(feature = "sqs")]
            sqs: Messages::default(),
            gaps: AtomicU32::new(0),
        }
    }

    pub fn gap(&self, what: String) {
        match self.gaps.fetch_add(1, Ordering::Relaxed) {
            earlier if earlier < GAPS_LISTED => self.recorder.gap(GapPlace::Tap(self.tap), what),
            GAPS_LISTED => {
                self.recorder
                    .gap(GapPlace::Tap(self.tap), "further gaps at this tap are not listed one by one");
            }
            _ => {}
        }
    }
}
