//! Processes that left the group of the service that started them, for example with setsid(2): a variable of their
//! environment identifies them.
//!
//! They are found under `/proc`, so on Linux only. A process that also cleared its environment is not found.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use super::guard;
use super::listener::ProcessStat;

/// The variable of every process that a service started.
pub const VARIABLE: &str = "UNBROKEN_STARTED_BY";
/// The time for the scans of one service. Each kills what it found; the next finds what has started meanwhile, and what
/// was becoming another program (execve(2)), which shows no environment for a moment.
const SCANS_WITHIN: Duration = Duration::from_secs(5);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The processes of one service; its drop kills those that are left.
#[derive(Debug)]
pub struct EscapedProcesses {
    value: String,
}

impl EscapedProcesses {
    /// Marks the processes that a command starts, before it is started.
    pub fn of(command: &mut Command) -> EscapedProcesses {
        // The end of the value keeps one number from being the beginning of another.
        let value = format!("{}.{};", Pid::this(), NEXT.fetch_add(1, Ordering::Relaxed));
        command.env(VARIABLE, &value);
        guard::mark(&value);
        EscapedProcesses { value }
    }
}

impl Drop for EscapedProcesses {
    fn drop(&mut self) {
        let deadline = Instant::now() + SCANS_WITHIN;
        while Instant::now() < deadline {
            let scan = Scan::of(&self.value);
            for process in &scan.marked {
                // It fails where the process has ended.
                let _ = kill(*process, Signal::SIGKILL);
            }
            if scan.marked.is_empty() && !scan.is_doubtful {
                break;
            }
        }
        guard::unmark(&self.value);
    }
}

/// The processes that a scan found.
#[derive(Debug, Default)]
struct Scan {
    /// Their environment has the variable with the value.
    marked: Vec<Pid>,
    /// A process is becoming another program: its environment does not exist yet.
    is_doubtful: bool,
}

impl Scan {
    fn of(value: &str) -> Scan {
        let entry = format!("{VARIABLE}={value}");
        let mut scan = Scan::default();
        let Ok(processes) = std::fs::read_dir("/proc") else { return scan };
        for id in processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse::<i32>().ok()) {
            match environment(id) {
                None => scan.is_doubtful = true,
                Some(environment) => {
                    if environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes()) {
                        scan.marked.push(Pid::from_raw(id));
                    }
                }
            }
        }
        scan
    }
}

/// Returns the environment of a process, empty where it may not be read or the process has ended, and `None` while the
/// process becomes another program.
fn environment(id: i32) -> Option<Vec<u8>> {
    // One that may not be read is another user's, whose arguments `stat` hides too.
    let read = || std::fs::read(format!("/proc/{id}/environ"));
    let becomes_a_program = || ProcessStat::read(id).is_some_and(|stat| stat.becomes_a_program());
    match read() {
        Err(_) => Some(Vec::new()),
        Ok(environment) if !environment.is_empty() => Some(environment),
        Ok(_) if becomes_a_program() => None,
        // The file that was read may have been that of the program before.
        Ok(_) => match read() {
            Ok(environment) if environment.is_empty() && becomes_a_program() => None,
            second => Some(second.unwrap_or_default()),
        },
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_in_a_session_of_its_own_ends_with_its_service() {
        let mut command = Command::new("setsid");
        command.args(["sleep", "600"]);
        let escaped = EscapedProcesses::of(&mut command);
        let mut child = command.spawn().expect("`setsid` is installed");
        while Scan::of(&escaped.value).marked.is_empty() {
            tokio::task::yield_now().await;
        }
        drop(escaped);
        let status = child.wait().await.expect("it is our child");
        assert!(!status.success());
    }

    #[test]
    fn values_are_no_beginnings_of_each_other() {
        let values: Vec<String> =
            (0..12).map(|_| EscapedProcesses::of(&mut Command::new("true")).value.clone()).collect();
        for value in &values {
            assert_eq!(
                values.iter().filter(|other| other.starts_with(value.as_str())).count(),
                1,
                "{values:?}"
            );
        }
    }
}
