//! A Rust test that panics: its process never ends the containers itself.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use unbroken::runtime::RuntimeKind;
use unbroken::runtime::container::ImagePurpose;
use unbroken::testing::Run;

use super::engine;
use super::printed;

/// Set in the process that plays the user's test.
const USERS: &str = "UNBROKEN_TEST_PANICS";

const SCENARIO: &str = "scenario: panics\nnodes:\n  shop: { relay: model }\n  desk: { stub: {} }\n  outbox: { sqs: {} }\n\
    hops:\n  order: { http: { from: client, to: shop } }\n  \
    keep: { sqs: { from: shop, to: desk, via: outbox, queue: kept } }\ndrive:\n  - { send: order }\n";

/// No test of ours: it is run by the process below.
#[test]
fn a_user_s_test_in_containers_that_panics() {
    if std::env::var_os(USERS).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let judged = Run::yaml(SCENARIO).runtime(RuntimeKind::Container).judge().await;
        judged.assert_pass();
        assert!(engine::containers(std::process::id()).iter().any(|one| one.part == "sqs"));
        panic!("the user's own error");
    });
}

#[test]
fn a_test_that_panics_leaves_nothing() {
    if !engine::has(&[ImagePurpose::RelayModel, ImagePurpose::Sqs]) {
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
    let text = printed(&output);
    assert!(!output.status.success() && text.contains("the user's own error"), "{text}");
    engine::until("nothing is left", || engine::left(process, &BTreeSet::new()).is_empty());
}
