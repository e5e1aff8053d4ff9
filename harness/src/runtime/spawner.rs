//! Starts child processes from one thread that lives as long as the harness itself.
//!
//! Linux ties the parent-death signal to the *thread* that forked (prctl(2), `PR_SET_PDEATHSIG`), and threads
//! of an async runtime come and go: so all children are forked here. A child gets SIGKILL the moment the
//! harness is gone, however it went, SIGKILL included. What this does not reach: grandchildren, and platforms
//! without such a signal; for those there is the `guard`.

use std::io;
use std::sync::{LazyLock, mpsc};

use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::guard::{self, Guarded};

struct Request {
    command: Command,
    handle: Handle,
    answer: oneshot::Sender<io::Result<(Child, Guarded)>>,
}

static SPAWNER: LazyLock<mpsc::Sender<Request>> = LazyLock::new(|| {
    let (requests, inbox) = mpsc::channel::<Request>();
    let work = move || {
        for mut request in inbox {
            let _runtime = request.handle.enter();
            guard::be_there();
            let child = request.command.spawn().and_then(guarded);
            // Whoever asked may be gone; the child is killed on drop then.
            let _ = request.answer.send(child);
        }
    };
    // Without the thread the first request fails with a sentence, so there is nothing to do here.
    let _ = std::thread::Builder::new().name("spawner".to_owned()).spawn(work);
    requests
});

/// Tells the guard in the thread that forked, before anybody else hears of the child.
fn guarded(child: Child) -> io::Result<(Child, Guarded)> {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let group = Pid::from_raw(id.ok_or_else(|| io::Error::other("the process has no id"))?);
    Ok((child, guard::watch_over(group)))
}

/// Starts `command` in a process group of its own, to be killed with the harness.
pub(super) async fn spawn(mut command: Command) -> io::Result<(Child, Guarded)> {
    command.process_group(0).kill_on_drop(true);
    die_with_parent(&mut command);
    let (answer, child) = oneshot::channel();
    let request = Request { command, handle: Handle::current(), answer };
    SPAWNER.send(request).map_err(|_| io::Error::other("the thread that starts processes is gone"))?;
    child.await.map_err(|_| io::Error::other("the thread that starts processes is gone"))?
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::Pid::this();
    let before_exec = move || {
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
        // The harness may have died before the signal was asked for.
        if nix::unistd::getppid() != parent {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        Ok(())
    };
    // SAFETY: between fork and exec only prctl and getppid are called, both async-signal-safe; nothing
    // allocates.
    unsafe {
        command.pre_exec(before_exec);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}
