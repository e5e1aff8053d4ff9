//! Prints to standard output and standard error. No other module prints.
//!
//! Text from outside cannot control the terminal or a CI server: every printed line is made safe. A reader that closes
//! the stream (`| head`) is not an error; the rest is not printed.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error_chain;
use crate::report::phrase;
use crate::report::terminal::{ColourSigns, Palette};

static LOST: AtomicBool = AtomicBool::new(false);

/// Writes text for people to standard output.
pub fn out(text: &str) {
    document(&safe(text));
}

/// Writes a document for programs to standard output as it is.
pub fn document(text: &str) {
    let mut stream = stdout().lock();
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    // After a closed stream the exit status still reports the result.
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::Relaxed)
    {
        problem(&format!("error: cannot write to standard output: {error}"));
    }
}

/// Returns whether something could not be written to standard output: a full disk must not look like a pass.
pub fn has_lost_output() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes lines to standard error.
pub fn problem(text: &str) {
    let mut stream = stderr().lock();
    let _ = stream.write_all(format!("{}\n", safe(text)).as_bytes());
}

/// Writes an error and its causes to standard error, one line each.
pub fn error(error: &(dyn std::error::Error + 'static)) {
    problem(&error_chain::lines(error));
}

fn safe(text: &str) -> String {
    text.split('\n').map(phrase::safe_line).collect::<Vec<_>>().join("\n")
}

/// The colour that the user orders with `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourOrder {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    Always,
    Never,
}

static ORDER: OnceLock<ColourOrder> = OnceLock::new();

/// Keeps what the user orders for everything that is printed after it.
pub fn order_colour(order: ColourOrder) {
    // The command line is read once.
    let _ = ORDER.set(order);
}

/// Returns the palette for standard output.
pub fn palette() -> Palette {
    palette_of(stdout().is_terminal())
}

/// Returns whether standard error is printed in colour.
pub fn colour_in_problems() -> bool {
    palette_of(stderr().is_terminal()) == Palette::Colour
}

fn palette_of(is_terminal: bool) -> Palette {
    let [no_color, force, term] = ["NO_COLOR", "CLICOLOR_FORCE", "TERM"].map(|name| std::env::var(name).ok());
    let (no_color, force, term) = (no_color.as_deref(), force.as_deref(), term.as_deref());
    match ORDER.get() {
        Some(ColourOrder::Always) => Palette::Colour,
        Some(ColourOrder::Never) => Palette::Plain,
        Some(ColourOrder::Auto) | None => {
            Palette::choose(&ColourSigns { is_terminal, no_color, force, term })
        }
    }
}
