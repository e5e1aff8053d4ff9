//! Writes the observations of one tap into the evidence of the case.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::evidence::{GapPlace, Recorder};
use crate::plan::TapIx;
use crate::scenario::Marker;

/// Gaps that one tap lists one by one; a node that sends nothing but garbage must not fill the memory.
const GAPS_LISTED: u32 = 32;

/// The recorder of one tap.
#[derive(Debug)]
pub struct TapRecorder {
    pub tap: TapIx,
    pub recorder: Recorder,
    /// Names of header fields whose values are kept because they are declared markers.
    pub kept: Vec<String>,
    gaps: AtomicU32,
}

impl TapRecorder {
    pub fn new(tap: TapIx, markers: &[Marker], recorder: Recorder) -> Self {
        let kept = markers.iter().filter_map(|marker| match marker {
            Marker::Header(name) => Some(name.clone()),
            Marker::Path | Marker::Body(_) | Marker::Query(_) => None,
        });
        Self { tap, recorder, kept: kept.collect(), gaps: AtomicU32::new(0) }
    }

    /// Reports a gap at this tap.
    pub fn gap(&self, what: String) {
        self.gap_at(GapPlace::Tap(self.tap), what);
    }

    /// Reports that the receiver took no connection.
    pub fn unreachable_receiver(&self, what: String) {
        self.gap_at(GapPlace::UnreachableReceiver(self.tap), what);
    }

    fn gap_at(&self, place: GapPlace, what: String) {
        match self.gaps.fetch_add(1, Ordering::Relaxed) {
            earlier if earlier < GAPS_LISTED => self.recorder.gap(place, what),
            GAPS_LISTED => self.recorder.gap(place, "further gaps at this tap are not listed"),
            _ => {}
        }
    }
}
