//! The containers of a run in a build without containers.

use std::sync::Arc;

use super::arguments::RunArguments;
use super::bar::Bar;
use super::option_error::RunOptionError;
use super::{exit, print};
use crate::run::SelectedCase;
use crate::runtime::RuntimeKind;
use crate::testing::runtime::{self, RuntimeChoiceError};

pub struct RunContainers {
    pub kind: RuntimeKind,
}

impl RunContainers {
    pub fn of(
        arguments: &RunArguments,
        _: &[SelectedCase],
        _: Arc<Bar>,
    ) -> Result<RunContainers, RunOptionError> {
        let kind = arguments.runtime.or(runtime::from_environment()?).unwrap_or_default();
        if kind == RuntimeKind::Container || arguments.keep || !arguments.image.is_empty() {
            return Err(RuntimeChoiceError::NoContainers.into());
        }
        Ok(RunContainers { kind })
    }

    pub async fn warm_up(&self) -> Result<(), u8> {
        Ok(())
    }

    pub async fn end(&self) {}
}

pub fn clean() -> u8 {
    print::error(&RuntimeChoiceError::NoContainers);
    exit::USAGE
}
