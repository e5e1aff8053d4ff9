//! A Rust test that panics: its process never says that it is done.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use unbroken::runtime::Kind;
use unbroken::runtime::container::Part;
use unbroken::testing::Run;

use super::engine;
use super::told;

/// Set, this process is the user's.
const USERS: &str = "UNBROKEN_TEST_PANICS";

const SCENARIO: &str = "scenario: panics\nnodes:\n  shop: { relay: model }\n  desk: { stub: {} }\n  outbox: { sqs: {} }\n\
    hops:\n  order: { http: { from: client, to: shop } }\n  \
    keep: { sqs: { from: shop, to: desk, via: outbox, queue: kept } }\ndrive:\n  - { send: order }\n";

/// Not a test of ours: what the process below does.
#[test]
fn a_user_s_test_in_containers_that_panics() {
    if std::env::var_os(USERS).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let judged = Run::yaml(SCENARIO).runtime(Kind::Container).judge().await;
        judged.assert_pass();
        assert!(engine::containers(std::process::id()).iter().any(|one| one.part == "sqs"));
        panic!("the user's own mistake");
    });
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    if !engine::has(&[Part::RelayModel, Part::Sqs]) {
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "panics::a_user_s_test_in_containers_that_panics", "--nocapture"])
        .env(USERS, "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = child.id();
    let output = child.wait_with_output().unwrap();
    let said = told(&output);
    assert!(!output.status.success() && said.contains("the user's own mistake"), "{said}");
    engine::until("nothing is left", || engine::left(process, &BTreeSet::new()).is_empty());
}
