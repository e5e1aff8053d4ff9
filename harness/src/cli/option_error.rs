//! The errors in options that do not fit together, or not to the selected cases.

use crate::testing::runtime::RuntimeChoiceError;

/// Options of `run` with which no case can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunOptionError {
    #[error(transparent)]
    Runtime(#[from] RuntimeChoiceError),
    #[error(
        "`--image {part}={name}` has no effect: brokers and relays run embedded, without images; add `--runtime container`"
    )]
    ImageWithoutContainers { part: String, name: String },
    #[error(
        "`--relay` starts a process, but with `--runtime container` relays are images: use `--image relay-rust=NAME`"
    )]
    RelayInContainers,
    #[error("`--fault {node}=...`: no selected case has a node `{node}`; relays `model` are {known}")]
    NoNodeForFault { node: String, known: String },
    #[cfg(feature = "relays")]
    #[error("`--fault {node}=...`: {error}")]
    UnknownFault { node: String, error: relay_model::faults::list::UnknownFault },
    #[error("`--fault {node}=...`: `{node}` is not a relay `model` in any selected case")]
    NoRelayForFault { node: String },
    #[error("no selected case has every relay `model` that the options `--fault` name")]
    NoCaseForFaults,
    #[error(
        "two files of the run are the same: `{path}`; give each report, baseline and evidence folder its own path"
    )]
    SameFile { path: String },
    #[error("two reports go to standard output; write one of them to a file")]
    SameOutput,
}
