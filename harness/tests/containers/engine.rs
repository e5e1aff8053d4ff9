//! The engine as its own command shows it, and what belongs to one process.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unbroken::runtime::container::ImagePurpose;

const SOON: Duration = Duration::from_secs(40);

/// Returns whether the engine and the images are here; prints what is missing, or fails.
pub fn has(parts: &[ImagePurpose]) -> bool {
    let missing = || {
        docker(&["info"])?;
        parts.iter().try_for_each(|part| image_of(*part))
    };
    missing().map_or_else(|why: String| skip(&why), |()| true)
}

fn image_of(part: ImagePurpose) -> Result<(), String> {
    let named = std::env::var(part.variable()).ok();
    let usual = [Some(part.built_here()), part.public()].into_iter().flatten().map(|image| image.0);
    let mut names = named.into_iter().chain(usual);
    let found = names.any(|name| docker(&["image", "inspect", &name]).is_ok());
    let word = part.word();
    found
        .then_some(())
        .ok_or_else(|| format!("no image for `{word}`: `fixtures/images/build {word}` makes one"))
}

/// Prints one line past the capture of the test runner; returns `false`.
#[allow(
    clippy::explicit_write,
    reason = "what `eprintln` writes is swallowed by the capture of the test runner"
)]
pub fn skip(why: &str) -> bool {
    let required = std::env::var_os("UNBROKEN_REQUIRE_ENGINE").is_some_and(|value| value == "1");
    assert!(!required, "no containers can be tested here: {why}");
    let test = std::thread::current().name().unwrap_or("containers").to_owned();
    std::io::stderr().write_all(format!("skipped: {test}: {why}\n").as_bytes()).unwrap();
    false
}

/// Returns the output of the command, or its last line when it fails.
pub fn docker(arguments: &[&str]) -> Result<String, String> {
    let shown = format!("docker {}", arguments.first().unwrap_or(&""));
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("no container engine: {shown}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("no container engine: {shown}: {}", text.lines().last().unwrap_or_default()))
}

/// Waits for a condition that can only be polled.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} within {SOON:?}");
        std::thread::yield_now();
    }
}

/// A container of a process, as its labels have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    pub id: String,
    pub part: String,
    pub is_running: bool,
}

/// Returns the containers that this process has started.
pub fn containers(process: u32) -> BTreeSet<Container> {
    let format = r#"{{.ID}} {{.Label "unbroken.owner"}} {{.State}} {{.Label "unbroken.part"}}"#;
    let listed = docker(&["ps", "--all", "--filter", "label=unbroken.run", "--format", format]).unwrap();
    let container = |line: &str| {
        let (id, rest) = line.split_once(' ')?;
        let (owner, rest) = rest.split_once(' ')?;
        let (state, part) = rest.split_once(' ')?;
        is_of(owner, process).then(|| Container {
            id: id.to_owned(),
            part: part.to_owned(),
            is_running: state == "running",
        })
    };
    listed.lines().filter_map(container).collect()
}

fn networks(process: u32) -> BTreeSet<String> {
    let format = r#"{{.Name}} {{.Label "unbroken.owner"}}"#;
    let listed = docker(&["network", "ls", "--filter", "label=unbroken.run", "--format", format]).unwrap();
    let lines = listed.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(_, owner)| is_of(owner, process)).map(|(name, _)| name.to_owned()).collect()
}

/// `HOST/BOOT/NAMESPACE/PROCESS/STARTED`.
fn is_of(owner: &str, process: u32) -> bool {
    owner.split('/').nth(3) == Some(process.to_string().as_str())
}

/// Returns the containers, networks and volumes of this process that still exist; `volumes` are those seen before.
pub fn left(process: u32, volumes: &BTreeSet<String>) -> Vec<String> {
    let containers = containers(process).into_iter().map(|one| format!("container {}", one.part));
    let networks = networks(process).into_iter().map(|name| format!("network {name}"));
    let volumes = volumes.iter().filter(|name| docker(&["volume", "inspect", name]).is_ok());
    containers.chain(networks).chain(volumes.map(|name| format!("volume {name}"))).collect()
}
