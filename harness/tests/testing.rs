//! `unbroken::testing` as its users meet it: a test program with a directory of scenarios, started with the arguments
//! of `cargo test` and `cargo nextest`.
//!
//! It is two programs in one. With `SCENARIOS` set, it is the user's program. Without, it starts itself with the
//! variable and checks the output.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[cfg(feature = "container")]
#[path = "containers/engine.rs"]
mod engine;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use unbroken::testing::{Class, Run, Service, Side, Tests, Verdict, Wiring};

const PASSES: [&str; 2] = ["passes [sampled=true]", "passes [sampled=false]"];

/// The folder of the user's scenarios.
const SCENARIOS: &str = "SCENARIOS";

macro_rules! trials {
    ($($test:ident)*) => { vec![$(Trial::test(stringify!($test), || { $test(); Ok(()) })),*] };
}

fn main() -> ExitCode {
    if let Some(folder) = std::env::var_os(SCENARIOS) {
        return Tests::of(folder).in_process("here", plain_server).run();
    }
    let trials = trials! {
        each_case_is_listed_as_a_test_and_so_is_each_file_that_is_not_a_scenario
        a_case_passes_with_the_test_program_as_its_relays
        a_directory_may_have_services_of_the_test_program
        a_finding_that_the_folder_accepts_fails_no_test
        a_break_fails_its_test_and_prints_the_story
        a_file_that_is_not_a_scenario_fails_with_carets_and_a_missing_program_with_its_name
        an_inconclusive_case_fails_unless_it_is_to_be_ignored
        a_directory_without_scenarios_fails
        a_seed_that_is_not_a_number_fails_and_is_named
        evidence_is_kept_in_the_folder_that_the_environment_names
        a_builder_without_a_relay_program_reports_that_and_starts_nothing
        a_builder_that_cannot_run_reports_why
        the_environment_runs_a_directory_in_containers_and_nothing_is_left
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A service of this process that gives every request an empty answer.
async fn plain_server(_wiring: Wiring) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while matches!(stream.read(&mut request).await, Ok(1..)) {
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    Service::http(address)
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

struct ProgramEnd {
    success: bool,
    output: String,
}

fn run(scenarios: &str, arguments: &[&str], variables: &[(&str, &str)]) -> ProgramEnd {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).current_dir(folder).env(SCENARIOS, scenarios);
    for name in ["UNBROKEN_BIN", "UNBROKEN_SEED", "UNBROKEN_INCONCLUSIVE", "UNBROKEN_KEEP_EVIDENCE"] {
        command.env_remove(name);
    }
    let ended = command.envs(variables.iter().copied()).output().unwrap();
    let output = [ended.stdout, ended.stderr].concat();
    ProgramEnd { success: ended.status.success(), output: String::from_utf8(output).unwrap() }
}

fn each_case_is_listed_as_a_test_and_so_is_each_file_that_is_not_a_scenario() {
    let listed = run("testing", &["--list", "--format", "terse"], &[]);
    assert!(listed.success);
    let mut names: Vec<&str> = listed.output.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    names.sort_unstable();
    let expected = [
        "breaks",
        "cannot-run",
        "in-this-process",
        "passes [sampled=false]",
        "passes [sampled=true]",
        "testing/bad.yaml",
        "testing/twice/taken.yaml",
        "undecided",
    ];
    assert_eq!(names, expected);
    let ignored = run("testing", &["--list", "--format", "terse", "--ignored"], &[]);
    assert_eq!((ignored.success, ignored.output.as_str()), (true, ""), "nextest asks for these, too");
}

fn a_case_passes_with_the_test_program_as_its_relays() {
    for name in PASSES {
        let ran = run("testing", &["--exact", name, "--nocapture"], &[]);
        assert!(ran.success && ran.output.contains("1 passed; 0 failed"), "{}", ran.output);
    }
    let filtered = run("testing", &["passes"], &[]);
    assert!(filtered.success && filtered.output.contains("2 passed; 0 failed"), "{}", filtered.output);
}

fn a_directory_may_have_services_of_the_test_program() {
    let ran = run("testing", &["in-this-process"], &[]);
    assert!(ran.success && ran.output.contains("1 passed; 0 failed"), "{}", ran.output);
}

fn a_finding_that_the_folder_accepts_fails_no_test() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("testing-baseline");
    std::fs::create_dir_all(&folder).unwrap();
    let breaks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testing/breaks.yaml");
    std::fs::copy(breaks, folder.join("breaks.yaml")).unwrap();
    let accepted = r#"{"version": 1, "accepted": [{"scenario": "breaks", "hop": "pay", "class": "leaked",
        "side": "sender", "reason": "the bank needs it"}]}"#;
    std::fs::write(folder.join("baseline.json"), accepted).unwrap();
    let ran = run(folder.to_str().unwrap(), &[], &[]);
    assert!(ran.success && ran.output.contains("1 passed"), "{}", ran.output);
    std::fs::write(folder.join("baseline.json"), "{}").unwrap();
    let ran = run(folder.to_str().unwrap(), &[], &[]);
    assert!(!ran.success && ran.output.contains("cannot use the baseline"), "{}", ran.output);
}

fn a_break_fails_its_test_and_prints_the_story() {
    let ran = run("testing", &["--exact", "breaks"], &[("UNBROKEN_SEED", "77")]);
    assert!(!ran.success);
    for part in ["leaked", "pay", "traceparent: 00-", "UNBROKEN_SEED=77 cargo test -- --exact breaks"] {
        assert!(ran.output.contains(part), "`{part}` is missing:\n{}", ran.output);
    }
}

