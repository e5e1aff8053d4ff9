//! Services from images, in both runtimes: `fixtures/image-service`.

use std::collections::BTreeSet;

use serde_json::Value;
use unbroken::runtime::container::ImagePurpose;

use super::{FAIL, Folder, engine, printed, root, shop, unbroken};

/// The end of each case: its verdict, and `CLASS at HOPS, SIDE NODE, HIT of LOOKED-AT` of its findings.
const ENDS: &[(&str, &str, &str)] = &[
    ("image-broken", "fail", "not-injected at bill, sender shop, 3 of 3"),
    ("image-configured", "pass", ""),
    ("image-healthy [sampled=false]", "pass", ""),
    ("image-healthy [sampled=true]", "pass", ""),
    ("image-queued", "pass", ""),
];

fn ended(case: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let judged = case.get("judged").unwrap_or_else(|| panic!("{case:#}"));
    let finding = |finding: &Value| {
        let hops: Vec<String> = finding["hops"].as_array().unwrap().iter().map(text).collect();
        let (class, side, node) = (text(&finding["class"]), text(&finding["side"]), text(&finding["node"]));
        format!("{class} at {}, {side} {node}, {} of {}", hops.join(" and "), finding["hit"], finding["of"])
    };
    let findings: Vec<String> = judged["findings"].as_array().unwrap().iter().map(finding).collect();
    (text(&case["title"]), text(&case["verdict"]), findings.join("; "))
}

/// Two of the scenarios have services with the same queue: they run at the same time, on one broker.
fn assert_ends(runtime: &str) {
    let folder = Folder::new(runtime);
    let mut command = unbroken(&folder.0);
    command.arg("run").arg(root().join("fixtures/image-service")).args(["--runtime", runtime, "--jobs", "5"]);
    command.args(["--report", "json=report.json"]);
    let child = command.spawn().unwrap();
    let process = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(FAIL), "{}", printed(&output));
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.0.join("report.json")).unwrap()).unwrap();
    let seen: BTreeSet<_> = report["cases"].as_array().unwrap().iter().map(ended).collect();
    let due = ENDS
        .iter()
        .map(|(case, verdict, findings)| ((*case).to_owned(), (*verdict).to_owned(), (*findings).to_owned()));
    assert_eq!(seen, due.collect::<BTreeSet<_>>(), "{}", printed(&output));
    assert_eq!(engine::left(process, &BTreeSet::new()), Vec::<String>::new());
}

#[test]
fn images_beside_embedded_brokers_and_relays() {
    if shop::is_here(&[]) {
        assert_ends("embedded");
    }
}

#[test]
fn images_beside_brokers_and_relays_in_containers() {
    if shop::is_here(&[ImagePurpose::RelayModel, ImagePurpose::Sqs]) {
        assert_ends("container");
    }
}
