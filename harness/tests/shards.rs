//! Shards as the command runs and merges them: four shards have the verdicts of one run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const SCENARIO: &str = r"
scenario: NAME
nodes:
  front: { relay: model, FAULTS }
  ledger: { relay: model }
hops:
  enter: { http: { from: client, to: front, method: POST, path: /enter } }
  record: { http: { from: front, to: ledger, method: POST, path: /records } }
drive:
  - { send: enter, sampled: [true, false], times: 2 }
";

/// A folder for scenarios and reports, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("unbroken-shards-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("scenarios")).expect("a folder in the temporary one");
        for (name, faults) in [("healthy", ""), ("broken", "fault: [inject-nothing]"), ("also-healthy", "")] {
            let text = SCENARIO.replace("NAME", name).replace(
                ", FAULTS",
                &match faults {
                    "" => String::new(),
                    faults => format!(", {faults}"),
                },
            );
            std::fs::write(path.join(format!("scenarios/{name}.yaml")), text).expect("it can be written to");
        }
        Folder(path)
    }

    fn command(&self, words: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
        command.args(words.split(' ')).current_dir(&self.0).output().expect("the command runs")
    }

    /// Runs a command and requires its exit status.
    fn must(&self, words: &str, status: i32) -> String {
        let output = self.command(words);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(status), "{words}: {text}");
        text
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("the report was written")
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns what a report says of each case: verdicts of the case, its hops and its rules, and its findings.
fn verdicts(report: &Value) -> String {
    let pick = |list: &Value, keys: &[&str]| -> Vec<Vec<Value>> {
        let entries = list.as_array().into_iter().flatten();
        entries.map(|entry| keys.iter().map(|key| entry[*key].clone()).collect()).collect()
    };
    let mut lines = vec![format!("{} {}", report["verdict"], report["counts"])];
    for case in report["cases"].as_array().expect("cases") {
        let judged = &case["judged"];
        let hops = pick(&judged["hops"], &["id", "verdict", "crossings", "judged"]);
        let rules = pick(&judged["rules"], &["rule", "verdict", "looked_at"]);
        let findings = pick(&judged["findings"], &["fingerprint", "class", "hit", "of"]);
        lines.push(format!("{} {} {hops:?} {rules:?} {findings:?}", case["title"], case["verdict"]));
    }
    lines.join("\n")
}

/// Returns the names of the tests of a JUnit report, with those that did not pass marked.
fn tests(report: &str) -> Vec<String> {
    let cases = report.split("<testcase ").skip(1);
    cases
        .map(|case| {
            let name =
                case.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let class = case.split("classname=\"").nth(1).and_then(|rest| rest.split('"').next());
            let failed = case.contains("<failure") || case.contains("<error");
            format!("{} {name} {failed}", class.unwrap_or_default())
        })
        .collect()
}

#[test]
fn four_shards_merged_equal_one_run() {
    let folder = Folder::new("merged");
    folder.must("run scenarios --seed 7 --report json=one.json,junit=one.xml", 4);
    for number in 1..=4 {
        let command = format!(
            "run scenarios --seed 7 --shard {number}/4 --durations one.json --report json={number}.json,junit={number}.xml"
        );
        let status = folder.command(&command).status.code();
        assert!(matches!(status, Some(0 | 4)), "{number}: {status:?}");
    }
    let text = folder.must("merge 3.json 1.json 4.json 2.json --output all.json", 4);
    assert!(text.contains("merged 4 shards into `all.json`: fail"), "{text}");
    assert_eq!(verdicts(&folder.json("all.json")), verdicts(&folder.json("one.json")));
    folder.must("merge 3.xml 1.xml 4.xml 2.xml --output all.xml", 4);
    assert_eq!(tests(&folder.read("all.xml")), tests(&folder.read("one.xml")));

    let sizes: BTreeSet<usize> =
        (1..=4).map(|n| folder.json(&format!("{n}.json"))["cases"].as_array().unwrap().len()).collect();
    assert!(sizes.iter().all(|cases| (1..=3).contains(cases)), "{sizes:?}");

    let text = folder.must("merge 1.json 2.json 4.json --output some.json", 4);
    assert!(text.contains("shard 3/4 is missing"), "{text}");
    assert_eq!(folder.json("some.json")["partial"], true);
    folder.must("merge 1.json 1.xml --output some.json", 2);
    folder.must("merge one.json --output some.json", 2);

    folder.must("nightly --state nights --from all.json", 5);
    let text = folder.must("nightly --state nights --from one.json", 0);
    assert!(text.contains("still there"), "{text}");
    folder.must("nightly --state nights --from some.json", 5);
}

#[test]
fn more_shards_than_cases_leave_some_empty() {
    let folder = Folder::new("empty");
    let text = folder.must("run scenarios/healthy.yaml --shard 3/3 --report json=3.json", 0);
    assert!(text.contains("no case ran"), "{text}");
    assert_eq!(folder.json("3.json")["cases"].as_array().map(Vec::len), Some(0));
    folder.must("run scenarios --shard 4/3", 2);
}

#[test]
fn the_requirements_of_the_suite_are_in_one_shard_each() {
    let folder = Folder::new("conform");
    let listed = |words: &str| -> Vec<String> {
        folder.must(words, 0).lines().filter(|line| line.contains("TP-")).map(str::to_owned).collect()
    };
    let whole: BTreeSet<String> = listed("conform --list --only TP").into_iter().collect();
    let mut parts: Vec<String> = Vec::new();
    for number in 1..=3 {
        parts.extend(listed(&format!("conform --list --only TP --shard {number}/3")));
    }
    assert_eq!(parts.len(), whole.len());
    assert_eq!(parts.into_iter().collect::<BTreeSet<_>>(), whole);
}
