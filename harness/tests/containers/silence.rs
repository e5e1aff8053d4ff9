//! An engine that accepts requests and does not answer: every command gives up, and reports the engine, the request,
//! the time and the next step. These tests need no engine.

use std::process::{Child, Command, Output};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::engine::until;
use super::fake::Fake;
use super::messages::assert_prints;
use super::{Folder, printed, unbroken};

/// A few requests, each of which the engine may take ten seconds for.
const SOON: Duration = Duration::from_secs(50);
/// A removal, and that of the network at the end.
const STUCK: Duration = Duration::from_secs(80);
/// The time limit after a Ctrl-C: one such request, or fifteen seconds for a container that is being created.
const AT_ONCE: Duration = Duration::from_secs(30);

const STORY: &str = "scenario: silent\nnodes:\n  shop: { relay: model }\nhops:\n  order: { http: { from: client, to: shop } }\n\
    drive:\n  - { send: order }\n";
const IMAGE: &str = "scenario: silent\nnodes:\n  shop: { image: \"shop:1\", port: 80 }\nhops:\n  order: { http: { from: client, to: shop } }\n\
    drive:\n  - { send: order }\n";

fn command(folder: &Folder, fake: &Fake, arguments: &[&str]) -> Command {
    let mut command = unbroken(&folder.0);
    // No `docker` command, which would hang as well.
    command.args(arguments).env("DOCKER_HOST", &fake.host).env("PATH", "/no/such/folder");
    command
}

fn run(folder: &Folder, fake: &Fake, story: &str) -> Command {
    folder.write("silent.yaml", story);
    command(folder, fake, &["run", "silent.yaml", "--runtime", "container"])
}

/// Returns the output of a child that ends within this time.
fn ended(child: Child, within: Duration) -> Output {
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let (sender, ended) = channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    ended.recv_timeout(within).unwrap_or_else(|_| {
        kill(process, Signal::SIGKILL).unwrap();
        panic!("it has not ended within {within:?}: {}", printed(&ended.recv().unwrap()))
    })
}

#[test]
fn a_request_without_an_answer_ends_the_command_and_is_named() {
    let asked = [
        ("run", "_ping", "a ping"),
        ("run", "containers/json", "the list of containers"),
        ("run", "networks?", "the list of networks"),
        ("run", "networks/create", "a network for the run"),
        ("run", "networks/unbroken-", "a network for the run"),
        ("run", "images/", "the image `unbroken-relay-model:"),
        ("clean", "_ping", "a ping"),
        ("clean", "containers/json", "the list of containers"),
        ("clean", "networks?", "the list of networks"),
    ];
    let begun = asked.map(|(word, hangs, what)| {
        let folder = Folder::new(&format!("silent-{word}-{}", hangs.replace(['/', '?'], "-")));
        let fake = Fake::hanging_at(hangs);
        let mut command =
            if word == "run" { run(&folder, &fake, STORY) } else { command(&folder, &fake, &[word]) };
        (command.spawn().unwrap(), fake, what, folder)
    });
    for (child, fake, what, _folder) in begun {
        let output = ended(child, SOON);
        let what = format!("did not answer a request for {what}");
        assert_prints(&output, &[&fake.host, &what, "within 10 s", "`docker info`", "DOCKER_HOST"]);
    }
}

#[test]
fn a_leftover_that_cannot_be_removed_is_reported_and_delays_no_case() {
    let (fake, folder) = (Fake::hanging_at("DELETE"), Folder::new("stuck"));
    let cleaning = command(&folder, &fake, &["clean"]).spawn().unwrap();
    let mut running = run(&folder, &fake, STORY);
    let running = running.args(["--image", "relay-model=unbroken-nothing:1"]).spawn().unwrap();
    let printed = "did not answer a request for the removal of the container `left` within 30 s";
    assert_prints(&ended(cleaning, STUCK), &[&fake.host, printed]);
    let goes_on = "`unbroken-nothing:1` is not on this machine";
    assert_prints(&ended(running, STUCK), &["cannot remove containers of an earlier run", printed, goes_on]);
}

#[test]
fn a_socket_without_answers_is_named() {
    let folder = Folder::new("silent-socket");
    let fake = Fake::on_socket(&folder.0.join("engine.sock"));
    let output = ended(run(&folder, &fake, STORY).spawn().unwrap(), SOON);
    assert_prints(&output, &["/engine.sock did not answer a request for", "within 10 s"]);
}

#[test]
fn a_run_is_interrupted_although_the_engine_hangs() {
    // The engine hangs before any case begins, in a case, at a container, and at everything after a container.
    let cases = [
        (STORY, "_ping", Fake::hanging_at("_ping")),
        (IMAGE, "_ping", Fake::hanging_at("_ping")),
        (STORY, "containers/create", Fake::hanging_at("containers/create")),
        (STORY, "containers/create", Fake::hanging_from("containers/create")),
    ];
    for (number, (story, hangs, fake)) in cases.into_iter().enumerate() {
        let folder = Folder::new(&format!("interrupted-{number}"));
        let child = run(&folder, &fake, story).spawn().unwrap();
        until("the engine is asked", || fake.was_asked(hangs));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
        let begun = Instant::now();
        let output = ended(child, AT_ONCE);
        assert_prints(&output, &["interrupted"]);
        if hangs == "_ping" {
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}: {}", begun.elapsed(), printed(&output));
        } else {
            assert_prints(
                &output,
                &["cannot remove a container or network", &fake.host, "did not answer a request for"],
            );
        }
    }
}
