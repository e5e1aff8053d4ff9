//! `unbroken conform` as a command: against the built-in relays, and against a service of the W3C suite.

#![allow(clippy::unwrap_used, reason = "a test fails by it, and says where")]

#[path = "conform/broken_targets.rs"]
mod broken_targets;
#[path = "conform/catalogue.rs"]
mod catalogue;
mod folder;
mod held_port;
#[path = "conform/relay_table.rs"]
mod relay_table;

use std::path::Path;
use std::process::Output;

use folder::{Folder, unbroken};
use held_port::HeldPort;
use serde_json::Value;

fn conform(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        unbroken(&folder.0).arg("conform").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn json(folder: &Folder, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut all = arguments.to_vec();
    all.splice(0..0, ["--report", "json=-"]);
    let (status, out, problems) = conform(folder, &all);
    let report = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{problems}"));
    (status, report)
}

/// `ID/vector: verdict` of all that did not pass.
fn odd(report: &Value) -> Vec<String> {
    let mut odd = Vec::new();
    for requirement in report["requirements"].as_array().unwrap() {
        for vector in requirement["vectors"].as_array().unwrap() {
            let verdict = vector["verdict"].as_str().unwrap();
            if verdict != "pass" {
                let name =
                    format!("{}/{}", requirement["id"].as_str().unwrap(), vector["name"].as_str().unwrap());
                odd.push(format!(
                    "{name}: {verdict}: {} {}",
                    vector["mismatch"]["message"], vector["reason"]
                ));
            }
        }
    }
    odd
}

#[test]
fn the_model_relay_passes_everything_at_each_level() {
    let folder = Folder::new("model");
    for level in ["1", "2"] {
        let (status, report) = json(&folder, &["relay:model", "--strict", "--level", level]);
        assert!(odd(&report).is_empty(), "level {level}: {:#?}", odd(&report));
        assert_eq!(status, Some(0));
    }
}

#[test]
fn a_fault_of_the_model_relay_fails_with_the_bytes_and_the_clause() {
    let folder = Folder::new("fault");
    let (status, out, _) =
        conform(&folder, &["relay:model", "--fault", "extract-nothing", "--only", "TP-10,TP-11"]);
    assert_eq!(status, Some(4), "{out}");
    for part in [
        "✗ TP-10",
        "the trace was not continued: the trace id is a different one",
        "^^^^",
        "https://www.w3.org/TR/trace-context-2/#version",
        "a new trace proves nothing here: the valid context of `valid` was not continued either",
        "--only TP-10/sampled --seed",
        "curl -i",
    ] {
        assert!(out.contains(part), "{part} is missing:\n{out}");
    }
}

#[test]
fn requirements_of_spans_and_configurations_find_their_fault_of_the_model_relay() {
    let folder = Folder::new("relay-faults");
    let mut unproven = Vec::new();
    for (id, fault) in relay_table::RELAY_TABLE {
        let (status, out, problems) =
            conform(&folder, &["relay:model", "--only", id, "--fault", fault, "--strict", "--level", "3"]);
        if status != Some(4) {
            unproven.push(format!("{id} does not find `{fault}`: {status:?}\n{out}{problems}"));
        }
    }
    assert!(unproven.is_empty(), "{}", unproven.join("\n"));
}

/// The service that the W3C suite tests, in Python, with what OpenTelemetry's own one does.
const SERVICE: &str = include_str!("conform/service.py");

#[test]
fn a_service_of_the_w3c_suite_is_tried_as_it_is() {
    let folder = Folder::new("w3c");
    folder.write("service.py", SERVICE);
    let arguments = ["--", "python3", "service.py", "${self.port}"];
    let (status, report) =
        json(&folder, &[&["--suite", "trace-context,tracestate"][..], &arguments[..]].concat());
    // It has no steps that change a context.
    let odd: Vec<String> =
        odd(&report).into_iter().filter(|line| !line.contains("the capability `tracestate`")).collect();
    // Python's client writes `Traceparent`, which a SHOULD advises against.
    assert!(odd.len() == 1 && odd[0].starts_with("TP-02/lower-case: deviates"), "{odd:#?}");
    assert_eq!(status, Some(0));
    assert!(report["implementation"].get("name").is_none(), "it does not name itself");
}

/// A service whose exporter needs a second, and which loses what it has when it is stopped.
const SLOW_EXPORTER: &str = include_str!("conform/slow_exporter.py");

#[test]
fn a_service_that_exports_late_and_loses_the_rest_at_its_end_is_waited_for() {
    let folder = Folder::new("slow");
    folder.write("service.py", SLOW_EXPORTER);
    let arguments =
        ["--only", "X-01/one-call,X-03/three-calls", "--", "python3", "service.py", "${self.port}"];
    let (status, report) = json(&folder, &arguments);
    assert!(odd(&report).is_empty(), "{:#?}", odd(&report));
    assert_eq!(status, Some(0));
}

/// A program that ends with this value.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn late_calls_of_a_service_that_runs_already_are_awaited() {
    let folder = Folder::new("running");
    folder.write("service.py", SERVICE);
    let held = HeldPort::any();
    let port = held.number().to_string();
    let started = std::process::Command::new("python3")
        .args(["service.py", &port, "late"])
        .current_dir(&folder.0)
        .spawn();
    let mut service = Running(started.unwrap());
    let address = format!("127.0.0.1:{port}");
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(service.0.try_wait().unwrap().is_none(), "the service has ended");
        std::thread::yield_now();
    }
    let (status, report) = json(&folder, &["--only", "TP-22/decimal", &format!("http://{address}/")]);
    assert!(odd(&report).is_empty(), "{:#?}", odd(&report));
    assert_eq!(status, Some(0));
    assert!(report.to_string().contains("called back after it had answered"), "{report}");
}

