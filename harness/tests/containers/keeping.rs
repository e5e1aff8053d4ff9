//! `--keep` and `unbroken clean`.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use unbroken::runtime::container::ImagePurpose;

use super::{Folder, PASS, engine, printed, root, shop, unbroken};

/// Returns the address that is printed for a kept part: `  sqs            at 172.18.0.2:9324        ...`.
fn address<'t>(printed: &'t str, part: &str) -> &'t str {
    let line = printed.lines().find(|line| line.trim_start().starts_with(part) && line.contains(" at "));
    let line = line.unwrap_or_else(|| panic!("`{part}` is kept: {printed}"));
    let address = line.split_once(" at ").unwrap().1.split_whitespace().next().unwrap();
    address.trim_start_matches("http://")
}

/// Sends an HTTP request; returns the whole answer.
fn asked(address: &str, request: &str) -> String {
    // A container that was stopped so that it flushes was started again a moment ago.
    engine::until("a program listens there", || TcpStream::connect(address).is_ok());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_kept_is_reached_at_the_printed_address_until_it_is_cleaned() {
    if !shop::is_here(&[ImagePurpose::RelayModel, ImagePurpose::Sqs]) {
        return;
    }
    let folder = Folder::new("keep");
    let mut command = unbroken(&folder.0);
    let services = root().join("fixtures/image-service");
    command.arg("run").args([services.join("healthy.yaml"), services.join("queued.yaml")]);
    command.args(["--keep", "--runtime", "container", "--filter", "sampled=true", "--filter", "queued"]);
    let child = command.spawn().unwrap();
    let process = child.id();
    engine::until("the first container is there", || !engine::containers(process).is_empty());
    // Another user of the same engine; the run is still under way.
    let early = unbroken(&folder.0).arg("clean").output().unwrap();
    assert_eq!(early.status.code(), Some(PASS), "{}", printed(&early));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(PASS), "{}", printed(&output));
    let text = printed(&output);
    let body = "{}";
    let answer = asked(
        address(&text, "sqs"),
        &format!(
            "POST / HTTP/1.1\r\nHost: kept\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len(),
        ),
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("bills"), "the queue of the scenario is there: {answer}");
    for case in ["of image-healthy [sampled=true]", "of image-queued"] {
        assert!(text.contains(case), "two nodes are called shop: {text}");
    }
    let running = engine::containers(process).into_iter().filter(|one| one.is_running);
    let parts: Vec<String> = running.map(|one| one.part).collect();
    assert_eq!(parts.len(), 5, "{parts:?}");
    for part in ["sqs", "relays", "edge", "shop"] {
        assert!(parts.iter().any(|running| running == part), "{part} in {parts:?}");
    }
    assert!(asked(address(&text, "edge"), "GET /-/capabilities HTTP/1.0\r\n\r\n").contains("contract"));
    assert!(asked(address(&text, "shop"), "GET /healthz HTTP/1.0\r\n\r\n").contains(" 200 "));
    let cleaned = unbroken(&folder.0).arg("clean").output().unwrap();
    assert_eq!(cleaned.status.code(), Some(PASS), "{}", printed(&cleaned));
    assert!(printed(&cleaned).contains("removed"), "{}", printed(&cleaned));
    assert_eq!(engine::left(process, &BTreeSet::new()), Vec::<String>::new());
}
