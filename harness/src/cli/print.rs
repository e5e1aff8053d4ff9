//! The only place that prints. A reader that went away (`| head`) is no trouble: the rest is left unsaid.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::report::terminal::Palette;

static LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output as it is.
pub fn out(text: &str) {
    let mut stream = stdout().lock();
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    // Where nobody reads it any more the exit status still tells.
    let lost = written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe);
    if let Some(error) = lost.filter(|_| !LOST.swap(true, Ordering::Relaxed)) {
        problem(&format!("error: standard output could not be written: {error}"));
    }
}

/// Whether something could not be written to standard output: a full disk must not look like a pass.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes one line to standard error.
pub fn problem(text: &str) {
    let mut stream = stderr().lock();
    let _ = stream.write_all(format!("{text}\n").as_bytes());
}

/// An error and what caused it, one line each.
pub fn error(error: &dyn std::error::Error) {
    problem(&format!("error: {error}"));
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.for_each(|cause| problem(&format!("  caused by: {cause}")));
}

/// Colour for standard output, as far as it is wanted.
pub fn palette() -> Palette {
    let no_color = std::env::var("NO_COLOR").ok();
    Palette::choose(stdout().is_terminal(), no_color.as_deref())
}

/// Whether standard error takes colour.
pub fn colour_in_problems() -> bool {
    let no_color = std::env::var("NO_COLOR").ok();
    Palette::choose(stderr().is_terminal(), no_color.as_deref()) == Palette::Colour
}
