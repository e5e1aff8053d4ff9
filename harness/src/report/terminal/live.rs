//! What to show while a run is under way: how far it is, what is running, and what went wrong so far.
//!
//! Draws nothing: the caller puts `Shown` on the screen when there is one.

use super::{Ink, Palette};
use crate::progress::Progress;
use crate::report::{Case, phrase};
use crate::verdict::Verdict;

/// The state of a run so far.
#[derive(Clone, Debug)]
pub struct Live {
    palette: Palette,
    total: u64,
    passed: u64,
    failed: u64,
    inconclusive: u64,
    running: Vec<String>,
    interrupted: bool,
}

/// One picture of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// For the bar.
    pub done: u64,
    pub total: u64,
    /// `12 pass, 1 fail`.
    pub counts: String,
    /// The cases under way, the longest-running first, cut to what fits.
    pub running: String,
}

impl Live {
    pub fn new(palette: Palette) -> Self {
        Self {
            palette,
            total: 0,
            passed: 0,
            failed: 0,
            inconclusive: 0,
            running: Vec::new(),
            interrupted: false,
        }
    }

    /// Takes in one thing that happened. What is worth a line of its own at once is given back: each case
    /// that did not pass, so that nobody has to wait for the end.
    pub fn take(&mut self, progress: &Progress) -> Option<String> {
        match progress {
            Progress::RunStarted { cases, repeats, .. } => {
                self.total = (*cases as u64) * u64::from((*repeats).max(1));
                None
            }
            Progress::CaseStarted { title } => {
                self.running.push(title.clone());
                None
            }
            Progress::CaseEnded { title, file, repeat, end, took } => {
                if let Some(at) = self.running.iter().position(|running| running == title) {
                    self.running.remove(at);
                }
                let (title, file) = (title.clone(), file.clone());
                let (repeat, end, with) = (*repeat, end.clone(), std::sync::Arc::default());
                self.ended(&Case { title, file, repeat, end, took: *took, with })
            }
            Progress::Interrupted => {
                self.interrupted = true;
                Some(self.palette.paint(Ink::Unsure, "interrupted: ending what is under way"))
            }
            Progress::RunEnded { .. } => {
                self.running.clear();
                None
            }
        }
    }

    fn ended(&mut self, case: &Case) -> Option<String> {
        let (word, ink) = match case.verdict() {
            Verdict::Pass => {
                self.passed += 1;
                return None;
            }
            Verdict::Inconclusive => {
                self.inconclusive += 1;
                ("unsure", Ink::Unsure)
            }
            Verdict::Fail => {
                self.failed += 1;
                ("FAIL", Ink::Bad)
            }
        };
        let why = case.why().into_iter().next().unwrap_or_default();
        let word = self.palette.paint(ink, &format!("{word:>6}"));
        Some(format!("{word}  {}  {}", phrase::shown(&case.title), phrase::shown(&why)).trim_end().to_owned())
    }

    /// What to show now, in at most `width` columns for the names.
    pub fn shown(&self, width: usize) -> Shown {
        let mut counts = vec![format!("{} pass", self.passed)];
        if self.failed > 0 {
            counts.push(self.palette.paint(Ink::Bad, &format!("{} fail", self.failed)));
        }
        if self.inconclusive > 0 {
            counts.push(self.palette.paint(Ink::Unsure, &format!("{} inconclusive", self.inconclusive)));
        }
        Shown {
            done: self.passed + self.failed + self.inconclusive,
            total: self.total,
            counts: counts.join(", "),
            running: self.running(width),
        }
    }

    fn running(&self, width: usize) -> String {
        if self.interrupted {
            return "ending".to_owned();
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
    use crate::verdict::{CaseEnd, Trouble};

    #[test]
    fn a_case_that_does_not_pass_is_told_at_once() {
        let mut live = Live::new(Palette::Plain);
        live.take(&Progress::RunStarted { cases: 2, repeats: 3, seed: 1 });
        live.take(&Progress::CaseStarted { title: "a".into() });
        live.take(&Progress::CaseStarted { title: "a-longer-title".into() });
        let trouble = Trouble {
            scenario: "a".into(),
            case: String::new(),
            message: "no such program `shop`".into(),
            caused_by: vec![],
            lines: vec![],
        };
        let said = live.take(&Progress::CaseEnded {
            title: "a".into(),
            file: "a.yaml".into(),
            repeat: 1,
            end: CaseEnd::CouldNotRun(trouble),
            took: Duration::ZERO,
        });
        assert_eq!(said.as_deref(), Some("unsure  a  no such program `shop`"));
        let shown = live.shown(40);
        assert_eq!((shown.done, shown.total), (1, 6));
        assert_eq!(shown.counts, "0 pass, 1 inconclusive");
        assert_eq!(shown.running, "a-longer-title");
    }

    #[test]
    fn names_that_do_not_fit_are_counted() {
        let mut live = Live::new(Palette::Plain);
        for title in ["first-case", "second-case", "third-case"] {
            live.take(&Progress::CaseStarted { title: title.into() });
        }
        assert_eq!(live.shown(24).running, "first-case and 2 more");
        assert_eq!(live.shown(80).running, "first-case, second-case, third-case");
    }
}
