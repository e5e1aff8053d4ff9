//! Shows the progress of `unbroken conform`: a bar on a terminal, a line for each configuration anywhere else.

use std::io::{IsTerminal, stderr};
use std::time::Instant;

use indicatif::ProgressBar;
use parking_lot::Mutex;

use crate::cli::bar::drawn;
use crate::cli::print;
use crate::conform::SuiteProgress;
use crate::report::conformance::counted;
use crate::report::phrase::{count, duration};

pub struct ProgressDisplay(Mutex<State>);

struct State {
    /// Only on a terminal.
    bar: Option<ProgressBar>,
    configurations: usize,
    /// The configuration that is tried, from 1.
    number: usize,
    since: Instant,
    /// The requests of the configurations that have ended.
    ended: usize,
}

impl ProgressDisplay {
    pub fn new() -> Self {
        let bar = stderr().is_terminal().then(|| drawn("{bar:24} {pos}/{len}  {msg}"));
        let state = State { bar, configurations: 0, number: 0, since: Instant::now(), ended: 0 };
        ProgressDisplay(Mutex::new(state))
    }

    pub fn take(&self, progress: &SuiteProgress) {
        self.0.lock().take(progress);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.0.lock().bar {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn take(&mut self, progress: &SuiteProgress) {
        match progress {
            SuiteProgress::Started { configurations, requests } => {
                self.configurations = *configurations;
                if let Some(bar) = &self.bar {
                    bar.set_length(*requests as u64);
                }
            }
            SuiteProgress::ConfigurationStarted { name, vectors } => {
                self.number += 1;
                self.since = Instant::now();
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{} {name} ({})", self.place(), count(*vectors, "vector")));
                }
            }
            SuiteProgress::Answered => {
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            SuiteProgress::ConfigurationEnded { name, counts, requests } => {
                self.ended += requests;
                match &self.bar {
                    Some(bar) => bar.set_position(self.ended as u64),
                    None => print::problem(&format!(
                        "{} {name}: {} ({})",
                        self.place(),
                        counted(counts),
                        duration(self.since.elapsed())
                    )),
                }
            }
        }
    }

    /// Returns `[2/17]`.
    fn place(&self) -> String {
        format!("[{}/{}]", self.number, self.configurations)
    }
}
