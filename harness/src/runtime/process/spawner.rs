//! Starts child processes from one thread that lives as long as the harness itself.
//!
//! Linux ties the parent-death signal to the *thread* that forked (prctl(2), `PR_SET_PDEATHSIG`), and threads of an
//! async runtime come and go, so all children are forked here. A child gets SIGKILL as soon as the harness has ended,
//! also by SIGKILL. This does not reach grandchildren, nor platforms without such a signal; the `guard` does.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{LazyLock, mpsc};

use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::guard::{self, GuardedGroup};
use crate::descriptors;

/// A command to start, and where its child is sent.
struct SpawnRequest {
    command: Command,
    handle: Handle,
    answer: oneshot::Sender<io::Result<(Child, GuardedGroup)>>,
}

const THREAD_ENDED: &str = "the thread that starts processes has ended";

static SPAWNER: LazyLock<mpsc::Sender<SpawnRequest>> = LazyLock::new(|| {
    let (requests, inbox) = mpsc::channel::<SpawnRequest>();
    // Without the thread the first request fails with an error.
    let _ = std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
        for mut request in inbox {
            let _runtime = request.handle.enter();
            let child = start(&mut request.command);
            // The caller may be gone; the drop kills the child and its group then.
            let _ = request.answer.send(child);
        }
    });
    requests
});

/// Starts `command` in a process group of its own, which is killed when the harness ends.
pub async fn spawn(mut command: Command) -> io::Result<(Child, GuardedGroup)> {
    command.process_group(0).kill_on_drop(true);
    let (answer, child) = oneshot::channel();
    let request = SpawnRequest { command, handle: Handle::current(), answer };
    SPAWNER.send(request).map_err(|_| io::Error::other(THREAD_ENDED))?;
    child.await.map_err(|_| io::Error::other(THREAD_ENDED))?
}

/// Starts the child. It adds its group to the guard's list before it becomes the program, so the program never runs
/// unguarded; if the child cannot become the program, the group is removed again.
fn start(command: &mut Command) -> io::Result<(Child, GuardedGroup)> {
    let (forked, note) = io::pipe()?;
    prepare(command, guard::pipe(), note.as_raw_fd());
    let child = command.spawn();
    drop(note);
    match child {
        Ok(child) => {
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            let group = Pid::from_raw(id.ok_or_else(|| io::Error::other("the process has no id"))?);
            Ok((child, guard::guarded(group)))
        }
        Err(error) => {
            let mut id = [0; 4];
            // Nothing was written: the child did not get as far as the list.
            if (&forked).read_exact(&mut id).is_ok() {
                guard::remove_group(Pid::from_raw(i32::from_ne_bytes(id)));
            }
            Err(error)
        }
    }
}

/// Sets what the child does between fork and exec.
fn prepare(command: &mut Command, guard: Option<RawFd>, note: RawFd) {
    let parent = Pid::this();
    let limit = descriptors::inherited_limit();
    let before_exec = move || {
        die_with(parent)?;
        if let Some(limit) = limit {
            limit.restore();
        }
        let id = Pid::this().as_raw();
        write(note, &id.to_ne_bytes());
        if let Some(guard) = guard {
            let mut line = [0; 16];
            let length = write_add_line(id, &mut line);
            write(guard, &line[..length]);
        }
        Ok(())
    };
    // SAFETY: between fork and exec only prctl, setrlimit, getppid, getpid and write are called, all async-signal-safe;
    // nothing allocates, and both descriptors are open in the child until it becomes the program.
    unsafe {
        command.pre_exec(before_exec);
    }
}

/// Writes `+ ID` and a line end without allocating; returns the length.
fn write_add_line(id: i32, line: &mut [u8; 16]) -> usize {
    let mut digits = [0; 10];
    let mut count = 0;
    let mut rest = id.unsigned_abs();
    while rest > 0 || count == 0 {
        digits[count] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        count += 1;
    }
    line[..2].copy_from_slice(b"+ ");
    for (at, digit) in digits[..count].iter().rev().enumerate() {
        line[2 + at] = *digit;
    }
    line[2 + count] = b'\n';
    3 + count
}

/// Writes less than PIPE_BUF bytes in one call, which is not interleaved with others (pipe(7)). A failure does not
/// matter to the child: the guard has ended then.
fn write(pipe: RawFd, bytes: &[u8]) {
    // SAFETY: `bytes` is valid for its length, and the descriptor is open.
    let _ = unsafe { libc::write(pipe, bytes.as_ptr().cast(), bytes.len()) };
}

#[cfg(target_os = "linux")]
/// Makes the kernel kill this process when its parent ends.
fn die_with(parent: Pid) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    // The harness may have died before the signal was set.
    if nix::unistd::getppid() != parent {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe));
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn die_with(_parent: Pid) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_the_guard_is_written_without_allocating() {
        for (id, text) in [(7, "+ 7\n"), (12_345, "+ 12345\n"), (i32::MAX, "+ 2147483647\n")] {
            let mut line = [0; 16];
            let length = write_add_line(id, &mut line);
            assert_eq!(std::str::from_utf8(&line[..length]).unwrap(), text);
        }
    }

    /// Simulates an interrupt that comes after the fork and before a `Process` holds the child.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_child_that_nobody_took_ends_with_its_own_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(std::process::Stdio::piped());
        command.process_group(0).kill_on_drop(true).stderr(std::process::Stdio::null());
        let (mut child, guarded) = start(&mut command).unwrap();
        let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap());
        let mut grandchild = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut grandchild).await.unwrap();
        drop((child, guarded));
        // Its end closes its end of the pipe.
        let rest = tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut grandchild);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(10), rest).await;
        assert!(matches!(ended, Ok(Ok(0))), "process {grandchild} is still running: {ended:?}");
    }
}
