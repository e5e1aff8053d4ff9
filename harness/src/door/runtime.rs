//! Which runtime a test runs in, and the containers that the tests of a process share.

use crate::runtime::Kind;
#[cfg(feature = "container")]
use crate::runtime::container::{ContainerOptions, Containers};

/// `embedded` or `container`; it wins over what the test says.
pub const RUNTIME: &str = "UNBROKEN_RUNTIME";
/// Set to anything, containers are left running.
#[cfg(feature = "container")]
const KEEP: &str = "UNBROKEN_KEEP_CONTAINERS";

/// The runtime by the environment, if it says one.
pub fn from_environment() -> Result<Option<Kind>, String> {
    match std::env::var(RUNTIME) {
        Ok(word) if word.is_empty() => Ok(None),
        Ok(word) => Kind::read(&word).map(Some).ok_or(word),
        Err(_) => Ok(None),
    }
}

/// One network and one of each broker for all tests of the process. They are removed when `tests` has run them, and
/// otherwise by whoever outlives the process: see `runtime::container`.
#[cfg(feature = "container")]
pub(super) fn containers() -> Containers {
    static OF_PROCESS: std::sync::OnceLock<Containers> = std::sync::OnceLock::new();
    let keep = std::env::var_os(KEEP).is_some();
    let new = || Containers::new(ContainerOptions { keep, ..ContainerOptions::default() });
    OF_PROCESS.get_or_init(new).clone()
}
