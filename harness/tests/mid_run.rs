//! The command over services that die or hang in the middle of a run, call each other in a circle, or share a fixed
//! port: what was seen is judged, and no innocent node is blamed.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;
mod held_port;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use folder::{Folder, unbroken};
use held_port::HeldPort;

const SERVICE: &str = include_str!("mid_run/service.py");

/// Runs the story and returns its exit status and what it printed.
fn run(name: &str, story: &str) -> (Option<i32>, String) {
    let folder = Folder::new(name);
    folder.write("service.py", SERVICE);
    folder.write("story.yaml", story);
    let output = unbroken(&folder.0).args(["run", "story.yaml", "--seed", "7"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), printed.into_owned())
}

fn assert_has(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
}

/// A desk that hands things over to a shelf, and dies on its second request.
fn desk(settings: &str, rules: &str) -> String {
    format!(
        "scenario: desk\nnodes:\n  desk:\n    command: [python3, service.py, '${{self.port}}']\n    \
         env: {{ CALLS: '${{shelf.url}}/kept', DIE_AFTER: '1'{settings} }}\n  shelf: {{ stub: {{}} }}\nhops:\n  \
         hand-in: {{ http: {{ from: client, to: desk, method: POST, path: /things }} }}\n  \
         hand-over: {{ http: {{ from: desk, to: shelf, method: POST, path: /kept }} }}\ndrive:\n  \
         - {{ send: hand-in, times: 2 }}\nexpect: [{rules}]\n"
    )
}

#[test]
fn a_break_before_a_death_is_a_finding() {
    let begun = Instant::now();
    let (status, printed) =
        run("death-broken", &desk(", KEEP_CONTEXT: 'no'", "hops.crossed, hops.keep-relation"));
    assert_eq!(status, Some(4), "{printed}");
    assert_has(
        &printed,
        &[
            "not-injected",
            "hand-over",
            "it exited during the run (exit status 7)",
            "out of memory, giving up",
        ],
    );
    assert!(begun.elapsed() < Duration::from_secs(9), "nothing is waited for from a dead node: {printed}");
}

#[test]
fn a_death_alone_is_inconclusive_with_the_last_output() {
    let (status, printed) = run("death-alone", &desk("", "hops.crossed"));
    assert_eq!(status, Some(5), "{printed}");
    assert_has(&printed, &["it exited during the run (exit status 7)", "out of memory, giving up"]);
    assert!(!printed.contains("cannot connect"), "what follows from the death is not listed: {printed}");
    assert_eq!(printed.matches("out of memory, giving up").count(), 1, "{printed}");
}

#[test]
fn a_node_that_answered_and_died_before_its_call_owes_nothing() {
    let story = desk(", CALL_AFTER: '5'", "hops.crossed");
    let (status, printed) = run("death-owes", &story);
    assert_eq!(status, Some(5), "{printed}");
    assert_has(&printed, &["hand-over", "a flush of `desk`: it exited during the run (exit status 7)"]);
}

#[test]
fn a_hop_with_a_misspelled_path_names_the_call_that_was_seen() {
    let story = desk("", "hops.crossed")
        .replace("path: /kept", "path: /kpet")
        .replace("DIE_AFTER: '1'", "DIE_AFTER: '100'");
    let (status, printed) = run("misspelled", &format!("timeout: 2s\n{story}"));
    assert_eq!(status, Some(4), "{printed}");
    assert_has(&printed, &["`desk` called `shelf` with `POST /kept`, which no hop declares"]);
}

/// A shop on a fixed port, in two cases.
fn fixed(port: u16) -> String {
    format!(
        "scenario: fixed\nnodes:\n  shop:\n    command: [python3, service.py, '{port}']\n    port: {port}\n    \
         telemetry: none\n    env: {{ CALLS: '${{bank.url}}/pay' }}\n  bank: {{ stub: {{}} }}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}\n  \
         pay: {{ http: {{ from: shop, to: bank, method: POST, path: /pay }} }}\ndrive:\n  \
         - {{ send: order, times: 5, sampled: [true, false] }}\nexpect: [hops.crossed]\n"
    )
}

#[test]
fn cases_that_share_a_fixed_port_take_turns() {
    let port = HeldPort::any();
    let (status, printed) = run("fixed", &fixed(port.number()));
    assert_eq!(status, Some(0), "{printed}");
    assert_has(&printed, &["pass  fixed [sampled=false]", "pass  fixed [sampled=true]"]);
}

