//! Which runtime a test runs in, and the containers that the tests of a process share.

#[cfg(feature = "container")]
use crate::runtime::container::{ContainerOptions, Containers};
use crate::runtime::{Kind, RuntimeOptions};

/// `embedded` or `container`; it wins over what the test says.
pub const RUNTIME: &str = "UNBROKEN_RUNTIME";
/// Set to anything but 0, containers are left running.
#[cfg(feature = "container")]
const KEEP: &str = "UNBROKEN_KEEP_CONTAINERS";

/// What a build without the feature `container` says when it is asked for them.
pub const NO_CONTAINERS: &str = "this build knows no containers: build with the feature `container`";

/// The runtime by the environment, if it says one.
pub fn from_environment() -> Result<Option<Kind>, String> {
    match std::env::var(RUNTIME) {
        Ok(word) if word.is_empty() => Ok(None),
        Ok(word) => match Kind::read(&word) {
            Some(kind) => Ok(Some(kind)),
            None => Err(format!("`{RUNTIME}={word}` is no runtime: `embedded` or `container`")),
        },
        Err(_) => Ok(None),
    }
}

/// The runtime of the environment, where it can be read.
pub fn said() -> Option<Kind> {
    from_environment().ok().flatten()
}

/// Puts the runtime that the environment says, if it does, and the containers of this process into options.
pub fn choose(options: &mut RuntimeOptions) -> Result<(), String> {
    options.kind = from_environment()?.unwrap_or(options.kind);
    if options.kind == Kind::Container && !cfg!(feature = "container") {
        return Err(NO_CONTAINERS.to_owned());
    }
    #[cfg(feature = "container")]
    {
        options.containers = containers();
    }
    Ok(())
}

/// Removes the containers of this process, unless they are to be kept; for a `main` of your own.
pub fn end() {
    #[cfg(feature = "container")]
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        // What stays is removed at the next start.
        runtime.block_on(containers().end());
    }
}

/// One network and one of each broker for all tests of the process. They are removed when `tests` has run them, and
/// otherwise by whoever outlives the process: see `runtime::container`.
#[cfg(feature = "container")]
fn containers() -> Containers {
    static OF_PROCESS: std::sync::OnceLock<Containers> = std::sync::OnceLock::new();
    let keep = std::env::var(KEEP).is_ok_and(|keep| !matches!(keep.as_str(), "" | "0"));
    let new = || Containers::new(ContainerOptions { keep, ..ContainerOptions::default() });
    OF_PROCESS.get_or_init(new).clone()
}
