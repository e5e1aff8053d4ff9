//! Who a container belongs to: the process that started it, told by a label, so that the next start removes what a
//! process that is gone has left.
//!
//! A process id alone is not enough: it is given out again, and another namespace or machine may use the same engine.

use std::fmt;

/// Label of everything that a run makes: `OWNER` of the process that made it.
pub(super) const OWNER: &str = "unbroken.owner";
/// Label: the run.
pub(super) const RUN: &str = "unbroken.run";
/// Label: what it is in the run, a broker or a node.
pub(super) const PART: &str = "unbroken.part";
/// The title of the case whose node it is; what cases share has none.
pub(super) const CASE: &str = "unbroken.case";
/// Label of what `--keep` leaves.
pub(super) const KEPT: &str = "unbroken.kept";

/// A process of this machine, or of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    host: String,
    /// Another one after each start of the machine.
    boot: String,
    /// The namespace that the process id is of.
    namespace: String,
    process: u32,
    /// In clock ticks since the machine started; tells a process from a later one with its id.
    started: String,
}

impl Owner {
    pub(super) fn here() -> Owner {
        let process = std::process::id();
        Owner {
            host: first_word("/proc/sys/kernel/hostname"),
            boot: first_word("/proc/sys/kernel/random/boot_id"),
            namespace: namespace(),
            process,
            started: started(process).unwrap_or_default(),
        }
    }

    pub(super) fn read(text: &str) -> Option<Owner> {
        let mut parts = text.split('/').map(str::to_owned);
        let mut next = || parts.next();
        let (host, boot, namespace) = (next()?, next()?, next()?);
        let (process, started) = (next()?.parse().ok()?, next()?);
        Some(Owner { host, boot, namespace, process, started })
    }

    /// Whether it runs, as far as `here`, which is this process, can tell: `None` of a process of another machine or
    /// namespace, which is none of ours.
    pub(super) fn runs(&self, here: &Owner) -> Option<bool> {
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

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { host, boot, namespace, process, started } = self;
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

/// The 22nd field of proc(5)'s `stat`; the second may have spaces in it and ends with the last parenthesis. `None` when
/// there is no such process, or only what is left of one that nobody has waited for yet.
#[cfg(target_os = "linux")]
fn started(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let is_left = matches!(fields.next()?, "Z" | "X");
    fields.nth(18).filter(|_| !is_left).map(str::to_owned)
}

/// Whether the process is there is all that can be told.
#[cfg(not(target_os = "linux"))]
fn started(process: u32) -> Option<String> {
    let id = nix::unistd::Pid::from_raw(i32::try_from(process).ok()?);
    nix::sys::signal::kill(id, None).is_ok().then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_and_one_that_has_ended_is_gone() {
        let here = Owner::here();
        assert_eq!(Owner::read(&here.to_string()), Some(here.clone()));
        assert_eq!(here.runs(&here), Some(true));
        let mut child = std::process::Command::new("true").spawn().expect("`true` is everywhere");
        child.wait().expect("it ends");
        let runs = |owner: Owner| owner.runs(&here);
        assert_eq!(runs(Owner { process: child.id(), ..here.clone() }), Some(false));
        let reused = Owner { started: "1".into(), ..here.clone() };
        assert_eq!(runs(reused), Some(false), "another process with its id");
        let before = Owner { boot: "before".into(), ..here.clone() };
        assert_eq!(runs(before), Some(false), "the machine was started again");
        let elsewhere = Owner { host: "elsewhere".into(), boot: "x".into(), ..here.clone() };
        assert_eq!(runs(elsewhere), None, "nobody here can tell");
        assert_eq!(Owner::read("7"), None);
    }
}
