//! One child process and everything it starts: a process group that is ended as a whole.
//!
//! The group is killed when the value is dropped, also on a panic. A group member that starts a session of its own (a
//! daemon) is out of reach, as it is for every shell.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use escaped::EscapedProcesses;
use guard::GuardedGroup;
use output::{AwaitedLine, Output, OutputStream};

mod escaped;
pub mod guard;
pub mod listener;
pub mod output;
pub mod port;
mod spawner;

/// The time that the rest of the output may take once the process has ended, or has answered.
const OUTPUT_WITHIN: Duration = Duration::from_millis(200);

/// A child process with its group.
#[derive(Debug)]
pub struct Process {
    group: Pid,
    output: Output,
    ended: watch::Receiver<Option<ExitStatus>>,
    _guarded: GuardedGroup,
    /// Dropped after the group was killed.
    _escaped: Option<EscapedProcesses>,
}

impl Process {
    /// Starts `command` and reads both streams of its output; `awaited` is a line to look out for.
    pub async fn start(mut command: Command, awaited: Option<AwaitedLine>) -> io::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, guarded) = spawner::spawn(command).await?;
        let mut output = Output::new(awaited);
        if let Some(stream) = child.stdout.take() {
            output.read_pipe(OutputStream::Out, stream);
        }
        if let Some(stream) = child.stderr.take() {
            output.read_pipe(OutputStream::Error, stream);
        }
        let (sender, ended) = watch::channel(None);
        tokio::spawn(reap(child, sender));
        Ok(Process { group: guarded.group(), output, ended, _guarded: guarded, _escaped: None })
    }

    /// Starts a command whose processes end with it, also those that leave its group.
    pub async fn start_marked(mut command: Command, awaited: Option<AwaitedLine>) -> io::Result<Process> {
        let escaped = EscapedProcesses::of(&mut command);
        let mut process = Process::start(command, awaited).await?;
        process._escaped = Some(escaped);
        Ok(process)
    }

    /// Returns the id of its group.
    pub fn group(&self) -> Pid {
        self.group
    }

    /// Returns the last output lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// Resolves when the process has ended.
    pub fn ended(&self) -> impl Future<Output = ProcessEnd> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(status) => ProcessEnd(*status),
                // The runtime that reaped it is shutting down.
                Err(_) => ProcessEnd(None),
            }
        }
    }

    pub fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Returns the number of processes of the group that accept connections at a port; `None` where that is not seen.
    pub fn accepting(&self, port: u16) -> Option<usize> {
        listener::accepting(self.group, port)
    }

    /// Returns a watch on the awaited line.
    pub fn found(&self) -> watch::Receiver<Option<String>> {
        self.output.found()
    }

    /// Returns the last output lines, with what was still in its pipes.
    pub async fn last_lines(&self) -> Vec<String> {
        let deadline = Instant::now() + OUTPUT_WITHIN;
        if self.has_ended() {
            self.output.drained(deadline).await;
        } else {
            self.output.caught_up(deadline).await;
        }
        self.lines()
    }

    /// Sends the signal to the whole group, waits for the process itself, and kills what is left of the group. Returns
    /// `None` when the process had to be killed at the deadline.
    pub async fn stop(&self, signal: Signal, deadline: Instant) -> Option<ProcessEnd> {
        self.signal(signal);
        let ended = timeout_at(deadline, self.ended()).await.ok();
        self.signal(Signal::SIGKILL);
        ended
    }

    /// Kills the group and waits until the process is reaped, so that its ports are free again.
    pub async fn kill(&self, deadline: Instant) {
        self.signal(Signal::SIGKILL);
        let _ = timeout_at(deadline, self.ended()).await;
    }

    fn signal(&self, signal: Signal) {
        // It fails where every process of the group has ended.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

/// Waits for the child itself, so that its end is known at once.
async fn reap(mut child: Child, ended: watch::Sender<Option<ExitStatus>>) {
    if let Ok(status) = child.wait().await {
        ended.send_replace(Some(status));
    }
}

/// The end of a process; `None` where it is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEnd(Option<ExitStatus>);

impl ProcessEnd {
    #[cfg(feature = "container")]
    /// Wraps the exit status of a container.
    pub fn of(status: Option<ExitStatus>) -> ProcessEnd {
        ProcessEnd(status)
    }

    /// Returns whether it exited by itself, whatever the status; a process that died of a signal did not.
    pub fn is_exit(self) -> bool {
        self.0.is_some_and(|status| status.code().is_some())
    }

    /// Returns whether it exited by itself with status 0.
    pub fn is_success(self) -> bool {
        self.0.is_some_and(|status| status.success())
    }

    /// Returns words for a message: `exit status 1`, `killed by SIGKILL`.
    pub fn words(self) -> String {
        use std::os::unix::process::ExitStatusExt;
        let Some(status) = self.0 else { return "exit status unknown".to_owned() };
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => format!("killed by {signal}"),
                Err(_) => format!("killed by signal {number}"),
            },
            (None, None) => "exit status unknown".to_owned(),
        }
    }
}
