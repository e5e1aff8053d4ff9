//! Identifies the process that owns a container, so that the next start can remove what a dead process has left.
//!
//! A process id alone is not enough: it is reused, and another namespace or machine may use the same engine.

use std::fmt;

/// Identity of a process of this machine, or of another one; written into a label and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessIdentity {
    host: String,
    /// Changes at each start of the machine.
    boot: String,
    /// The namespace of the process id.
    namespace: String,
    process: u32,
    /// In clock ticks since the machine started; differs from that of a later process with the same id.
    started: String,
}

impl ProcessIdentity {
    /// Returns the identity of this process.
    pub(super) fn here() -> ProcessIdentity {
        let process = std::process::id();
        ProcessIdentity {
            host: first_word("/proc/sys/kernel/hostname"),
            boot: first_word("/proc/sys/kernel/random/boot_id"),
            namespace: namespace(),
            process,
            started: started(process).unwrap_or_default(),
        }
    }

    /// Parses what `Display` prints.
    pub(super) fn parse(text: &str) -> Option<ProcessIdentity> {
        let mut parts = text.split('/').map(str::to_owned);
        let (host, boot, namespace) = (parts.next()?, parts.next()?, parts.next()?);
        let (process, started) = (parts.next()?.parse().ok()?, parts.next()?);
        Some(ProcessIdentity { host, boot, namespace, process, started })
    }

    /// Returns whether the process runs; `None` for a process of another machine or namespace, which `here`, the
    /// identity of this process, cannot see.
    pub(super) fn runs(&self, here: &ProcessIdentity) -> Option<bool> {
        if self.host != here.host {
            return None;
        }
        if self.boot != here.boot {
            return Some(false);
        }
        let same = self.namespace == here.namespace;
        same.then(|| started(self.process).as_deref() == Some(self.started.as_str()))
    }
}

impl fmt::Display for ProcessIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProcessIdentity { host, boot, namespace, process, started } = self;
        write!(out, "{host}/{boot}/{namespace}/{process}/{started}")
    }
}

fn first_word(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().unwrap_or_default().replace('/', "-")
}

#[cfg(target_os = "linux")]
fn namespace() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().replace('/', "-")
}

#[cfg(not(target_os = "linux"))]
fn namespace() -> String {
    String::new()
}

/// Returns the start time of a process: the 22nd field of proc(5)'s `stat`, whose second field may contain spaces and
/// ends at the last parenthesis. `None` for a process that does not exist or is a zombie.
#[cfg(target_os = "linux")]
fn started(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

/// Returns an empty start time for a process that exists: there is no portable way to read it.
#[cfg(not(target_os = "linux"))]
fn started(process: u32) -> Option<String> {
    let id = nix::unistd::Pid::from_raw(i32::try_from(process).ok()?);
    nix::sys::signal::kill(id, None).is_ok().then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_one_that_has_ended_does_not() {
        let here = ProcessIdentity::here();
        assert_eq!(ProcessIdentity::parse(&here.to_string()), Some(here.clone()));
        assert_eq!(here.runs(&here), Some(true));
        let mut child = std::process::Command::new("true").spawn().expect("`true` is everywhere");
        child.wait().expect("it ends");
        let runs = |owner: ProcessIdentity| owner.runs(&here);
        assert_eq!(runs(ProcessIdentity { process: child.id(), ..here.clone() }), Some(false));
        let reused = ProcessIdentity { started: "1".into(), ..here.clone() };
        assert_eq!(runs(reused), Some(false), "another process with its id");
        let before = ProcessIdentity { boot: "before".into(), ..here.clone() };
        assert_eq!(runs(before), Some(false), "the machine was started again");
        let elsewhere = ProcessIdentity { host: "elsewhere".into(), boot: "x".into(), ..here.clone() };
        assert_eq!(runs(elsewhere), None, "nobody here can tell");
        assert_eq!(ProcessIdentity::parse("7"), None);
    }
}
