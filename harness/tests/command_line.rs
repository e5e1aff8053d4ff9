//! The command with arguments that repeat, contradict or cannot work, and with output that cannot be written.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

mod folder;

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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
    let (status, output) =
        run(&folder, &["check", "scenarios", "scenarios/order.yaml", "./scenarios/order.yaml"]);
    assert_eq!((status, output.as_str()), (Some(0), "1 file with 1 case: no errors\n"));
}

#[test]
fn an_argument_that_is_not_a_number_is_an_error_in_words() {
    let folder = story("numbers");
    for (arguments, message) in [
        (["run", "--jobs", "0"], "expected 1 or more"),
        (["run", "--repeat", "0"], "expected 1 or more"),
        (["run", "--jobs", "many"], "expected a whole number"),
        (["run", "--seed", "0xff"], "expected a whole number"),
        (["run", "--seed", "99999999999999999999"], "the number is too large"),
    ] {
        let (status, seen) = run(&folder, &arguments);
        assert!(status == Some(2) && seen.contains(message), "{arguments:?}: {seen}");
    }
}

#[test]
fn a_strict_baseline_may_be_the_one_of_the_folder() {
    let folder = story("strict");
    let (status, output) = run(&folder, &["run", "--strict-baseline"]);
    assert!(status == Some(2) && output.contains("needs a baseline"), "{output}");
    let gone = r#"{"version":1,"accepted":[{"scenario":"order","hop":"order","class":"not-extracted",
                 "side":"receiver","reason":"not yet"}]}"#;
    folder.write("scenarios/baseline.json", gone);
    let (status, output) = run(&folder, &["run", "--strict-baseline"]);
    assert!(status == Some(4) && output.contains("fixed"), "{output}");
}

#[test]
fn options_without_effect_and_unwritable_outputs_are_errors_before_the_run() {
    let folder = story("before");
    let (status, output) = run(&folder, &["run", "--image", "kafka=example/kafka:1"]);
    assert!(status == Some(2) && output.contains("`--runtime container`"), "{output}");
    folder.write("file", "");
    let (status, output) = run(&folder, &["run", "--keep-evidence", "file"]);
    assert_eq!(status, Some(5));
    assert!(
        output.starts_with("error: cannot keep evidence in `file`") && output.lines().count() == 1,
        "{output}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_a_full_disk_refuses_is_not_a_pass() {
    let folder = story("full");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let Output { status, stderr, .. } = unbroken(&folder.0).arg("list").stdout(full).output().unwrap();
    assert_eq!(status.code(), Some(5));
    assert!(String::from_utf8_lossy(&stderr).starts_with("error: cannot write to standard output"));
}

#[test]
fn the_output_of_a_service_that_answered_wrongly_is_shown() {
    let folder = story("output");
    // It accepts instructions only, and answers with 400.
    let command = format!("[{}, relay, model]", env!("CARGO_BIN_EXE_unbroken"));
    let relay = format!(
        "{{ command: {command}, env: {{ RELAY_HTTP_ADDR: '127.0.0.1:${{self.port}}' }}, ready: {{ tcp: true }} }}"
    );
    folder.write("scenarios/order.yaml", &STORY.replace("{ relay: model }", &relay));
    let (status, output) = run(&folder, &["run"]);
    assert_eq!(status, Some(5), "{output}");
    assert!(output.contains("last lines of `shop`") && output.contains("│ relay ready"), "{output}");
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
    let (status, output) = run(&folder, &["run", "--fault", "shop=kafka-mixed-case-key"]);
    assert!(status == Some(4) && output.contains("malformed"), "{output}");
    assert!(output.contains(" Traceparent: 00-"), "{output}");
}

#[test]
fn a_relay_of_the_user_replaces_a_shipped_one() {
    let folder = story("own");
    folder.write("scenarios/order.yaml", &STORY.replace("relay: model", "relay: rust"));
    let own = format!("rust={} relay model", env!("CARGO_BIN_EXE_unbroken"));
    let (status, output) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(0), "{output}");
    let (status, output) = run(&folder, &["run", "--relay", "rust=false --gone"]);
    assert!(status == Some(5) && output.contains("`false --gone` exited before it was ready"), "{output}");
    let (status, output) = run(&folder, &["run", "--relay", "mine=./relay"]);
    assert!(status == Some(2) && output.contains("expected NAME=COMMAND"), "{output}");
}

/// Starts a relay that is ready and gives every request this answer until the test ends.
fn relay_that_answers(folder: &Folder, answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The request has no body and arrives in one piece.
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let script = format!("echo 'relay ready {{\"http\": \"{at}\"}}'\nexec sleep 60\n");
    folder.write("relay.sh", &script);
    format!("rust=sh {}", folder.0.join("relay.sh").display())
}

