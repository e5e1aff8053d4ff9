//! A small shell that outlives the harness for a moment and kills what the harness left running.
//!
//! It reads process groups from a pipe. When the pipe closes, however the harness ended, it sends SIGKILL to the groups
//! that are still on its list. So it reaches grandchildren, also on platforms without a parent-death signal. On Linux
//! it kills what left such a group, too (`escaped`). It needs `/bin/sh`, and `grep` for the latter.

use std::fmt::Display;
use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;

/// `+ GROUP` adds a group to the list, `- GROUP` removes it, `f PATH` names a file to remove at the end, `d PATH` a
/// folder, `x NAME COMMAND` a command to run at the end unless `X NAME` cancels it. `m VALUE` adds the mark of the
/// processes of a service, `M VALUE` removes it. The end looks for each mark twice: a process that becomes another
/// program shows no environment for a moment.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
groups=' '
files=
folders=
orders=
cancelled=' '
marks=' '
while read -r sign group; do
  case $sign in
    f) files="$files$group
" ;;
    d) folders="$folders$group
" ;;
    x) orders="$orders$group
" ;;
    X) cancelled="$cancelled$group " ;;
    m) marks="$marks$group " ;;
    M) case $marks in *" $group "*) marks="${marks%% $group *} ${marks#* $group }" ;; esac ;;
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for mark in $marks $marks; do
  for stray in $(grep -lF "UNBROKEN_STARTED_BY=$mark" /proc/[0-9]*/environ 2>/dev/null); do
    stray=${stray#/proc/}
    kill -s KILL "${stray%/environ}" 2>/dev/null
  done
done
printf %s "$orders" | while read -r name order; do
  case $cancelled in *" $name "*) ;; *) sh -c "$order" >/dev/null 2>&1 </dev/null ;; esac
done
printf %s "$files" | while read -r file; do rm -f -- "$file"; done
printf %s "$folders" | while read -r folder; do rm -rf -- "$folder"; done
"#;

/// `None` where there is no shell: then only the parent-death signal ends children.
static GUARD: LazyLock<Option<Mutex<ChildStdin>>> = LazyLock::new(|| {
    let mut command = Command::new("/bin/sh");
    // A group of its own, so that Ctrl-C in the terminal does not end it.
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).process_group(0).current_dir("/");
    let shell = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    shell.stdin.map(Mutex::new)
});

/// A process group on the list; its drop kills what is left of the group and removes it from the list.
#[derive(Debug)]
pub struct GuardedGroup(Pid);

impl GuardedGroup {
    pub fn group(&self) -> Pid {
        self.0
    }
}

/// Returns the guard's pipe, for a child that adds itself to the list between fork and exec.
pub fn pipe() -> Option<RawFd> {
    let guard = GUARD.as_ref()?;
    Some(guard.lock().as_raw_fd())
}

/// Returns the guard of a group whose process has added itself to the list.
pub fn guarded(group: Pid) -> GuardedGroup {
    GuardedGroup(group)
}

/// Removes a group from the list whose process could not become the program.
pub fn remove_group(group: Pid) {
    send('-', group);
}

impl Drop for GuardedGroup {
    fn drop(&mut self) {
        // It fails where every process of the group has ended.
        let _ = killpg(self.0, Signal::SIGKILL);
        send('-', self.0);
    }
}

/// Adds a mark: when the harness has ended, processes with it in their environment are killed.
pub fn mark(value: &str) {
    send('m', value);
}

/// Removes a mark.
pub fn unmark(value: &str) {
    send('M', value);
}

/// Removes the file when the harness has ended, if it still exists.
#[cfg(feature = "tls")]
pub fn remove_later(file: &Path) {
    send('f', file.display());
}

/// Removes the folder when the harness has ended, if it still exists.
pub fn remove_folder_later(folder: &Path) {
    send('d', folder.display());
}

/// Runs the command when the harness has ended, in whatever way, unless `call_off` was called with its name.
#[cfg(feature = "container")]
pub fn run_later(name: &str, command: &str) {
    send('x', format!("{name} {command}"));
}

#[cfg(feature = "container")]
/// Cancels a command of `run_later`.
pub fn call_off(name: &str) {
    send('X', name);
}

fn send(sign: char, what: impl Display) {
    if let Some(guard) = &*GUARD {
        // It fails where the guard was killed from outside.
        let _ = guard.lock().write_all(format!("{sign} {what}\n").as_bytes());
    }
}
