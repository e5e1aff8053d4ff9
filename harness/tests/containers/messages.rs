//! Errors of containers: one message, which names the cause and the next step; exit 5, never a fail of the scenario.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};

use super::engine;
use super::shop::{self, SHOP};
use super::{Folder, INCONCLUSIVE, USAGE, printed, unbroken};

/// A story whose only service is the image, with these keys.
fn story(keys: &str) -> String {
    format!(
        "scenario: errors\nnodes:\n  shop: {{ {keys} }}\nhops:\n  order: {{ http: {{ from: client, to: shop }} }}\n\
         drive:\n  - {{ send: order }}\n"
    )
}

fn relays() -> &'static str {
    "scenario: relays\nnodes:\n  shop: { relay: model }\nhops:\n  order: { http: { from: client, to: shop } }\n\
     drive:\n  - { send: order }\n"
}

fn run(folder: &Folder, scenario: &str) -> Output {
    folder.write("errors.yaml", scenario);
    unbroken(&folder.0).args(["run", "errors.yaml"]).output().unwrap()
}

/// Asserts that the run is inconclusive and prints each of the parts; line breaks do not count.
pub fn assert_prints(output: &Output, parts: &[&str]) {
    let all = printed(output);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(INCONCLUSIVE), "{all}");
    for part in parts {
        assert!(words(&all).contains(&words(part)), "`{part}` in {all}");
    }
    assert!(!all.contains("FAIL") && !all.contains("panicked"), "{all}");
}

#[test]
fn a_missing_engine_is_reported_once_with_how_to_do_without() {
    let folder = Folder::new("no-engine");
    folder.write("relays.yaml", relays());
    let mut command = unbroken(&folder.0);
    command.args(["run", "relays.yaml", "--runtime", "container"]);
    let output = command.env("DOCKER_HOST", "unix:///nowhere.sock").output().unwrap();
    assert_prints(&output, &["unix:///nowhere.sock", "start Docker", "omit `--runtime container`"]);
    assert_eq!(printed(&output).matches("start Docker").count(), 1);
}

#[test]
fn the_command_that_repeats_a_case_names_runtime_and_images_too() {
    let folder = Folder::new("again");
    folder.write("relays.yaml", relays());
    let mut command = unbroken(&folder.0);
    command.args(["run", "relays.yaml", "--runtime", "container", "--image", "kafka=mine:1", "--report"]);
    let output = command.arg("terminal=-").env("DOCKER_HOST", "unix:///nowhere.sock").output().unwrap();
    let again = "unbroken run relays.yaml --filter relays --runtime container --image kafka=mine:1";
    assert_prints(&output, &["run again", again]);
}

