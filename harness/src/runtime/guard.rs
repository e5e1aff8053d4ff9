//! A small shell that outlives the harness by a moment and kills what it left behind.
//!
//! It reads process groups from a pipe; when the pipe closes, because the harness ended in whatever way, the
//! groups still on its list get SIGKILL. So grandchildren are reached too, and platforms without a
//! parent-death signal. What remains: a process that left its group by making a session of its own, and a
//! machine without `/bin/sh`.

use std::fmt::Display;
use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
#[cfg(feature = "tls")]
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// `+ GROUP` puts a group on the list, `- GROUP` takes it off, `f PATH` names a file to be removed at the end, `x NAME
/// COMMAND` a command to be run at the end, unless `X NAME` has come.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
groups=' '
files=
orders=
called_off=' '
while read -r sign group; do
  case $sign in
    f) files="$files$group
" ;;
    x) orders="$orders$group
" ;;
    X) called_off="$called_off$group " ;;
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
printf %s "$orders" | while read -r name order; do
  case $called_off in *" $name "*) ;; *) sh -c "$order" >/dev/null 2>&1 </dev/null ;; esac
done
printf %s "$files" | while read -r file; do rm -f -- "$file"; done
"#;

/// `None` where there is no shell: the parent-death signal is all there is then.
static GUARD: LazyLock<Option<Mutex<ChildStdin>>> = LazyLock::new(|| {
    let mut command = Command::new("/bin/sh");
    // A group of its own: Ctrl-C in the terminal is not meant for it.
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).process_group(0).current_dir("/");
    let shell = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    shell.stdin.map(Mutex::new)
});

/// A process group on the list, until dropped: then what is left of it is killed.
#[derive(Debug)]
pub(super) struct Guarded(Pid);

impl Guarded {
    pub(super) fn group(&self) -> Pid {
        self.0
    }
}

/// The guard's pipe, for a child that puts itself on the list between fork and exec.
pub(super) fn pipe() -> Option<RawFd> {
    let guard = GUARD.as_ref()?;
    Some(guard.lock().unwrap_or_else(PoisonError::into_inner).as_raw_fd())
}

/// The group of a process that has put itself on the list.
pub(super) fn watched_over(group: Pid) -> Guarded {
    Guarded(group)
}

/// A group that never became one: its process could not become the program.
pub(super) fn off_the_list(group: Pid) {
    tell('-', group);
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // No such group: everything in it has ended.
        let _ = killpg(self.0, Signal::SIGKILL);
        tell('-', self.0);
    }
}

/// Removes the file when the harness has ended, should it still be there.
#[cfg(feature = "tls")]
pub(super) fn remove_later(file: &Path) {
    tell('f', file.display());
}

/// Runs the command when the harness has ended, in whatever way, unless it is called off by its name before.
#[cfg(feature = "container")]
pub(super) fn run_later(name: &str, command: &str) {
    tell('x', format!("{name} {command}"));
}

#[cfg(feature = "container")]
pub(super) fn call_off(name: &str) {
    tell('X', name);
}

fn tell(sign: char, what: impl Display) {
    if let Some(guard) = &*GUARD {
        let mut pipe = guard.lock().unwrap_or_else(PoisonError::into_inner);
        // A guard that was killed from outside cannot be told anything.
        let _ = pipe.write_all(format!("{sign} {what}\n").as_bytes());
    }
}