#[test]
fn a_fixed_port_in_use_is_an_error_of_the_machine_that_names_the_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (status, printed) = run("taken", &fixed(port));
    assert_eq!(status, Some(5), "{printed}");
    assert_has(&printed, &[&format!("port {port} is already in use by `"), &std::process::id().to_string()]);
}

#[test]
fn a_listener_that_is_no_child_of_ours_is_an_error_of_the_machine() {
    let folder = Folder::new("foreign");
    let held = HeldPort::any();
    let port = held.number();
    // The program never listens; another one does, as soon as it runs.
    let story = fixed(port).replace("[python3, service.py, ", "[sh, -c, 'echo up >up; exec sleep 600', ");
    folder.write("story.yaml", &story);
    let harness =
        unbroken(&folder.0).args(["run", "story.yaml", "--filter", "sampled=true"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !folder.0.join("up").exists() {
        assert!(Instant::now() < deadline, "the program starts");
        std::thread::yield_now();
    }
    let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let output = harness.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{printed}");
    assert_has(&printed, &[&format!("listens on port {port} in place of `sh -c")]);
}

/// Two services in a circle: the second one calls the first back, long after both have answered.
fn circle(calls_on: &str) -> String {
    format!(
        "scenario: circle\nnodes:\n  shop:\n    command: [python3, service.py, '${{self.port}}']\n    \
         env: {{ CALLS: '${{bank.url}}/pay', CALLS_ON: /orders }}\n  bank:\n    \
         command: [python3, service.py, '${{self.port}}']\n    \
         env: {{ CALLS: '${{shop.url}}/paid', CALLS_ON: {calls_on}, CALL_AFTER: '1' }}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}\n  \
         pay: {{ http: {{ from: shop, to: bank, method: POST, path: /pay }}, within: order }}\n  \
         paid: {{ http: {{ from: bank, to: shop, method: POST, path: /paid }} }}\ndrive:\n  \
         - {{ send: order, sampled: false }}\nexpect: [hops.crossed]\n"
    )
}

#[test]
fn no_service_of_a_circle_is_stopped_while_another_owes_it_a_call() {
    let (status, printed) = run("circle", &circle("/pay"));
    assert_eq!(status, Some(0), "{printed}");
}

#[test]
fn a_call_back_that_never_comes_is_a_finding() {
    let (status, printed) = run("circle-broken", &circle("/never"));
    assert_eq!(status, Some(4), "{printed}");
    assert_has(&printed, &["not-crossed", "paid"]);
}

/// A shop that pays at a bank, which takes its second payment and never answers.
fn hung_bank(settings: &str, rules: &str) -> String {
    format!(
        "scenario: hung\nnodes:\n  shop:\n    command: [python3, service.py, '${{self.port}}']\n    \
         telemetry: none\n    env: {{ CALLS: '${{bank.url}}/pay'{settings} }}\n  bank:\n    \
         command: [python3, service.py, '${{self.port}}']\n    telemetry: none\n    \
         env: {{ CALLS: '${{vault.url}}/kept', HANG_AFTER: '1' }}\n  vault: {{ stub: {{}} }}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST, path: /orders }} }}\n  \
         pay: {{ http: {{ from: shop, to: bank, method: POST, path: /pay }} }}\n  \
         keep: {{ http: {{ from: bank, to: vault, method: POST, path: /kept }} }}\ndrive:\n  \
         - {{ send: order, times: 2 }}\ntimeout: 2s\nexpect: [{rules}]\n"
    )
}

#[test]
fn a_hung_node_makes_what_needed_it_inconclusive_with_its_last_output() {
    let (status, printed) = run("hung-alone", &hung_bank("", "hops.crossed"));
    assert_eq!(status, Some(5), "{printed}");
    assert_has(&printed, &["keep", "waiting for a lock", "POST /pay from `shop` to `bank` had not ended"]);
}

#[test]
fn a_break_before_a_hung_node_is_a_finding() {
    let story = hung_bank(", KEEP_CONTEXT: 'no'", "hops.crossed, hops.keep-relation");
    let (status, printed) = run("hung-broken", &story);
    assert_eq!(status, Some(4), "{printed}");
    assert_has(&printed, &["not-injected", "pay", "waiting for a lock"]);
}
