//! How far a run is, on a terminal; nothing at all anywhere else.

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::print;
use crate::progress::Progress;
use crate::report::terminal::{Live, Palette};

/// Columns for the names of what is under way.
const NAMES: usize = 60;

pub struct Bar(Option<Mutex<Shown>>);

struct Shown {
    live: Live,
    bar: ProgressBar,
}

impl Bar {
    pub fn new() -> Self {
        if !stderr().is_terminal() {
            return Bar(None);
        }
        let palette = if print::colour_in_problems() { Palette::Colour } else { Palette::Plain };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {prefix}  {msg}");
        bar.set_style(style.expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(Some(Mutex::new(Shown { live: Live::new(palette), bar })))
    }

    /// A line above the bar; where there is none, on standard error as it is.
    #[cfg(feature = "container")]
    pub fn say(&self, line: &str) {
        match &self.0 {
            Some(shown) => shown.lock().unwrap_or_else(PoisonError::into_inner).bar.println(line),
            None => print::problem(line),
        }
    }

    pub fn take(&self, progress: &Progress) {
        let Some(shown) = &self.0 else { return };
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let line = shown.live.take(progress);
        let picture = shown.live.shown(NAMES);
        shown.bar.set_length(picture.total);
        shown.bar.set_position(picture.done);
        shown.bar.set_prefix(picture.counts);
        shown.bar.set_message(picture.running);
        if let Some(line) = line {
            shown.bar.println(line);
        }
        if matches!(progress, Progress::RunEnded { .. }) {
            shown.bar.finish_and_clear();
        }
    }
}
