//! Relays in a test: the test program is a relay when it is started as `PROGRAM relay model`.
//!
//! A program whose `main` is not ours, such as that of `#[test]` functions, would run its tests again instead. There,
//! `UNBROKEN_BIN` names the `unbroken` command.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::runtime::UNBROKEN_BIN;

/// Set once the `main` of this program has called `answer`.
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// Runs a relay if this process was started as one, and returns its exit status when it has ended. Any other process
/// gets `None` and may run scenarios with relays from now on.
///
/// A `main` of your own calls it before anything else. `testing::tests` and `Tests::run` call it themselves.
pub fn answer() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let is_relay = arguments.next().is_some_and(|first| first == "relay");
    let implementation = if is_relay { arguments.next() } else { None };
    let status = implementation.and_then(|implementation| run(&implementation, arguments));
    ANSWERS.store(cfg!(feature = "relays"), Ordering::Release);
    status
}

#[cfg(feature = "relays")]
fn run(implementation: &str, arguments: std::iter::Skip<std::env::Args>) -> Option<ExitCode> {
    match implementation {
        "model" => Some(relay_model::run(arguments)),
        "rust" => Some(relay_rust::run(arguments)),
        _ => None,
    }
}

#[cfg(not(feature = "relays"))]
fn run(_implementation: &str, _arguments: std::iter::Skip<std::env::Args>) -> Option<ExitCode> {
    None
}

/// Returns the program that is started as a relay; it is empty when none is known.
pub(super) fn program() -> Vec<OsString> {
    if let Some(command) = std::env::var_os(UNBROKEN_BIN) {
        return vec![command];
    }
    let own = ANSWERS.load(Ordering::Acquire).then(std::env::current_exe);
    own.and_then(Result::ok).map(|program| vec![program.into_os_string()]).unwrap_or_default()
}
