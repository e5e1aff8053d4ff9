//! The command as a user starts it, from process start to exit, including nodes, taps, collector and judging.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::table::{Samples, Table};

/// The stimuli of `under-load.yaml` times its hops.
const CROSSINGS: f64 = 20_000.0;

pub fn start_to_verdict(table: &mut Table) {
    let bare = Samples::take(2, 21, || command(&["--version".as_ref()]));
    table.row("process start to exit of `--version`", &bare, None);
    let one = Samples::take(2, 21, || run(&ours("one-request.yaml")));
    table.row(
        "one HTTP scenario, one model relay: process start to verdict",
        &one,
        Some(Duration::from_millis(150)),
    );
    let two = Samples::take(2, 21, || run(&ours("two-nodes.yaml")));
    table.row("the same with two model relays", &two, Some(Duration::from_millis(150)));
}

pub fn shipped_set(table: &mut Table) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let all = Samples::take(1, 7, || run(&shipped));
    table.row("`unbroken run scenarios/`", &all, Some(Duration::from_secs(6)));
}

pub fn under_load(table: &mut Table) {
    let scenario = ours("under-load.yaml");
    let loaded = Samples::take(0, 5, || run(&scenario));
    table.rate("judged crossings at concurrency 64, both relays included", CROSSINGS, &loaded, 5_000.0);
}

fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed").join(name)
}

fn run(path: &Path) {
    command(&["run".as_ref(), path.as_os_str(), "--seed".as_ref(), "7".as_ref()]);
}

/// Runs the command. Anything but a pass is not a measurement.
pub fn command(arguments: &[&std::ffi::OsStr]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("the command was built");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
}
