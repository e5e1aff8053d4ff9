//! The report for people: the result of each case, and for each broken hop the story, the bytes and what to try.
//!
//! It prints nothing: `render` returns the text for the end of a run, `Live` the text for the run under way. The caller
//! finds out whether there is a terminal, how wide it is and whether it shows colour.

mod bytes;
mod case;
mod finding;
mod live;
mod page;
mod palette;
mod summary;

#[cfg(test)]
mod tests;

pub use live::{Live, Picture};
pub use palette::{ColourSigns, Ink, Palette, headed};

use super::{Case, Outcome, SharedError};
use crate::rules::Finding;
use crate::verdict::{CaseVerdict, Verdict};
use page::Page;

/// The layout of the report.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns. A longer line is wrapped or cut around its caret.
    pub width: usize,
    pub palette: Palette,
    pub detail: Detail,
    pub again: Again,
}

/// The command by which the reader runs a case again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// `unbroken run FILE`.
    #[default]
    Command,
    /// `cargo test` with the title of the case as the name of the test.
    Trial,
    /// `cargo test`, where the test has another name.
    Test,
}

/// The amount of detail about cases that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Each hop.
    Hops,
    /// Each hop, each rule with the number of crossings or spans that it judged, and the notes.
    Everything,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: 100, palette: Palette::Plain, detail: Detail::Hops, again: Again::Command }
    }
}

/// Returns the whole report: cases that passed, the others, then the summary, so that what matters stands nearest to
/// the prompt.
pub fn render(outcome: &Outcome, layout: Layout) -> String {
    let mut page = Page::new(layout);
    let groups = outcome.groups();
    let shared = SharedError::find(&groups);
    let (passed, rest): (Vec<_>, Vec<_>) = groups
        .iter()
        .filter(|group| !shared.iter().any(|error| error.includes(group)))
        .partition(|group| group.iter().all(|case| case.verdict() == Verdict::Pass));
    for group in passed {
        case::write(&mut page, group);
    }
    for error in &shared {
        case::write_shared(&mut page, error);
    }
    for group in rest {
        case::write(&mut page, group);
    }
    summary::write(&mut page, outcome);
    page.finish()
}

/// Returns one reason for which several cases could not run, without colour.
pub fn shared_story(error: &SharedError<'_>) -> String {
    let mut page = Page::new(Layout::default());
    case::write_shared(&mut page, error);
    page.finish()
}

/// Returns one case with all its repeats, without colour, for formats that quote the terminal report.
pub fn story(repeats: &[&Case]) -> String {
    story_in(repeats, Layout::default())
}

/// Returns one case with all its repeats in this layout.
pub fn story_in(repeats: &[&Case], layout: Layout) -> String {
    let mut page = Page::new(layout);
    case::write(&mut page, repeats);
    page.finish()
}

/// Returns one finding in full, without colour.
pub fn finding(finding: &Finding, case: &CaseVerdict) -> String {
    let mut page = Page::new(Layout::default());
    finding::write(&mut page, finding, case);
    page.finish()
}
