//! Processes that left the group of the service that started them, for example with setsid(2): a variable of their
//! environment identifies them.
//!
//! They are found under `/proc`, so on Linux only. A process that also cleared its environment is not found.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use super::guard;

/// The variable of every process that a service started.
pub const VARIABLE: &str = "UNBROKEN_STARTED_BY";
/// The most scans for one service: each kills what it found, and what that has started meanwhile is found by the next.
const SCANS: usize = 10;

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
        for _ in 0..SCANS {
            let escaped = marked(&self.value);
            if escaped.is_empty() {
                break;
            }
            for process in escaped {
                // It fails where the process has ended.
                let _ = kill(process, Signal::SIGKILL);
            }
        }
        guard::unmark(&self.value);
    }
}

/// Returns the processes whose environment has the variable with this value. One that has ended has no environment.
fn marked(value: &str) -> Vec<Pid> {
    let entry = format!("{VARIABLE}={value}");
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
    })
    .map(Pid::from_raw)
    .collect()
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
        while marked(&escaped.value).is_empty() {
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
