//! The command over real processes: however it ends, nothing that it started stays, and its exit status says why.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;

use std::process::{Child, Output};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use folder::{Folder, unbroken};

const SOON: Duration = Duration::from_secs(20);

impl Folder {
    /// Writes a story whose only service is this shell script.
    fn scenario(&self, script: &str, ready: &str) {
        let command = format!("[sh, -c, '{script}']");
        self.write("ending.yaml", &scenario(&command, ready));
    }
}

fn scenario(command: &str, ready: &str) -> String {
    format!(
        "scenario: ending\nnodes:\n  shop: {{ command: {command}, env: {{ PORT: '${{self.port}}' }}, \
         ready: {ready} }}\nhops:\n  order: {{ http: {{ from: client, to: shop }} }}\ndrive:\n  - send: order\n"
    )
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    unbroken(&folder.0).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits for a condition that can only be polled, such as the end of a process that is not ours.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} within {SOON:?}");
        std::thread::yield_now();
    }
}

fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

/// Returns the processes of the service, of a child that it left in the background, and of one in a session of its own.
fn pids(folder: &Folder) -> Vec<i32> {
    let read = || std::fs::read_to_string(folder.0.join("pids")).unwrap_or_default();
    until("the service is up", || read().lines().count() == 3);
    read().lines().map(|pid| pid.parse().unwrap()).collect()
}

/// Starts a service that never becomes ready and ignores signals.
fn start_stubborn(folder: &Folder) -> (Child, Vec<i32>) {
    let script = r#"trap "" TERM INT HUP; sleep 600 & a=$!; setsid sleep 600 & printf "%s\n" $$ $a $! >pids; while :; do sleep 1; done"#;
    folder.scenario(script, "{ output: never }");
    let harness = unbroken(&folder.0).args(["run", "ending.yaml"]).spawn().unwrap();
    let pids = pids(folder);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    (harness, pids)
}

fn send(harness: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(harness.id()).unwrap()), signal).unwrap();
}

#[test]
fn nothing_stays_when_the_harness_is_killed() {
    let folder = Folder::new("kill");
    let (mut harness, pids) = start_stubborn(&folder);
    send(&harness, Signal::SIGKILL);
    harness.wait().unwrap();
    until("service and grandchild are gone", || !pids.iter().any(|pid| is_alive(*pid)));
}

#[test]
fn an_interrupted_run_prints_that_and_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = Folder::new(signal.as_str());
        let (harness, pids) = start_stubborn(&folder);
        let begun = Instant::now();
        send(&harness, signal);
        let output = harness.wait_with_output().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(output.status.code(), Some(5));
        assert!(text(&output.stdout).contains("interrupted"), "{}", text(&output.stdout));
        until("service and grandchild are gone", || !pids.iter().any(|pid| is_alive(*pid)));
    }
}

#[test]
fn a_service_that_dies_at_start_is_inconclusive_with_one_clear_line() {
    let folder = Folder::new("dies");
    folder.scenario("echo no database; exit 3", "{ tcp: true }");
    let output = run(&folder, &["run", "ending.yaml"]);
    assert_eq!(output.status.code(), Some(5));
    let printed = text(&output.stdout);
    for part in ["node `shop`", "exit status 3", "no database"] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
}

/// The service looks for what the helper does before it is ready, and says by its status whether it was there.
#[test]
fn a_node_is_started_when_the_helper_that_it_needs_is_ready() {
    let folder = Folder::new("helper");
    let story = scenario("[sh, -c, 'test -f up && exit 7; exit 9']", "{ tcp: true }");
    let helper = "nodes:\n  db:\n    command: [sh, -c, 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; touch up; echo up; \
                  exec sleep 600']\n    ready: { output: up }\n";
    let needs = story.replace("nodes:\n", helper).replace("ready: { tcp: true }", "needs: [db]");
    folder.write("ending.yaml", &needs);
    let ended = run(&folder, &["run", "ending.yaml"]);
    let shown = text(&ended.stdout);
    assert!(shown.contains("node `shop`") && shown.contains("exit status 7"), "{shown}");
}

#[test]
fn a_missing_program_is_inconclusive_with_one_clear_line() {
    let folder = Folder::new("missing");
    folder.write("s.yaml", &scenario("[no-such-program]", "{ tcp: true }"));
    let output = run(&folder, &["run", "s.yaml"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(
        text(&output.stdout).contains("the program `no-such-program` is not in PATH"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_usage_error_and_a_bad_file_have_exit_statuses_of_their_own() {
    let folder = Folder::new("status");
    assert_eq!(run(&folder, &["run", "--no-such-flag"]).status.code(), Some(2));
    assert_eq!(run(&folder, &["run", "no-such-file.yaml"]).status.code(), Some(2));
    assert_eq!(run(&folder, &["run", "."]).status.code(), Some(6));
    folder.write("bad.yaml", "scenario: bad\nnods: {}\n");
    let output = run(&folder, &["run", "bad.yaml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("did you mean `nodes`"), "{}", text(&output.stderr));
    folder.scenario("exit 0", "{ tcp: true }");
    assert_eq!(run(&folder, &["list", "ending.yaml", "--filter", "other"]).status.code(), Some(6));
    assert_eq!(run(&folder, &["check", "ending.yaml"]).status.code(), Some(0));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::new("head");
    for arguments in [["explain"].as_slice(), &["schema"], &["--help"], &["completions", "bash"]] {
        let mut harness = unbroken(&folder.0).args(arguments).spawn().unwrap();
        drop(harness.stdout.take());
        let output = harness.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn the_scenario_of_init_is_valid_and_never_overwritten() {
    let folder = Folder::new("init");
    assert_eq!(run(&folder, &["init"]).status.code(), Some(0));
    let checked = run(&folder, &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert_eq!(run(&folder, &["init"]).status.code(), Some(2));
}

#[test]
fn cases_whose_names_look_alike_keep_evidence_and_output_of_their_own() {
    let folder = Folder::new("alike");
    let titles = ["a/b", "a-b", "A-b"];
    for (number, title) in titles.iter().enumerate() {
        let scenario = format!(
            "scenario: {title}\nnodes:\n  shop: {{ relay: model }}\nhops:\n  order: {{ http: {{ from: client, to: shop }} }}\n\
             drive:\n  - send: order\n"
        );
        folder.write(&format!("{number}.yaml"), &scenario);
    }
    let output = run(&folder, &["run", ".", "--keep-evidence", "kept"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let names = std::fs::read_dir(folder.0.join("kept")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap().to_lowercase()).collect();
    names.sort();
    names.dedup();
    for ending in [".json", ".shop.log"] {
        assert_eq!(names.iter().filter(|name| name.ends_with(ending)).count(), titles.len(), "{names:?}");
    }
}
