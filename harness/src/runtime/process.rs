//! One child process and everything it starts: a process group that is ended as a whole.
//!
//! The group is killed when the value is dropped, on a panic too. A group member that makes a session of its
//! own (a daemon) is out of reach, as it is for every shell.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::guard::Guarded;
use super::output::{Output, Stream, Wanted};
use super::spawner;

/// How long the rest of the output may take once the process is gone.
const OUTPUT_AFTER_END: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Process {
    group: Pid,
    output: Output,
    ended: watch::Receiver<Option<ExitStatus>>,
    _guarded: Guarded,
}

impl Process {
    /// Starts `command` with both streams captured; `wanted` is a line to look out for.
    pub(super) async fn start(mut command: Command, wanted: Option<Wanted>) -> io::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, guarded) = spawner::spawn(command).await?;
        let mut output = Output::new(wanted);
        if let Some(stream) = child.stdout.take() {
            output.read(Stream::Out, stream);
        }
        if let Some(stream) = child.stderr.take() {
            output.read(Stream::Error, stream);
        }
        let (sender, ended) = watch::channel(None);
        tokio::spawn(reap(child, sender));
        Ok(Process { group: guarded.group(), output, ended, _guarded: guarded })
    }

    /// The last output lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// Waits until the process has ended.
    pub(super) fn ended(&self) -> impl Future<Output = Ended> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(status) => Ended(*status),
                // The runtime that reaped is going down.
                Err(_) => Ended(None),
            }
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// For waiting on the wanted line.
    pub(super) fn found(&self) -> watch::Receiver<Option<String>> {
        self.output.found()
    }

    /// What is still in the pipes of a process that has ended.
    pub(super) async fn last_lines(&self) -> Vec<String> {
        self.output.drained(Instant::now() + OUTPUT_AFTER_END).await;
        self.lines()
    }

    /// Asks the whole group to end and waits for the process itself; what is left of the group is killed.
    /// `None` when it had to be killed at the deadline.
    pub(super) async fn stop(&self, signal: Signal, deadline: Instant) -> Option<Ended> {
        self.signal(signal);
        let ended = timeout_at(deadline, self.ended()).await.ok();
        self.signal(Signal::SIGKILL);
        ended
    }

    /// Kills the group and waits until the process is reaped, so that its ports are free again.
    pub(super) async fn kill(&self, deadline: Instant) {
        self.signal(Signal::SIGKILL);
        let _ = timeout_at(deadline, self.ended()).await;
    }

    fn signal(&self, signal: Signal) {
        // No such group: everything in it has ended.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Waits for the child alone, so that its end is known at once.
async fn reap(mut child: Child, ended: watch::Sender<Option<ExitStatus>>) {
    if let Ok(status) = child.wait().await {
        ended.send_replace(Some(status));
    }
}

/// How a process ended; `None` when nobody could be asked any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended(Option<ExitStatus>);

impl Ended {
    #[cfg(feature = "container")]
    pub(super) fn of(status: Option<ExitStatus>) -> Ended {
        Ended(status)
    }

    /// It came to its own end, whatever the status; a process that died of a signal did not.
    pub(super) fn by_itself(self) -> bool {
        self.0.is_some_and(|status| status.code().is_some())
    }

    /// `exit status 1`, `killed by SIGKILL`.
    pub(super) fn words(self) -> String {
        use std::os::unix::process::ExitStatusExt;
        let Some(status) = self.0 else { return "end unknown".to_owned() };
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => format!("killed by {signal}"),
                Err(_) => format!("killed by signal {number}"),
            },
            (None, None) => "end unknown".to_owned(),
        }
    }
}
