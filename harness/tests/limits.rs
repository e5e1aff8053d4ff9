//! The command at the limits of the machine: few file descriptors, and bodies that are larger than its memory should
//! be.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;

use std::os::unix::process::CommandExt;
use std::process::Output;

use folder::{Folder, unbroken};
use nix::sys::resource::{Resource, setrlimit};

const SERVICE: &str = include_str!("limits/service.py");

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs the shipped scenarios, as many as the filter selects, with a limit of file descriptors.
fn run_with(descriptors: u64, filter: &str) -> Output {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
    let folder = Folder::new(&format!("descriptors-{descriptors}"));
    let mut command = unbroken(&folder.0);
    command.args(["run", scenarios]);
    if !filter.is_empty() {
        command.args(["--filter", filter]);
    }
    // SAFETY: between fork and exec only setrlimit(2) is called, which is async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            setrlimit(Resource::RLIMIT_NOFILE, descriptors, descriptors).map_err(std::io::Error::from)
        });
    }
    command.output().unwrap()
}

#[test]
fn a_case_that_needs_more_descriptors_than_there_are_could_not_run() {
    let output = run_with(64, "sixty-four-at-once");
    let printed = text(&output);
    assert_eq!(output.status.code(), Some(5), "{printed}");
    for part in ["2 could not run", "file descriptors, and the limit is 64", "`ulimit -n "] {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
    assert!(!printed.contains("panicked"), "{printed}");
}

#[test]
fn the_shipped_cases_pass_or_could_not_run_whatever_the_limit() {
    for (descriptors, passing) in [(64, 10), (256, 50)] {
        let printed = text(&run_with(descriptors, ""));
        let mut sums = printed.lines().filter_map(|line| line.split_once(" cases: "));
        let sum = sums.rfind(|(count, _)| count.parse::<u32>().is_ok()).unwrap_or_default().1;
        let counts = sum.split("  ").next().unwrap_or_default();
        assert!(!counts.is_empty(), "{printed}");
        let mut of = counts.split(", ").filter_map(|part| part.split_once(' '));
        assert!(
            of.clone().all(|(_, verdict)| ["could not run", "pass", "known"].contains(&verdict)),
            "{printed}"
        );
        let passed =
            of.find(|(_, verdict)| *verdict == "pass").and_then(|(count, _)| count.parse::<u32>().ok());
        assert!(passed >= Some(passing), "{descriptors}: {printed}");
    }
}

/// Returns the largest resident size that any child of this test had, in MiB.
fn peak_of_children() -> u64 {
    // SAFETY: `usage` is valid for writes, and zero is a valid value of every field.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage), 0);
        usage
    };
    u64::try_from(usage.ru_maxrss).unwrap() / 1024
}

#[test]
fn a_body_that_a_stub_receives_is_not_kept() {
    let folder = Folder::new("body");
    folder.write("service.py", SERVICE);
    folder.write(
        "story.yaml",
        "scenario: body\nnodes:\n  shop:\n    command: [python3, service.py, '${self.port}']\n    \
         telemetry: none\n    env: { CALLS: '${shelf.url}', BODY_MIB: '600' }\n  shelf: { stub: {} }\nhops:\n  \
         order: { http: { from: client, to: shop, method: POST } }\n  \
         keep: { http: { from: shop, to: shelf, method: POST, path: /kept } }\ndrive:\n  - { send: order }\n\
         expect: [hops.crossed]\n",
    );
    let output = unbroken(&folder.0).args(["run", "story.yaml", "--timeout", "60s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(peak_of_children() < 200, "{} MiB", peak_of_children());
}
