//! The command as somebody types it who is in a hurry: what is named twice, cannot be, or would be lost.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

mod folder;

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Output;

use folder::{Folder, unbroken};

const STORY: &str = "scenario: order\nnodes:\n  shop: { relay: model }\nhops:\n  order: { http: { from: client, to: shop } }\n\
                     drive:\n  - send: order\n";

fn story(test: &str) -> Folder {
    let folder = Folder::new(test);
    std::fs::create_dir_all(folder.0.join("scenarios")).unwrap();
    folder.write("scenarios/order.yaml", STORY);
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = unbroken(&folder.0).args(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let folder = story("twice");
    std::os::unix::fs::symlink("../scenarios", folder.0.join("scenarios/again")).unwrap();
    let (status, told) =
        run(&folder, &["check", "scenarios", "scenarios/order.yaml", "./scenarios/order.yaml"]);
    assert_eq!((status, told.as_str()), (Some(0), "1 file with 1 case: nothing wrong\n"));
}

#[test]
fn numbers_that_are_none_are_told_in_words() {
    let folder = story("numbers");
    for (arguments, told) in [
        (["run", "--jobs", "0"], "expected 1 or more"),
        (["run", "--repeat", "0"], "expected 1 or more"),
        (["run", "--jobs", "many"], "expected a whole number"),
        (["run", "--seed", "0xff"], "expected a whole number"),
        (["run", "--seed", "99999999999999999999"], "that is too large a number"),
    ] {
        let (status, seen) = run(&folder, &arguments);
        assert!(status == Some(2) && seen.contains(told), "{arguments:?}: {seen}");
    }
}

#[test]
fn a_strict_baseline_may_be_the_one_of_the_folder() {
    let folder = story("strict");
    let (status, told) = run(&folder, &["run", "--strict-baseline"]);
    assert!(status == Some(2) && told.contains("has no baseline to hold the run to"), "{told}");
    let gone = r#"{"version":1,"accepted":[{"scenario":"order","hop":"order","class":"not-extracted",
                 "side":"receiver","reason":"not yet"}]}"#;
    folder.write("scenarios/baseline.json", gone);
    let (status, told) = run(&folder, &["run", "--strict-baseline"]);
    assert!(status == Some(4) && told.contains("fixed"), "{told}");
}

#[test]
fn what_would_be_without_effect_or_lost_is_told_before_the_run() {
    let folder = story("before");
    let (status, told) = run(&folder, &["run", "--image", "kafka=example/kafka:1"]);
    assert!(status == Some(2) && told.contains("`--runtime container`"), "{told}");
    folder.write("file", "");
    let (status, told) = run(&folder, &["run", "--keep-evidence", "file"]);
    assert_eq!(status, Some(5));
    assert!(
        told.starts_with("error: no evidence can be kept in `file`") && told.lines().count() == 1,
        "{told}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_a_full_disk_took_is_no_pass() {
    let folder = story("full");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let Output { status, stderr, .. } = unbroken(&folder.0).arg("list").stdout(full).output().unwrap();
    assert_eq!(status.code(), Some(5));
    assert!(String::from_utf8_lossy(&stderr).starts_with("error: standard output could not be written"));
}

#[test]
fn the_output_of_a_service_that_answered_wrongly_is_shown() {
    let folder = story("output");
    // It takes instructions only, and answers 400.
    let command = format!("[{}, relay, model]", env!("CARGO_BIN_EXE_unbroken"));
    let relay = format!(
        "{{ command: {command}, env: {{ RELAY_HTTP_ADDR: '127.0.0.1:${{self.port}}' }}, ready: {{ tcp: true }} }}"
    );
    folder.write("scenarios/order.yaml", &STORY.replace("{ relay: model }", &relay));
    let (status, told) = run(&folder, &["run"]);
    assert_eq!(status, Some(5), "{told}");
    assert!(told.contains("the last lines of `shop`") && told.contains("│ relay ready"), "{told}");
}

#[test]
fn the_key_of_a_message_is_shown_as_it_crossed() {
    let folder = story("key");
    folder.write(
        "scenarios/order.yaml",
        "scenario: order\nnodes:\n  shop: { relay: model }\n  billing: { relay: model }\n  broker: { kafka: {} }\nhops:\n  \
         order: { http: { from: client, to: shop } }\n  publish: { kafka: { from: shop, to: billing, via: broker, topic: \
         orders } }\ndrive:\n  - send: order\n",
    );
    let (status, told) = run(&folder, &["run", "--fault", "shop=kafka-mixed-case-key"]);
    assert!(status == Some(4) && told.contains("malformed"), "{told}");
    assert!(told.contains(" Traceparent: 00-"), "{told}");
}

#[test]
fn a_relay_of_ones_own_stands_where_a_shipped_one_does() {
    let folder = story("own");
    folder.write("scenarios/order.yaml", &STORY.replace("relay: model", "relay: rust"));
    let own = format!("rust={} relay model", env!("CARGO_BIN_EXE_unbroken"));
    let (status, told) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(0), "{told}");
    let (status, told) = run(&folder, &["run", "--relay", "rust=false --gone"]);
    assert!(status == Some(5) && told.contains("`false --gone` ended before it was ready"), "{told}");
    let (status, told) = run(&folder, &["run", "--relay", "mine=./relay"]);
    assert!(status == Some(2) && told.contains("expected NAME=COMMAND"), "{told}");
}

/// A relay that is ready and answers every request with this, until the test ends.
fn relay_that_answers(folder: &Folder, answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The request has no body and comes in one piece.
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let script = format!("echo 'relay ready {{\"http\": \"{at}\"}}'\nexec sleep 60\n");
    folder.write("relay.sh", &script);
    format!("rust=sh {}", folder.0.join("relay.sh").display())
}

#[test]
fn what_a_relay_of_ones_own_cannot_do_is_said_and_not_found_out_by_failing() {
    let folder = story("capabilities");
    folder.write("scenarios/order.yaml", &STORY.replace("relay: model", "relay: rust"));
    let short =
        "HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n{\"contract\":1,\"can\":[\"http\",\"mark\",\"wait\"]}";
    let own = relay_that_answers(&folder, short);
    let (status, told) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{told}");
    assert!(told.contains("what this case needs of it: flush"), "{told}");
    let own = relay_that_answers(&folder, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let (status, told) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{told}");
    assert!(told.contains("what this case needs of it: flush, mark"), "{told}");
    let own = relay_that_answers(&folder, "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n");
    let (status, told) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{told}");
    assert!(told.contains("the answer was 500"), "{told}");
}

#[test]
fn evidence_that_cannot_be_judged_is_named() {
    let folder = story("evidence");
    folder.write("broken.json", "{\"version\":1");
    let (status, told) = run(&folder, &["judge", "scenarios/order.yaml", "--evidence", "broken.json"]);
    assert!(status == Some(2) && told.contains("`broken.json` cannot be judged"), "{told}");
}