#[test]
fn an_image_that_nothing_would_start_is_a_usage_error() {
    let folder = Folder::new("image-unused");
    folder.write("relays.yaml", relays());
    let output =
        unbroken(&folder.0).args(["run", "relays.yaml", "--image", "kafka=mine:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(USAGE), "{}", printed(&output));
    assert!(printed(&output).contains("add `--runtime container`"), "{}", printed(&output));
}

#[test]
fn an_image_node_without_an_engine_names_the_node() {
    let folder = Folder::new("image-no-engine");
    folder.write("errors.yaml", &story(&format!("image: {SHOP}, port: 8080")));
    let mut command = unbroken(&folder.0);
    command.args(["run", "errors.yaml"]).env("DOCKER_HOST", "unix:///nowhere.sock");
    assert_prints(&command.output().unwrap(), &["node `shop`", "unix:///nowhere.sock", "start Docker"]);
}

#[test]
fn a_denied_permission_is_reported_with_the_group() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let folder = Folder::new("no-permission");
    folder.write("relays.yaml", relays());
    let socket = folder.0.join("engine.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups", env!("CARGO_BIN_EXE_unbroken"), "--version"]);
    if !is_root || !command.output().is_ok_and(|output| output.status.success()) {
        engine::skip("only root can start this build as another user");
        return;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--clear-groups", env!("CARGO_BIN_EXE_unbroken")]).current_dir(&folder.0);
    command.args(["run", "relays.yaml", "--runtime", "container"]);
    let output = command.env("DOCKER_HOST", format!("unix://{}", socket.display())).output().unwrap();
    assert_prints(
        &output,
        &["engine.sock", "permission denied connecting to the container engine", "group `docker`"],
    );
}

#[test]
fn a_missing_image_is_named_with_how_to_get_it() {
    if !engine::has(&[]) {
        return;
    }
    let folder = Folder::new("no-image");
    let output = run(&folder, &story("image: \"unbroken-nothing:1\", port: 8080"));
    assert_prints(
        &output,
        &["node `shop`", "`unbroken-nothing:1` is not on this machine", "build or load it"],
    );
    let output = run(&folder, &story("image: \"localhost:1/nobody/nothing:2\", port: 8080"));
    assert_prints(
        &output,
        &["node `shop`", "`localhost:1/nobody/nothing:2` is not on this machine", "build or load it"],
    );
    folder.write("relays.yaml", relays());
    let mut command = unbroken(&folder.0);
    command.args([
        "run",
        "relays.yaml",
        "--runtime",
        "container",
        "--image",
        "relay-model=unbroken-nothing:1",
    ]);
    assert_prints(
        &command.output().unwrap(),
        &["node `shop`", "`unbroken-nothing:1` is not on this machine", "`--image`"],
    );
    let mut command = unbroken(&folder.0);
    command.args(["run", "relays.yaml", "--runtime", "container"]);
    let output = command.env("UNBROKEN_IMAGE_RELAY_MODEL", "unbroken-nothing:2").output().unwrap();
    assert_prints(&output, &["node `shop`", "`unbroken-nothing:2` is not on this machine"]);
}

#[test]
fn an_image_is_pulled_once_however_many_cases_need_it() {
    if !engine::has(&[]) {
        return;
    }
    let folder = Folder::new("one-pull");
    let scenario = story("image: \"localhost:1/nobody/nothing:3\", port: 8080");
    let output = run(&folder, &scenario.replace("send: order", "send: order, sampled: [true, false]"));
    assert_prints(&output, &["2 cases: 2 could not run"]);
    assert_eq!(
        printed(&output).matches("pulling localhost:1/nobody/nothing:3").count(),
        1,
        "{}",
        printed(&output)
    );
}

#[test]
fn a_container_that_ends_at_once_shows_its_status_and_its_last_lines() {
    if !shop::is_here(&[]) {
        return;
    }
    let folder = Folder::new("ends");
    let args = r#"args: [sh, -c, "echo no database >&2; exit 3"]"#;
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, {args}")));
    assert_prints(
        &output,
        &["node `shop`", SHOP, "ended before it was ready", "exit status 3", "no database"],
    );
    let much = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo no database >&2; exit 3";
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, args: [sh, -c, '{much}']")));
    assert_prints(&output, &["exit status 3", "lines before these", "no database"]);
    let args = r#"args: ["true"]"#;
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, {args}")));
    assert_prints(&output, &["exit status 0", "it printed nothing", &format!("`docker run {SHOP}`")]);
    let args = r#"args: [/no/such/program]"#;
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, {args}")));
    assert_prints(&output, &["node `shop`", SHOP, "/no/such/program"]);
}

#[test]
fn a_container_that_never_becomes_ready_is_reported_with_what_to_correct() {
    if !shop::is_here(&[]) {
        return;
    }
    let folder = Folder::new("never");
    let args = r#"args: [sh, -c, "echo warming up; exec sleep 600"], ready-within: 1s"#;
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, {args}")));
    assert_prints(
        &output,
        &["node `shop`", SHOP, "not ready within 1 s", "`port:`", "`ready-within:`", "warming up"],
    );
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8081, ready-within: 2s")));
    assert_prints(&output, &["node `shop`", "not ready within 2 s", "correct `port:`", "shop is open"]);
    let ready = "ready: { output: no such line }, ready-within: 2s";
    let output = run(&folder, &story(&format!("image: {SHOP}, port: 8080, {ready}")));
    assert_prints(
        &output,
        &["node `shop`", "not ready within 2 s", "check what it prints, correct `ready:`", "shop is open"],
    );
}

#[test]
fn a_file_that_cannot_be_mounted_is_named_with_its_line() {
    if !shop::is_here(&[]) {
        return;
    }
    let folder = Folder::new("mounts");
    let mount = |from: &str, templates: bool| {
        let mount = format!("{{ from: {from}, to: /etc/shop.conf, templates: {templates} }}");
        story(&format!("image: {SHOP}, port: 8080, mounts: [{mount}]"))
    };
    for templates in [false, true] {
        let output = run(&folder, &mount("nothing.conf", templates));
        assert_prints(&output, &["node `shop`", "nothing.conf`", "correct `from:` of `mounts:`"]);
    }
    folder.write("wrong.conf", "first = 1\nsecond = ${ledgr.url}\n");
    let output = run(&folder, &mount("wrong.conf", true));
    assert_prints(&output, &["node `shop`", "wrong.conf`", "line 2", "`${ledgr.url}`"]);
    folder.write("latin.conf", "");
    std::fs::write(folder.0.join("latin.conf"), [0xe9, b'\n']).unwrap();
    let output = run(&folder, &mount("latin.conf", true));
    assert_prints(&output, &["node `shop`", "latin.conf`", "not UTF-8", "omit `templates: true`"]);
    let output = run(&folder, &mount("./", true));
    assert_prints(&output, &["node `shop`", "it is a folder"]);
}
