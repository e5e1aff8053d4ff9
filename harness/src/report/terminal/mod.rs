//! The report for people: what each case came to, and for each broken hop the story, the bytes and what to
//! try.
//!
//! Prints nothing: `render` gives the text for the end of a run, `Live` what to show while it is under way.
//! Whether there is a terminal, how wide it is and whether it wants colour is the caller's to find out.

mod bytes;
mod case;
mod finding;
mod live;
mod page;
mod palette;
mod summary;

#[cfg(test)]
mod tests;

pub use live::{Live, Shown};
pub use palette::{Ink, Palette, headed};

use super::{Case, Outcome};
use crate::rules::Finding;
use crate::verdict::{CaseVerdict, Verdict};
use page::Page;

/// How the report is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns; what is longer is wrapped or cut around its caret.
    pub width: usize,
    pub palette: Palette,
    pub detail: Detail,
    pub again: Again,
}

/// How whoever reads the report runs a case again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// `unbroken run FILE`.
    #[default]
    Command,
    /// `cargo test`, the case is a test by its title.
    Trial,
    /// `cargo test`, the case is run by a test of another name.
    Test,
}

/// How much is said of cases that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// One line.
    Quiet,
    /// Its hops, too.
    Hops,
    /// Also each rule with what it looked at, and the notes.
    Everything,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: 100, palette: Palette::Plain, detail: Detail::Hops, again: Again::Command }
    }
}

/// The whole report: what passed, then what did not, then the summary, so that what matters ends nearest to
/// the prompt.
pub fn render(outcome: &Outcome, layout: Layout) -> String {
    let mut page = Page::new(layout);
    let (passed, rest): (Vec<_>, Vec<_>) = outcome
        .groups()
        .into_iter()
        .partition(|group| group.iter().all(|case| case.verdict() == Verdict::Pass));
    if layout.detail == Detail::Quiet {
        const LIMIT: usize = 60;
        let widths = passed.iter().map(|group| group[0].title.chars().count());
        page.set_title_width(widths.max().unwrap_or(0).min(LIMIT));
    }
    for group in passed.iter().chain(&rest) {
        case::tell(&mut page, group);
    }
    summary::tell(&mut page, outcome);
    page.finish()
}

/// One case with all its repeats, without colour: for formats that quote the terminal report.
pub fn story(repeats: &[&Case]) -> String {
    story_in(repeats, Layout::default())
}

/// The same in this layout.
pub fn story_in(repeats: &[&Case], layout: Layout) -> String {
    let mut page = Page::new(layout);
    case::tell(&mut page, repeats);
    page.finish()
}

/// One finding in full, without colour.
pub fn finding(finding: &Finding, case: &CaseVerdict) -> String {
    let mut page = Page::new(Layout::default());
    finding::tell(&mut page, finding, case);
    page.finish()
}
