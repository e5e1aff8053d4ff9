//! A run leaves nothing behind, however it ends.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use unbroken::runtime::container::ImagePurpose;

use super::engine;
use super::shop::{self, SHOP};
use super::{FAIL, Folder, INCONCLUSIVE, PASS, printed, root, unbroken};

const PARTS: &[ImagePurpose] = &[ImagePurpose::RelayModel, ImagePurpose::Sqs];

/// Returns a story that hangs: its image never becomes ready. Five containers: the pod of the relays, two relays, a
/// broker, and the image, which ignores SIGTERM.
fn hanging() -> String {
    format!(
        "scenario: hangs\nnodes:\n  edge: {{ relay: model }}\n  desk: {{ relay: model }}\n  outbox: {{ sqs: {{}} }}\n  \
         shop: {{ image: {SHOP}, port: 8080, args: [sleep, '600'], ready-within: 10m }}\nhops:\n  \
         order: {{ http: {{ from: client, to: edge }} }}\n  ask: {{ http: {{ from: edge, to: shop }} }}\n  \
         keep: {{ sqs: {{ from: edge, to: desk, via: outbox, queue: kept }} }}\ndrive:\n  - {{ send: order }}\n"
    )
}

/// A run that is under way.
struct StartedRun {
    child: Option<Child>,
    mark: String,
    _folder: Folder,
}

/// By what its leftovers are recognised.
struct RunTrace {
    process: u32,
    mark: String,
    volumes: BTreeSet<String>,
}

impl StartedRun {
    fn hanging(test: &str) -> StartedRun {
        StartedRun::with(test, |_| {})
    }

    fn with(test: &str, change: impl FnOnce(&mut Command)) -> StartedRun {
        let folder = Folder::new(test);
        folder.write("hangs.yaml", &hanging());
        let mark = mark();
        let mut command = unbroken(&folder.0);
        command.args(["run", "hangs.yaml", "--runtime", "container"]).env(MARK, &mark);
        change(&mut command);
        StartedRun { child: Some(command.spawn().unwrap()), mark: format!("{MARK}={mark}"), _folder: folder }
    }

    /// Waits until so many containers run.
    fn up(&self, many: usize) -> RunTrace {
        let process = self.id();
        let running =
            || engine::containers(process).into_iter().filter(|container| container.is_running).count();
        engine::until("the containers are up", || running() >= many);
        RunTrace { process, mark: self.mark.clone(), volumes: volumes(process) }
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn ended(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

/// A test that fails leaves no run behind.
impl Drop for StartedRun {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.send(Signal::SIGTERM);
        }
    }
}

/// A variable that marks everything that a run starts on this machine.
const MARK: &str = "UNBROKEN_TEST_RUN";

fn mark() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl RunTrace {
    fn left(&self) -> Vec<String> {
        let mut left = engine::left(self.process, &self.volumes);
        left.extend(processes(&self.mark).into_iter().map(|line| format!("process {line}")));
        left
    }

    fn nothing_left_soon(&self) {
        engine::until("nothing is left", || self.left().is_empty());
    }
}

/// Returns the anonymous volumes of the containers of this process.
fn volumes(process: u32) -> BTreeSet<String> {
    let format = r#"{{range .Mounts}}{{.Name}} {{end}}"#;
    let inspect = |one: engine::Container| {
        engine::docker(&["inspect", "--format", format, &one.id]).unwrap_or_default()
    };
    let names = engine::containers(process).into_iter().map(inspect).collect::<String>();
    names.split_whitespace().map(str::to_owned).collect()
}

/// Returns the processes of this machine that have `mark` in their environment.
fn processes(mark: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let marked = all.filter(|path| {
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    marked.map(|path| std::fs::read_to_string(path.join("cmdline")).unwrap_or_default()).collect()
}

#[test]
fn a_run_that_is_signalled_leaves_nothing() {
    if !shop::is_here(PARTS) {
        return;
    }
    // During the start, and when all containers are up.
    for (signal, many) in [(Signal::SIGINT, 3), (Signal::SIGTERM, 1), (Signal::SIGHUP, 5)] {
        let begun = StartedRun::hanging(signal.as_str());
        let seen = begun.up(many);
        begun.send(signal);
        let output = begun.ended();
        let containers = engine::left(seen.process, &seen.volumes);
        assert_eq!(containers, Vec::<String>::new(), "{signal} {}", printed(&output));
        assert_eq!(output.status.code(), Some(INCONCLUSIVE), "{}", printed(&output));
        assert!(printed(&output).contains("interrupted"), "{}", printed(&output));
        assert!(!printed(&output).contains("was left"), "{}", printed(&output));
        // The guard's shell reads the end of its pipe.
        seen.nothing_left_soon();
    }
}

#[test]
fn a_run_that_is_killed_has_its_containers_removed_by_its_guard() {
    if !shop::is_here(PARTS) {
        return;
    }
    let begun = StartedRun::hanging("killed");
    let seen = begun.up(5);
    assert!(!seen.volumes.is_empty(), "the image has a volume");
    begun.send(Signal::SIGKILL);
    begun.ended();
    seen.nothing_left_soon();
}

#[test]
fn the_next_start_removes_what_a_dead_run_left_and_leaves_a_living_run_alone() {
    if !shop::is_here(PARTS) {
        return;
    }
    let living = StartedRun::hanging("living");
    // Its guard has no `docker` command.
    let dead = StartedRun::with("dead", |command| {
        command.env("PATH", "/no/such/folder");
    });
    let (seen_living, seen_dead) = (living.up(5), dead.up(3));
    dead.send(Signal::SIGKILL);
    dead.ended();
    let folder = Folder::new("next");
    let scenario = root().join("scenarios/01-one-request.yaml");
    let mut command = unbroken(&folder.0);
    command.arg("run").arg(scenario).args([
        "--runtime",
        "container",
        "--filter",
        "shop.relay=model,ledger.relay=model",
    ]);
    let next = command.spawn().unwrap();
    let process = next.id();
    let output = next.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(PASS), "{}", printed(&output));
    assert_eq!(engine::left(process, &BTreeSet::new()), Vec::<String>::new(), "of the next run itself");
    assert_eq!(engine::left(seen_dead.process, &seen_dead.volumes), Vec::<String>::new(), "of the dead run");
    assert_eq!(engine::containers(seen_living.process).len(), 5, "of the living run");
    living.send(Signal::SIGTERM);
    let output = living.ended();
    assert_eq!(output.status.code(), Some(INCONCLUSIVE), "{}", printed(&output));
    seen_living.nothing_left_soon();
    seen_dead.nothing_left_soon();
}

#[test]
fn a_failed_verdict_leaves_nothing() {
    if !engine::has(&[ImagePurpose::RelayModel, ImagePurpose::RabbitMq]) {
        return;
    }
    let folder = Folder::new("failed");
    let mut command = unbroken(&folder.0);
    command.arg("run").arg(root().join("scenarios/17-retry-and-dead-letter.yaml"));
    command.args(["--runtime", "container", "--filter", "[relay=model]", "--fault", "shop=inject-nothing"]);
    let child = command.spawn().unwrap();
    let process = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(FAIL), "{}", printed(&output));
    assert!(printed(&output).contains("not-injected  at `notify`"), "{}", printed(&output));
    assert_eq!(engine::left(process, &BTreeSet::new()), Vec::<String>::new());
}
