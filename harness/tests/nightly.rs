//! Nights side by side, as the command shows them: new, worse, accepted, fixed, expired and unreadable.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCENARIO: &str = r#"
scenario: night
nodes:
  front: { relay: model }
  proxy: { relay: model, role: forwarder, FAULTS env: { RELAY_MODEL_ROLE: forwarder, RELAY_MODEL_FORWARD: "${ledger.url}" } }
  ledger: { relay: model }
hops:
  enter: { http: { from: client, to: front, method: POST, path: /enter } }
  order: { http: { from: front, to: proxy, method: POST, path: /records } }
  record: { http: { from: proxy, to: ledger, method: POST, path: /records } }
drive:
  - { send: enter, times: 2, headers: { tracestate: "acme=first", baggage: "tenant=blue" } }
"#;

/// A folder for scenarios and nights, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("unbroken-nightly-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("scenarios")).expect("a folder in the temporary one");
        Folder(path)
    }

    fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
        command.args(arguments).current_dir(&self.0).output().expect("the command runs")
    }

    /// Runs a night with these faults, and returns its exit status and its output.
    fn night(&self, faults: &str) -> (Option<i32>, String) {
        let faults = if faults.is_empty() { String::new() } else { format!("fault: [{faults}],") };
        let text = SCENARIO.replace("FAULTS", &faults);
        std::fs::write(self.0.join("scenarios/night.yaml"), text).expect("the folder can be written to");
        let output = self.command(&["nightly", "scenarios", "--state", "state"]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Returns the reports of complete nights, the oldest first.
    fn nights(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state()).expect("the folder of the nights");
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut nights: Vec<PathBuf> =
            names.filter(|name| name.starts_with("night-")).map(|name| self.state().join(name)).collect();
        nights.sort();
        nights
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fingerprint(report: &Path) -> String {
    let text = std::fs::read(report).expect("the report of a night");
    let report: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    report["cases"][0]["judged"]["findings"][0]["fingerprint"].as_str().expect("a finding").to_owned()
}

#[test]
fn a_night_is_compared_with_the_last_complete_one() {
    let folder = Folder::new();
    let one = "forward-drops-baggage";
    let two = "forward-drops-baggage, forward-drops-traceparent";
    let (status, text) = folder.night(one);
    assert_eq!(status, Some(5), "{text}");
    assert!(text.contains("the first night"), "{text}");
    let (status, text) = folder.night(one);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("1 still there"), "{text}");
    let (status, text) = folder.night(two);
    assert_eq!(status, Some(4), "{text}");
    assert!(text.contains("worse        night  stripped at record, intermediary"), "{text}");

    let last = folder.nights().pop().unwrap();
    let accept = |fingerprint: &str, until: &str| {
        let arguments = ["nightly", "--state", "state", "--accept", fingerprint, "--reason", "upstream #1"];
        folder.command(&[&arguments[..], &["--until", until]].concat()).status.code()
    };
    assert_eq!(accept("0000000000000000", "2999-12-31"), Some(2));
    assert_eq!(accept(&fingerprint(&last), "next week"), Some(2));
    assert_eq!(accept(&fingerprint(&last), "2999-12-31"), Some(0));
    assert_eq!(folder.night(two).0, Some(0));

    let (status, text) = folder.night("");
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("fixed        night  stripped at record"), "{text}");

    assert_eq!(accept(&fingerprint(&last), "2001-01-01"), Some(2), "the last night has no such finding");
    let baseline = folder.state().join("baseline.json");
    let expired = std::fs::read_to_string(&baseline).unwrap().replace("2999-12-31", "2001-01-01");
    std::fs::write(&baseline, expired).unwrap();
    let (status, text) = folder.night(two);
    assert_eq!(status, Some(4), "{text}");
    assert!(text.contains("has expired on 2001-01-01"), "{text}");

    let (status, text) = folder.night(two);
    assert_eq!(status, Some(4), "it fails each night: {text}");
    assert!(text.contains("expired      night  stripped at record"), "{text}");

    let nights = folder.nights();
    assert_eq!(nights.len(), 7);
    let paths: Vec<&str> = nights.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(folder.command(&["diff", paths[0], paths[1]]).status.code(), Some(0));
    assert_eq!(folder.command(&["diff", paths[1], paths[2]]).status.code(), Some(4));

    std::fs::write(nights.last().unwrap(), "{").unwrap();
    let (status, text) = folder.night(two);
    assert_eq!(status, Some(5), "{text}");
    assert!(text.contains("nothing was run or removed"), "{text}");
    assert_eq!(folder.nights().len(), 7);
}