fn a_file_that_is_not_a_scenario_fails_with_carets_and_a_missing_program_with_its_name() {
    let bad = run("testing", &["--exact", "testing/bad.yaml"], &[]);
    assert!(!bad.success && bad.output.contains("did you mean `relay`?"), "{}", bad.output);
    assert!(bad.output.contains("^^^^^"), "{}", bad.output);
    let taken = run("testing", &["testing/twice/taken.yaml"], &[]);
    assert!(
        !taken.success && taken.output.contains("`testing/passes.yaml` has the same name"),
        "{}",
        taken.output
    );
    let cannot = run("testing", &["cannot-run"], &[]);
    assert!(!cannot.success, "{}", cannot.output);
    assert!(cannot.output.contains("the program `no-such-program` is not in PATH"), "{}", cannot.output);
}

fn an_inconclusive_case_fails_unless_it_is_to_be_ignored() {
    let fails = run("testing", &["undecided"], &[]);
    assert!(!fails.success && fails.output.contains("instead of 418"), "{}", fails.output);
    let ignored = run("testing", &["undecided"], &[("UNBROKEN_INCONCLUSIVE", "ignore")]);
    assert!(ignored.success && ignored.output.contains("1 ignored"), "{}", ignored.output);
    assert!(ignored.output.contains("instead of 418"), "{}", ignored.output);
}

fn a_directory_without_scenarios_fails() {
    for (folder, why) in [("good-scenarios/none", "cannot read"), ("../src/testing", "has no scenario file")]
    {
        let ran = run(folder, &[], &[]);
        assert!(!ran.success && ran.output.contains(why), "{}", ran.output);
    }
}

fn a_seed_that_is_not_a_number_fails_and_is_named() {
    let ran = run("testing", &["passes"], &[("UNBROKEN_SEED", "lucky")]);
    assert!(!ran.success && ran.output.contains("`UNBROKEN_SEED=lucky` is not a number"), "{}", ran.output);
}

fn evidence_is_kept_in_the_folder_that_the_environment_names() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("testing-evidence");
    let _ = std::fs::remove_dir_all(&folder);
    let ran =
        run("testing", &["--exact", PASSES[0]], &[("UNBROKEN_KEEP_EVIDENCE", folder.to_str().unwrap())]);
    assert!(ran.success, "{}", ran.output);
    assert!(folder.join("passes--sampled=true.json").exists());
}

/// This test program has the `main` of `#[test]` functions: started as a relay it would run all of this again.
fn a_builder_without_a_relay_program_reports_that_and_starts_nothing() {
    block_on(async {
        let judged = Run::file("tests/testing/passes.yaml").case("sampled=true").judge().await;
        assert_eq!(judged.verdict(), Verdict::Inconclusive);
        assert!(judged.story().contains("set `UNBROKEN_BIN`"), "{}", judged.story());
    });
}

fn a_builder_that_cannot_run_reports_why() {
    block_on(async {
        let no_case = Run::file("tests/testing/passes.yaml").case("sampled=maybe").judge().await;
        assert!(
            no_case.story().contains("its cases are `sampled=true`, `sampled=false`"),
            "{}",
            no_case.story()
        );
        let bad = Run::yaml("scenario: a").judge().await;
        assert!(bad.story().contains("error[missing-key]"), "{}", bad.story());
        let none = Run::file("tests/testing/none.yaml").judge().await;
        assert!(none.story().contains("caused by"), "{}", none.story());
        for judged in [no_case, bad, none] {
            assert_eq!(judged.verdict(), Verdict::Inconclusive);
            let asserted =
                std::panic::catch_unwind(|| judged.assert_breaks("a", Class::Leaked, Side::Sender).verdict());
            assert!(asserted.is_err());
        }
    });
}

#[cfg(not(feature = "container"))]
fn the_environment_runs_a_directory_in_containers_and_nothing_is_left() {}

#[cfg(feature = "container")]
fn the_environment_runs_a_directory_in_containers_and_nothing_is_left() {
    use unbroken::runtime::container::ImagePurpose;

    if !engine::has(&[ImagePurpose::RelayModel, ImagePurpose::Sqs]) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("testing-containers");
    std::fs::create_dir_all(&folder).unwrap();
    let scenario = "scenario: kept\nnodes:\n  shop: { relay: model }\n  desk: { stub: {} }\n  outbox: { sqs: {} }\nhops:\n  \
        order: { http: { from: client, to: shop } }\n  \
        keep: { sqs: { from: shop, to: desk, via: outbox, queue: kept } }\n\
        drive:\n  - { send: order, sampled: [true, false] }\n";
    std::fs::write(folder.join("kept.yaml"), scenario).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .env(SCENARIOS, &folder)
        .env("UNBROKEN_RUNTIME", "container")
        .env("UNBROKEN_BIN", "/no/such/program");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    engine::until("a broker of the tests runs", || {
        engine::containers(process).iter().any(|one| one.part == "sqs" && one.is_running)
    });
    let ended = child.wait_with_output().unwrap();
    let output = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert!(ended.status.success() && output.contains("2 passed; 0 failed"), "{output}");
    assert_eq!(engine::left(process, &std::collections::BTreeSet::new()), Vec::<String>::new());
}