#[test]
fn a_capability_that_a_relay_lacks_is_reported_before_the_story() {
    let folder = story("capabilities");
    folder.write("scenarios/order.yaml", &STORY.replace("relay: model", "relay: rust"));
    let short =
        "HTTP/1.1 200 OK\r\ncontent-length: 43\r\n\r\n{\"contract\":1,\"can\":[\"http\",\"mark\",\"wait\"]}";
    let own = relay_that_answers(&folder, short);
    let (status, output) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{output}");
    assert!(output.contains("what this case needs: flush"), "{output}");
    let own = relay_that_answers(&folder, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let (status, output) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{output}");
    assert!(output.contains("what this case needs: flush, mark"), "{output}");
    let own = relay_that_answers(&folder, "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n");
    let (status, output) = run(&folder, &["run", "--relay", &own]);
    assert_eq!(status, Some(5), "{output}");
    assert!(output.contains("the relay answered with 500"), "{output}");
}

#[test]
fn evidence_that_cannot_be_judged_is_named() {
    let folder = story("evidence");
    folder.write("broken.json", "{\"version\":1");
    let (status, output) = run(&folder, &["judge", "scenarios/order.yaml", "--evidence", "broken.json"]);
    assert!(status == Some(2) && output.contains("cannot judge `broken.json`"), "{output}");
}

#[test]
fn two_reports_to_one_file_are_an_error() {
    let folder = story("same");
    let (status, output) = run(&folder, &["run", "--report", "json=a", "--report", "junit=./a"]);
    assert!(status == Some(2) && output.contains("two files of the run are the same"), "{output}");
    let (status, output) = run(&folder, &["run", "--report", "json=-,junit=-"]);
    assert!(status == Some(2) && output.contains("two reports go to standard output"), "{output}");
}

#[test]
fn a_fifo_or_a_device_is_refused_and_not_read() {
    let folder = story("fifo");
    assert!(Command::new("mkfifo").arg(folder.0.join("fifo.yaml")).status().unwrap().success());
    let refused: [&[&str]; 4] = [
        &["check", "fifo.yaml"],
        &["run", "/dev/zero"],
        &["judge", "scenarios/order.yaml", "--evidence", "fifo.yaml"],
        &["run", "--baseline", "/dev/zero"],
    ];
    for arguments in refused {
        let (status, output) = run(&folder, arguments);
        assert!(status == Some(2) && output.contains("not a regular file"), "{arguments:?}: {output}");
    }
}

#[test]
fn a_folder_with_a_circle_of_links_is_read_once() {
    let folder = story("circle");
    std::os::unix::fs::symlink(".", folder.0.join("scenarios/again")).unwrap();
    let (status, output) = run(&folder, &["check"]);
    assert_eq!((status, output.as_str()), (Some(0), "1 file with 1 case: no errors\n"));
}

#[test]
fn a_fault_runs_the_cases_with_its_relay_and_names_the_others() {
    let folder = story("fault");
    let other = STORY.replace("scenario: order", "scenario: other").replace("relay: model", "stub: {}");
    folder.write("scenarios/other.yaml", &other);
    let (status, output) = run(&folder, &["run", "--fault", "shop=kafka-mixed-case-key"]);
    assert!(output.contains("skipped 1 case") && output.contains(": other"), "{output}");
    assert_eq!(status, Some(0), "{output}");
    assert!(output.contains("`--fault shop=kafka-mixed-case-key` had no effect in 1 case"), "{output}");
    let (status, output) = run(&folder, &["run", "scenarios/other.yaml", "--fault", "shop=inject-nothing"]);
    assert!(status == Some(2) && output.contains("not a relay `model` in any selected case"), "{output}");
    for (fault, part) in [
        ("shop=inject-nothin", "`inject-nothin` is not a fault; near it are `inject-nothing`"),
        ("shp=inject-nothing", "no selected case has a node `shp`; relays `model` are `shop`"),
    ] {
        let (status, output) = run(&folder, &["run", "--fault", fault]);
        assert!(status == Some(2) && output.contains(part), "{output}");
    }
}

#[test]
fn cases_are_listed_as_json() {
    let folder = story("listed");
    let Output { status, stdout, .. } =
        unbroken(&folder.0).args(["list", "--format", "json"]).output().unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert!(status.success() && cases.as_array().is_some_and(|cases| cases.len() == 1), "{cases}");
    assert_eq!((&cases[0]["title"], &cases[0]["case"]), (&"order".into(), &"".into()), "{cases}");
    assert_eq!(
        (&cases[0]["nodes"][0]["kind"], &cases[0]["hops"][0]["to"]),
        (&"relay".into(), &"shop".into())
    );
}

#[test]
fn a_filter_without_a_case_names_what_may_be_meant() {
    let folder = story("filter");
    for (filter, part) in [
        ("ordr", "no case matches `--filter ordr`; did you mean `order`? `unbroken list` prints the 1 case"),
        ("nothing", "no case matches `--filter nothing`; `unbroken list` prints the 1 case"),
    ] {
        let (status, output) = run(&folder, &["run", "--filter", filter]);
        assert!(status == Some(6) && output.contains(part), "{output}");
    }
}

#[test]
fn without_a_terminal_each_case_is_printed_when_it_ends() {
    let folder = story("lines");
    let Output { stderr, .. } = unbroken(&folder.0).arg("run").output().unwrap();
    let lines = String::from_utf8_lossy(&stderr);
    assert!(lines.starts_with("pass           order  "), "{lines}");
}

/// The service of the second case is never ready.
#[test]
fn a_run_that_is_killed_leaves_a_partial_report_and_the_evidence_until_then() {
    let folder = story("killed");
    let slow = STORY.replace("scenario: order", "scenario: slow").replace(
        "{ relay: model }",
        "{ command: [sleep, '60'], env: { PORT: '${self.port}' }, ready: { http: / }, ready-within: 60s }",
    );
    folder.write("scenarios/slow.yaml", &slow);
    let report = folder.0.join("out/report.xml");
    let mut command = unbroken(&folder.0);
    command.args(["run", "--keep-evidence", "out", "--report", "junit=out/report.xml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let partial = || {
        let text = std::fs::read_to_string(&report).unwrap_or_default();
        text.contains("partial report: 1 of 2 cases have ended") && text.contains("hop order")
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !partial() {
        assert!(Instant::now() < deadline, "{:?}", std::fs::read_to_string(&report));
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(partial() && folder.0.join("out/order.json").exists());
}
