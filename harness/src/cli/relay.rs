//! `unbroken relay IMPLEMENTATION`: runs a reference service.

use std::process::ExitCode;

use super::arguments::RelayArguments;
use super::{exit, print};

#[cfg(feature = "relays")]
pub fn relay(arguments: RelayArguments) -> ExitCode {
    match arguments.implementation.as_str() {
        "model" => relay_model::run(arguments.arguments.into_iter()),
        "rust" => relay_rust::run(arguments.arguments.into_iter()),
        other => unknown(other, "the relays are `model` and `rust`"),
    }
}

#[cfg(not(feature = "relays"))]
pub fn relay(arguments: RelayArguments) -> ExitCode {
    unknown(&arguments.implementation, "this build has no relays; build with the feature `relays`")
}

fn unknown(implementation: &str, help: &str) -> ExitCode {
    print::problem(&format!("error: there is no relay `{implementation}`: {help}"));
    ExitCode::from(exit::USAGE)
}
