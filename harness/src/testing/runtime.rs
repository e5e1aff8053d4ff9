//! The runtime of a test, and the containers that the tests of a process share.

#[cfg(feature = "container")]
use crate::runtime::container::{ContainerOptions, Containers};
use crate::runtime::{RuntimeKind, RuntimeOptions};

/// `embedded` or `container`; it overrides the setting of the test.
pub const RUNTIME: &str = "UNBROKEN_RUNTIME";
/// Keeps containers running unless it is empty or 0.
#[cfg(feature = "container")]
const KEEP: &str = "UNBROKEN_KEEP_CONTAINERS";

/// The runtime that was requested is not available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeChoiceError {
    #[error("`{RUNTIME}={0}` is not a runtime: use `embedded` or `container`")]
    Unknown(String),
    #[error("this build has no containers: build with the feature `container`")]
    NoContainers,
}

/// Returns the runtime that the environment sets, if any.
pub fn from_environment() -> Result<Option<RuntimeKind>, RuntimeChoiceError> {
    let Ok(word) = std::env::var(RUNTIME) else { return Ok(None) };
    if word.is_empty() {
        return Ok(None);
    }
    RuntimeKind::parse(&word).map(Some).ok_or(RuntimeChoiceError::Unknown(word))
}

/// Returns the runtime that the environment sets, if it is a valid one.
pub fn chosen_by_environment() -> Option<RuntimeKind> {
    from_environment().ok().flatten()
}

/// Puts the runtime of the environment, if any, and the containers of this process into options.
pub fn choose(options: &mut RuntimeOptions) -> Result<(), RuntimeChoiceError> {
    options.kind = from_environment()?.unwrap_or(options.kind);
    if options.kind == RuntimeKind::Container && !cfg!(feature = "container") {
        return Err(RuntimeChoiceError::NoContainers);
    }
    #[cfg(feature = "container")]
    {
        options.containers = containers();
    }
    Ok(())
}

/// Removes the containers of this process, unless they are to be kept. A `main` of your own calls it last.
pub fn end() {
    #[cfg(feature = "container")]
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        // The next run removes what is left.
        runtime.block_on(containers().end());
    }
}

/// Returns one network and one of each broker for all tests of the process. `tests` removes them when it has run the
/// tests; otherwise the process that outlives this one does, see `runtime::container`.
#[cfg(feature = "container")]
fn containers() -> Containers {
    static OF_PROCESS: std::sync::OnceLock<Containers> = std::sync::OnceLock::new();
    let containers = OF_PROCESS.get_or_init(|| {
        let keep = std::env::var(KEEP).is_ok_and(|keep| !matches!(keep.as_str(), "" | "0"));
        Containers::new(ContainerOptions { keep, ..ContainerOptions::default() })
    });
    containers.clone()
}
