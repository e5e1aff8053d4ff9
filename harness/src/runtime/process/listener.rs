//! Finds the processes that listen on a port of this machine, by the tables of Linux (proc(5)).
//!
//! On other platforms, and where a table or a process cannot be read, nothing is found.

use std::fmt;
use std::fs;

use nix::unistd::Pid;

/// The parent of all threads of the kernel, kthreadd.
const KERNEL_THREADS: i32 = 2;
/// The state of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// A process that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListeningProcess {
    pub process: i32,
    pub name: String,
}

impl fmt::Display for ListeningProcess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` (process {})", self.name, self.process)
    }
}

/// Returns a process that listens on the port.
pub fn on_port(port: u16) -> Option<ListeningProcess> {
    owners(&sockets(port)).first().map(ProcessStat::listener)
}

/// Returns the process that listens on the port in place of the process group: `None` when one of the group does, or
/// when none is found.
///
/// A child that started a session of its own and was left by its parents counts as one of the group.
pub fn in_place_of(group: Pid, port: u16) -> Option<ListeningProcess> {
    let owners = owners(&sockets(port));
    let leader = ProcessStat::read(group.as_raw());
    let is_own = |owner: &ProcessStat| {
        owner.group == group.as_raw()
            || descends_from(owner, group)
            || (owner.parent == 1 && leader.as_ref().is_some_and(|leader| owner.started >= leader.started))
    };
    if owners.iter().any(is_own) { None } else { owners.first().map(ProcessStat::listener) }
}

/// Returns the number of processes of the group that accept connections on the port; `None` where none is found.
///
/// A server that forks workers keeps the socket in the parent, too, which only watches them: of the processes that hold
/// the socket those count that have no child which holds it. A parent that accepts connections and hands them to its
/// children over pipes counts as one.
pub fn accepting(group: Pid, port: u16) -> Option<usize> {
    let mut holders = owners(&sockets(port));
    holders.retain(|holder| holder.group == group.as_raw());
    let leaves = without_parents(&holders);
    (leaves > 0).then_some(leaves)
}

/// Returns the number of processes that are the parent of no other one in the list.
fn without_parents(holders: &[ProcessStat]) -> usize {
    holders.iter().filter(|holder| !holders.iter().any(|other| other.parent == holder.process)).count()
}

/// Returns the names of the sockets that listen on the port, as the descriptors of their process show them.
fn sockets(port: u16) -> Vec<String> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(&LISTEN), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9))
            else {
                continue;
            };
            let number = local.rsplit_once(':').and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
            if number == Some(port) {
                sockets.push(format!("socket:[{inode}]"));
            }
        }
    }
    sockets
}

/// Returns the processes that hold one of the sockets.
fn owners(sockets: &[String]) -> Vec<ProcessStat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let holders = names.filter(|process| !sockets.is_empty() && holds(*process, sockets));
    holders.filter_map(ProcessStat::read).collect()
}

fn holds(process: i32, sockets: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target)))
}

/// A line of `/proc/PID/stat`.
pub(super) struct ProcessStat {
    process: i32,
    name: String,
    state: char,
    parent: i32,
    group: i32,
    /// In clock ticks since the boot.
    started: u64,
    /// The kernel knows where its arguments are.
    has_arguments: bool,
}

impl ProcessStat {
    pub(super) fn read(process: i32) -> Option<ProcessStat> {
        ProcessStat::parse(process, &fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// Parses the line; the name of the process is in parentheses and may hold any character.
    fn parse(process: i32, stat: &str) -> Option<ProcessStat> {
        let (before, after) = stat.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = after.split_whitespace().collect();
        let state = fields.first()?.chars().next()?;
        let (parent, group) = (fields.get(1)?.parse().ok()?, fields.get(2)?.parse().ok()?);
        let started = fields.get(19)?.parse().ok()?;
        // `arg_start`; a line without it is that of an old kernel.
        let has_arguments = fields.get(45).is_none_or(|start| *start != "0");
        Some(ProcessStat { process, name, state, parent, group, started, has_arguments })
    }

    /// Returns whether it is between two programs (execve(2)): it has not ended, is no thread of the kernel, which is a
    /// child of process 2, and has no arguments yet.
    pub(super) fn becomes_a_program(&self) -> bool {
        let is_of_kernel = self.process == KERNEL_THREADS || self.parent == KERNEL_THREADS;
        !matches!(self.state, 'Z' | 'X') && !is_of_kernel && !self.has_arguments
    }

    fn listener(&self) -> ListeningProcess {
        ListeningProcess { process: self.process, name: self.name.clone() }
    }
}

fn descends_from(process: &ProcessStat, ancestor: Pid) -> bool {
    let mut parent = process.parent;
    while parent > 1 {
        if parent == ancestor.as_raw() {
            return true;
        }
        parent = ProcessStat::read(parent).map_or(0, |stat| stat.parent);
    }
    false
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn this_process_is_found_as_the_listener_of_its_port() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let found = on_port(port).expect("the listener is found");
        assert_eq!(found.process, Pid::this().as_raw());
        let own_group = Pid::from_raw(ProcessStat::read(found.process).expect("it runs").group);
        assert_eq!(in_place_of(own_group, port), None);
        assert_eq!((accepting(own_group, port), accepting(Pid::from_raw(i32::MAX), port)), (Some(1), None));
        assert_eq!(in_place_of(Pid::from_raw(i32::MAX), port), Some(found));
        drop(listener);
        assert_eq!(on_port(port), None);
    }

    #[test]
    fn a_parent_that_only_watches_its_workers_accepts_nothing() {
        let holder = |process, parent| ProcessStat {
            process,
            parent,
            group: 10,
            name: String::new(),
            state: 'S',
            started: 0,
            has_arguments: true,
        };
        assert_eq!(without_parents(&[holder(10, 1)]), 1);
        assert_eq!(without_parents(&[holder(10, 1), holder(11, 10)]), 1);
        assert_eq!(without_parents(&[holder(10, 1), holder(11, 10), holder(12, 10)]), 2);
    }

    #[test]
    fn a_name_with_parentheses_is_parsed() {
        let stat = "17 (a) b (c)) S 4 5 6 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 987 0";
        let parsed = ProcessStat::parse(17, stat).expect("it is a line of `stat`");
        assert_eq!(
            (parsed.name.as_str(), parsed.parent, parsed.group, parsed.started),
            ("a) b (c)", 4, 5, 987)
        );
    }
}
