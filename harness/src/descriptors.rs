//! The file descriptors of this process: its limit, and whether it has run out of them.
//!
//! Systems start programs with a soft limit of 1,024 or less and a much higher hard one (getrlimit(2)). This process
//! raises its own soft limit; the services that it starts get the one back that it inherited, because some of them use
//! select(2) or close every descriptor below the limit.

use std::error::Error;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// No run needs more. A hard limit may be without an end.
const ENOUGH: u64 = 65_536;

/// The soft and the hard limit with which this process was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InheritedLimit {
    soft: u64,
    hard: u64,
}

static INHERITED: OnceLock<InheritedLimit> = OnceLock::new();
static TIMES_RUN_OUT: AtomicU64 = AtomicU64::new(0);

/// Raises the soft limit of this process to the hard one, or to as much as a run can need. Only the command and a test
/// program of scenarios do it; the process of another test keeps its limit.
#[cfg(any(feature = "cli", feature = "libtest"))]
pub(crate) fn raise_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let raised = hard.min(ENOUGH);
    // Where it cannot be raised, `limit` returns what there is.
    if soft < raised && setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
        let _ = INHERITED.set(InheritedLimit { soft, hard });
    }
}

/// Returns the limit that a child must get back, if this process has raised its own.
pub(crate) fn inherited_limit() -> Option<InheritedLimit> {
    INHERITED.get().copied()
}

impl InheritedLimit {
    /// Sets it for this process again. It is async-signal-safe: setrlimit(2) alone is called.
    pub(crate) fn restore(self) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, self.soft, self.hard);
    }
}

/// Returns the number of descriptors that this process may have open.
pub(crate) fn limit() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(ENOUGH, |(soft, _)| soft)
}

/// Counts an error, or one of its causes, that says that this process or the machine has no descriptor left.
pub(crate) fn count_if_run_out(error: &(dyn Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if matches!(number, Some(libc::EMFILE | libc::ENFILE)) {
            TIMES_RUN_OUT.fetch_add(1, Ordering::Relaxed);
            return;
        }
        cause = error.source();
    }
}

/// Returns how often an error said that no descriptor was left.
pub(crate) fn times_run_out() -> u64 {
    TIMES_RUN_OUT.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_about_descriptors_counts() {
        let before = times_run_out();
        count_if_run_out(&io::Error::from_raw_os_error(libc::ECONNREFUSED));
        count_if_run_out(&io::Error::other("no number"));
        assert_eq!(times_run_out(), before);
        count_if_run_out(&io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(times_run_out(), before + 1);
    }
}
