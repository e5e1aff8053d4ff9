//! Shows the progress of a run: a bar on a terminal, a line for each case that ends anywhere else.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use super::print;
use crate::progress::Progress;
use crate::report::terminal::{Live, Palette};

/// Columns for the names of the cases under way.
const NAMES: usize = 60;

/// Returns a bar on standard error.
pub fn drawn(template: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

pub struct Bar(Mutex<Display>);

struct Display {
    live: Live,
    /// Only on a terminal.
    bar: Option<ProgressBar>,
}

impl Bar {
    pub fn new() -> Self {
        let palette = if print::colour_in_problems() { Palette::Colour } else { Palette::Plain };
        if !stderr().is_terminal() {
            return Bar(Mutex::new(Display { live: Live::new(palette).with_passes(), bar: None }));
        }
        let bar = drawn("{bar:24} {pos}/{len}  {prefix}  {msg}");
        Bar(Mutex::new(Display { live: Live::new(palette), bar: Some(bar) }))
    }

    /// Prints a line above the bar, or on standard error where there is no bar.
    pub fn print(&self, line: &str) {
        self.0.lock().print(line);
    }

    pub fn take(&self, progress: &Progress) {
        let mut display = self.0.lock();
        let line = display.live.take(progress);
        if let Some(bar) = &display.bar {
            let picture = display.live.picture(NAMES);
            bar.set_length(picture.total);
            bar.set_position(picture.done);
            bar.set_prefix(picture.counts);
            bar.set_message(picture.running);
        }
        if let Some(line) = line {
            display.print(&line);
        }
        if let (Some(bar), Progress::RunEnded { .. }) = (&display.bar, progress) {
            bar.finish_and_clear();
        }
    }
}

impl Display {
    fn print(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => print::problem(line),
        }
    }
}
