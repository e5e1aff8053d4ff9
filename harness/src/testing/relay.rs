//! Relays in a test: the test's own program is one when it is started as `PROGRAM relay model`.
//!
//! A program whose `main` is not ours, such as that of `#[test]` functions, cannot answer so, and would run its tests
//! again instead; there the `unbroken` command is needed, named by `UNBROKEN_BIN`.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::runtime::UNBROKEN_BIN;

/// Whether this program's `main` answers.
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// For a `main` of your own, before anything else: `Some` when this process was started to be a relay, which has now
/// ended. From then on scenarios with relays can be run in this process.
///
/// `testing::tests` and `Tests::run` do this by themselves.
pub fn answer() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let asked = arguments.next().is_some_and(|first| first == "relay");
    let implementation = if asked { arguments.next() } else { None };
    let ended = implementation.and_then(|implementation| be(&implementation, arguments));
    ANSWERS.store(cfg!(feature = "relays"), Ordering::Release);
    ended
}

#[cfg(feature = "relays")]
fn be(implementation: &str, arguments: std::iter::Skip<std::env::Args>) -> Option<ExitCode> {
    match implementation {
        "model" => Some(relay_model::run(arguments)),
        "rust" => Some(relay_rust::run(arguments)),
        _ => None,
    }
}

#[cfg(not(feature = "relays"))]
fn be(_implementation: &str, _arguments: std::iter::Skip<std::env::Args>) -> Option<ExitCode> {
    None
}

/// The program that is started as a relay; empty when none is known.
pub(super) fn program() -> Vec<OsString> {
    if let Some(command) = std::env::var_os(UNBROKEN_BIN) {
        return vec![command];
    }
    let own = ANSWERS.load(Ordering::Acquire).then(std::env::current_exe);
    own.and_then(Result::ok).map(|program| vec![program.into_os_string()]).unwrap_or_default()
}
