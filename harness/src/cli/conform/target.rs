//! The target on the command line.

use super::ConformArguments;
use crate::conform::Target;
use crate::conform::target::{AddressError, RELAYS};

/// The prefix of a built-in relay.
const RELAY: &str = "relay:";

/// A target that cannot be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    #[error("cannot use the target `{text}`: {source}")]
    Address { text: String, source: AddressError },
}

/// Returns the target that the arguments name.
pub fn of(arguments: &ConformArguments) -> Result<Target, TargetError> {
    let named = arguments.target.as_deref();
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
