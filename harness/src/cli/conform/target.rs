//! The target on the command line.

use std::path::Path;
use std::sync::Arc;

use super::ConformArguments;
use crate::cli::{exit, print};
use crate::conform::Target;
use crate::conform::target::{AddressError, RELAYS, file};
use crate::diagnostic::{self, Diagnostic};
use crate::input_file;
use crate::source::Source;

/// The prefix of a built-in relay.
const RELAY: &str = "relay:";

/// A target that cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("no target: give an address, `relay:model`, or a command after `--`")]
    Missing,
    #[error("there is no relay `{0}`: use `relay:model` or `relay:rust`")]
    UnknownRelay(String),
    #[error("`--fault`: `relay:{0}` has no faults; `relay:model` has")]
    RelayWithoutFaults(String),
    #[error("`relay:{0}` and a command are two targets: omit one of them")]
    RelayAndCommand(String),
    #[error("`--fault` enables faults of `relay:model` only")]
    FaultWithoutRelay,
    #[error("cannot use the target `{text}`")]
    Address { text: String, source: AddressError },
    #[error("cannot read the target file `{path}`")]
    Read { path: String, source: std::io::Error },
    #[error("the target file `{0}` says how to start the target: omit the command and `--fault`")]
    FileAndMore(String),
    #[error("the target file is wrong")]
    Invalid { text: Arc<Source>, diagnostics: Vec<Diagnostic> },
}

impl TargetError {
    /// Prints the error and returns the exit status.
    pub fn print(&self) -> u8 {
        match self {
            TargetError::Invalid { text, diagnostics } => {
                let shown = diagnostic::render(text, diagnostics, print::colour_in_problems());
                print::problem(shown.trim_end());
                exit::INVALID_SCENARIO
            }
            error => {
                print::error(error);
                exit::USAGE
            }
        }
    }
}

/// A target file may have this many bytes.
const FILE_BYTES: u64 = 1 << 20;

fn is_file(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn read(path: &str, arguments: &ConformArguments) -> Result<Target, TargetError> {
    if !arguments.command.is_empty() || !arguments.fault.is_empty() {
        return Err(TargetError::FileAndMore(path.to_owned()));
    }
    let text = input_file::read(Path::new(path), FILE_BYTES)
        .map_err(|source| TargetError::Read { path: path.to_owned(), source })?;
    let source = Source::new(path, text);
    file::read(&source).map_err(|diagnostics| TargetError::Invalid { text: source, diagnostics })
}

/// Returns the target that the arguments name.
pub fn of(arguments: &ConformArguments) -> Result<Target, TargetError> {
    if let Some(image) = &arguments.image {
        let has_faults = !arguments.fault.is_empty();
        return if has_faults { Err(TargetError::FaultWithoutRelay) } else { Ok(Target::image(image)) };
    }
    let named = arguments.target.as_deref();
    if let Some(path) = named.filter(|name| is_file(name)) {
        return read(path, arguments);
    }
    if let Some(relay) = named.and_then(|name| name.strip_prefix(RELAY)) {
        if !RELAYS.iter().any(|(known, _)| *known == relay) {
            return Err(TargetError::UnknownRelay(relay.to_owned()));
        }
        if !arguments.fault.is_empty() && relay != "model" {
            return Err(TargetError::RelayWithoutFaults(relay.to_owned()));
        }
        if !arguments.command.is_empty() {
            return Err(TargetError::RelayAndCommand(relay.to_owned()));
        }
        return Ok(Target::relay(relay, arguments.fault.clone()));
    }
    if !arguments.fault.is_empty() {
        return Err(TargetError::FaultWithoutRelay);
    }
    let address = match named {
        Some(text) => {
            let address = text.parse();
            Some(address.map_err(|source| TargetError::Address { text: text.to_owned(), source })?)
        }
        None => None,
    };
    Target::new(address, arguments.command.clone()).ok_or(TargetError::Missing)
}