#[test]
fn a_target_file_maps_configurations_and_names_what_is_unsupported() {
    let folder = Folder::new("file");
    folder.write("service.py", SERVICE);
    folder.write(
        "acme.yaml",
        "target: acme tracer\ncommand: [python3, service.py, '${self.port}']\nconfigurations:\n  \
         - { when: { propagators: jaeger }, unsupported: it has no Jaeger propagator }\nunsupported:\n  \
         - { only: TP-02, reason: its client writes names in title case }\n",
    );
    let (status, report) = json(&folder, &["acme.yaml", "--suite", "trace-context,jaeger"]);
    assert_eq!(status, Some(0), "{:#?}", odd(&report));
    assert_eq!(report["implementation"]["name"], "acme tracer");
    let odd = odd(&report);
    let tp_02 = "TP-02/lower-case: unsupported: null \"its client writes names in title case\"";
    assert!(odd.iter().any(|line| line == tp_02), "{odd:#?}");
    assert!(
        odd.iter().all(|line| line == tp_02 || line.ends_with("\"it has no Jaeger propagator\"")),
        "{odd:#?}"
    );
    folder.write("wrong.yaml", "target: acme\nunsuported: []\n");
    let (status, _, problems) = conform(&folder, &["wrong.yaml"]);
    assert!(status == Some(3) && problems.contains("did you mean `unsupported`?"), "{status:?} {problems}");
}

#[test]
fn a_baseline_accepts_what_it_names_and_nothing_else() {
    let folder = Folder::new("baseline");
    let target = ["relay:model", "--fault", "inject-nothing", "--only"];
    let run = |only: &str, more: &[&str]| conform(&folder, &[&target[..], &[only], more].concat());
    let (status, _, problems) = run("TP-10", &["--write-baseline", "known.json"]);
    assert_eq!(status, Some(4), "{problems}");
    let (status, out, _) = run("TP-10", &["--baseline", "known.json", "--strict-baseline"]);
    assert!(status == Some(0) && out.contains("7 of 7 vectors, known"), "{status:?} {out}");
    assert!(out.contains("`sampled`, `unsampled`, `smallest-ids` and 4 more: not reviewed yet"), "{out}");
    let (status, out, _) = run("TP-10,TP-22", &["--baseline", "known.json"]);
    assert!(status == Some(4) && out.contains("7 of them known"), "{status:?} {out}");
    let healthy = ["relay:model", "--only", "TP-10", "--baseline", "known.json"];
    let (status, out, _) = conform(&folder, &healthy);
    assert!(status == Some(0) && out.contains("fixed: TP-10/sampled passes: remove it"), "{status:?} {out}");
    let (status, _, _) = conform(&folder, &[&healthy[..], &["--strict-baseline"]].concat());
    assert_eq!(status, Some(4));
    let (status, _, problems) = conform(&folder, &["relay:model", "--baseline", "missing.json"]);
    assert!(status == Some(2) && problems.contains("cannot read the baseline `missing.json`"), "{problems}");
}

