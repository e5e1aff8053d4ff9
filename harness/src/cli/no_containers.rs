//! A build without containers.

use std::sync::Arc;

use super::arguments::Run;
use super::bar::Bar;
use super::{exit, print};
use crate::run::Chosen;
use crate::runtime::Kind;
use crate::testing::runtime;

pub struct Wanted {
    pub kind: Kind,
}

impl Wanted {
    pub fn of(arguments: &Run, _: &[Chosen], _: Arc<Bar>) -> Result<Wanted, String> {
        let kind = arguments.runtime.or(runtime::from_environment()?).unwrap_or_default();
        if kind == Kind::Container || arguments.keep || !arguments.image.is_empty() {
            return Err(runtime::NO_CONTAINERS.to_owned());
        }
        Ok(Wanted { kind })
    }

    pub async fn warm_up(&self) -> Result<(), u8> {
        Ok(())
    }

    pub async fn end(&self) {}
}

pub fn clean() -> u8 {
    print::problem(&format!("error: {}", runtime::NO_CONTAINERS));
    exit::USAGE
}
