//! The progress of a run for people: how far it is, which cases run, and a line for a case that ends.
//!
//! It draws nothing: the caller puts the `Picture` on the screen if there is one.

use super::{Ink, Palette};
use crate::progress::Progress;
use crate::report::{Case, CaseResult, phrase};

/// The state of a run so far.
#[derive(Clone, Debug)]
pub struct Live {
    palette: Palette,
    /// Cases that pass have a line, too.
    with_passes: bool,
    repeats: u32,
    total: u64,
    done: u64,
    counts: Vec<(CaseResult, u64)>,
    running: Vec<String>,
    interrupted: bool,
}

/// The state of a run at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub done: u64,
    pub total: u64,
    /// `12 pass, 1 fail`.
    pub counts: String,
    /// The cases under way, the longest-running first, cut to the width.
    pub running: String,
}

impl Live {
    pub fn new(palette: Palette) -> Self {
        Self {
            palette,
            with_passes: false,
            repeats: 1,
            total: 0,
            done: 0,
            counts: Vec::new(),
            running: Vec::new(),
            interrupted: false,
        }
    }

    /// Gives every case a line when it ends. A run with repeats has a line for each tenth of them that passed instead.
    pub fn with_passes(self) -> Self {
        Self { with_passes: true, ..self }
    }

    /// Adds one thing that happened. Returns a line to print at once, such as for a case that did not pass.
    pub fn take(&mut self, progress: &Progress) -> Option<String> {
        match progress {
            Progress::RunStarted { cases, repeats, .. } => {
                self.repeats = (*repeats).max(1);
                self.total = (*cases as u64).saturating_mul(u64::from(self.repeats));
                None
            }
            Progress::CaseStarted { title } => {
                self.running.push(title.clone());
                None
            }
            Progress::CaseWaits { title, what } => {
                Some(format!("{:<13}  {}  {}", "waiting", phrase::shown(title), phrase::shown(what)))
            }
            Progress::CaseEnded { title, file, repeat, end, took, .. } => {
                if let Some(at) = self.running.iter().position(|running| running == title) {
                    self.running.remove(at);
                }
                let (title, file) = (title.clone(), file.clone());
                let (repeat, end, with) = (*repeat, end.clone(), std::sync::Arc::default());
                let software = Vec::new();
                self.ended(&Case { title, file, repeat, end, took: *took, software, with })
            }
            Progress::Interrupted => {
                self.interrupted = true;
                Some(self.palette.paint(Ink::Inconclusive, "interrupted: stopping the cases under way"))
            }
            Progress::RunEnded { .. } => {
                self.running.clear();
                None
            }
        }
    }

    fn ended(&mut self, case: &Case) -> Option<String> {
        let result = case.result();
        self.done += 1;
        match self.counts.iter_mut().find(|(known, _)| *known == result) {
            Some((_, number)) => *number += 1,
            None => self.counts.push((result, 1)),
        }
        if result == CaseResult::Pass {
            return self.passed(case);
        }
        let why = case.why().into_iter().next().unwrap_or_default();
        Some(self.line(case, &phrase::shown(&why)))
    }

    fn passed(&self, case: &Case) -> Option<String> {
        if !self.with_passes {
            return None;
        }
        if self.repeats == 1 {
            return Some(self.line(case, &phrase::duration(case.took)));
        }
        let tenth = (self.total / 10).max(1);
        self.done.is_multiple_of(tenth).then(|| format!("{} of {}: {}", self.done, self.total, self.counts()))
    }

    fn line(&self, case: &Case, rest: &str) -> String {
        let result = case.result();
        let word = self.palette.paint(Ink::of(result), &format!("{:<13}", result.word()));
        let repeat = if self.repeats > 1 { format!(" (repeat {})", case.repeat) } else { String::new() };
        format!("{word}  {}{repeat}  {rest}", phrase::shown(&case.title)).trim_end().to_owned()
    }

    fn counts(&self) -> String {
        let mut counts = Vec::new();
        for (result, number) in &self.counts {
            counts.push(self.palette.paint(Ink::of(*result), &format!("{number} {}", result.word())));
        }
        counts.join(", ")
    }

    /// Returns the present state, with at most `width` columns for the names.
    pub fn picture(&self, width: usize) -> Picture {
        Picture { done: self.done, total: self.total, counts: self.counts(), running: self.running(width) }
    }

    fn running(&self, width: usize) -> String {
        if self.interrupted {
            return "stopping".to_owned();
        }
        let mut names = String::new();
        for (at, title) in self.running.iter().enumerate() {
            let title = phrase::shown(title);
            let more = format!(" and {} more", self.running.len() - at);
            if at > 0 && names.chars().count() + title.chars().count() + 2 + more.len() > width {
                return names + &more;
            }
            names += &if at == 0 { title } else { format!(", {title}") };
        }
        names.chars().take(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::samples;
    use crate::verdict::{CaseEnd, CaseError, CaseVerdict};

    #[test]
    fn a_case_that_does_not_pass_has_a_line_at_once() {
        let mut live = Live::new(Palette::Plain);
        live.take(&Progress::RunStarted { cases: 2, repeats: 3, seed: 1 });
        live.take(&Progress::CaseStarted { title: "a".into() });
        live.take(&Progress::CaseStarted { title: "a-longer-title".into() });
        let error = CaseError {
            scenario: "a".into(),
            case: String::new(),
            message: "no such program `shop`".into(),
            caused_by: vec![],
            lines: vec![],
        };
        let line = live.take(&Progress::CaseEnded {
            title: "a".into(),
            file: "a.yaml".into(),
            repeat: 1,
            end: CaseEnd::CouldNotRun(error),
            took: Duration::ZERO,
            software: Vec::new(),
        });
        assert_eq!(line.as_deref(), Some("could not run  a (repeat 1)  no such program `shop`"));
        let picture = live.picture(40);
        assert_eq!((picture.done, picture.total), (1, 6));
        assert_eq!(picture.counts, "1 could not run");
        assert_eq!(picture.running, "a-longer-title");
    }

    #[test]
    fn names_that_do_not_fit_are_counted() {
        let mut live = Live::new(Palette::Plain);
        for title in ["first-case", "second-case", "third-case"] {
            live.take(&Progress::CaseStarted { title: title.into() });
        }
        assert_eq!(live.picture(24).running, "first-case and 2 more");
        assert_eq!(live.picture(80).running, "first-case, second-case, third-case");
    }

    #[test]
    fn without_a_bar_every_case_has_a_line_when_it_ends() {
        let ended = |title: &str, repeat, judged: CaseVerdict| Progress::CaseEnded {
            title: title.into(),
            file: "a.yaml".into(),
            repeat,
            end: CaseEnd::Judged(Box::new(judged)),
            took: Duration::from_millis(87),
            software: Vec::new(),
        };
        let mut live = Live::new(Palette::Plain).with_passes();
        live.take(&Progress::RunStarted { cases: 2, repeats: 1, seed: 1 });
        let line = live.take(&ended("a", 1, samples::healthy()));
        assert_eq!(line.as_deref(), Some("pass           a  87 ms"));

        let mut live = Live::new(Palette::Plain).with_passes();
        live.take(&Progress::RunStarted { cases: 1, repeats: 40, seed: 1 });
        let lines = (1..=40).filter_map(|repeat| live.take(&ended("a", repeat, samples::healthy())));
        let lines: Vec<String> = lines.collect();
        assert_eq!((lines.len(), lines[0].as_str()), (10, "4 of 40: 4 pass"));
    }
}