/// A program in place of `docker`: checks the command, and runs the service that the image would have.
const ENGINE: &str = "#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = 'run --rm --init --network host' ] || exit 9\n\
    case \"$*\" in *'--env PORT'*' acme:1') exec python3 service.py \"$PORT\";; esac\nexit 8\n";

#[test]
fn an_image_is_started_by_the_program_of_the_container_engine() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("image");
    folder.write("service.py", SERVICE);
    folder.write("docker", ENGINE);
    let docker = folder.0.join("docker");
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.0.display(), std::env::var("PATH").unwrap());
    let Output { status, stdout, stderr } = unbroken(&folder.0)
        .env("PATH", path)
        .args(["conform", "--image", "acme:1", "--only", "TP-22", "--wire-only"])
        .output()
        .unwrap();
    assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
}

/// The requirements that are compared with the page here; the nightly workflow compares all.
const COMPARED: &[&str] = &[
    "--suite",
    "trace-context,tracestate,baggage,propagators",
    "--only",
    "TP-12,TP-13,TP-14,TP-15,TP-16,TP-19,TP-31,TP-32,TP-33,TF-05,TF-08,TS,BG,PR-02,PR-07,PR-13",
];

#[test]
fn the_report_of_the_rust_relay_is_the_one_that_is_checked_in() {
    let relay = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/relay-rust");
    let page = relay.join("CONFORMANCE.md");
    let baseline = relay.join("deviations.json").display().to_string();
    let settings = ["relay:rust", "--seed", "1", "--baseline", &baseline, "--strict-baseline"];
    let folder = Folder::new("rust-report");
    let run = |more: &[&str]| {
        let (status, out, problems) = conform(&folder, &[&settings[..], more].concat());
        assert_eq!(status, Some(0), "a deviation is new, or one is gone: {out}{problems}");
    };
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        run(&["--report", &format!("markdown={}", page.display())]);
    }
    run(&[COMPARED, &["--report", "markdown=slice.md"]].concat());
    let (page, slice) =
        (std::fs::read_to_string(page).unwrap(), std::fs::read_to_string(folder.0.join("slice.md")).unwrap());
    let rows: Vec<&str> = slice.lines().filter(|line| line.contains("](http")).collect();
    let stale: Vec<&&str> = rows.iter().filter(|row| !page.lines().any(|line| line == **row)).collect();
    assert!(rows.len() > 55, "{} rows", rows.len());
    assert!(
        stale.is_empty(),
        "fixtures/relay-rust/CONFORMANCE.md is stale: run with UPDATE_EXPECT=1: {stale:#?}"
    );
}

/// A forwarder in Python that forwards what it gets.
const FORWARDER: &str = include_str!("conform/forwarder.py");

#[test]
fn a_forwarder_is_started_with_the_address_behind_it_and_tried_byte_for_byte() {
    let folder = Folder::new("forwarder");
    folder.write("forwarder.py", FORWARDER);
    let command = ["--", "python3", "forwarder.py", "${self.port}", "${upstream.authority}"];
    let (status, report) = json(&folder, &command);
    let odd_lines: Vec<String> =
        odd(&report).into_iter().filter(|line| !line.contains(": unsupported: ")).collect();
    assert!(odd_lines.is_empty() && status == Some(0), "{odd_lines:#?}");
    let unsupported: Vec<String> = odd(&report);
    let is_expected = |line: &String| line.starts_with("RPC-07/") || line.contains("HTTP/2");
    assert!(unsupported.iter().all(is_expected), "{unsupported:#?}");
    let dropping = [&["--only", "ID-13,FW-01"][..], &command[..], &["drop"][..]].concat();
    let (status, report) = json(&folder, &dropping);
    let odd = odd(&report);
    assert!(status == Some(4) && odd.iter().any(|line| line.starts_with("ID-13/sampled: fail")), "{odd:#?}");
    let (status, report) = json(&folder, &["--only", "FW-01", "relay:rust"]);
    assert!(status == Some(5) && report.to_string().contains("not known to be a forwarder"), "{report:#}");
}
