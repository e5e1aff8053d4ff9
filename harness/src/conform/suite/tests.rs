use super::*;
use crate::diagnostic;

fn complaint(text: &str) -> String {
    let source = Source::new("suite.yaml", text);
    let wrong = read(&source).expect_err("it is wrong");
    diagnostic::render(&source, &wrong, false)
}

const HEAD: &str =
    "suite: s\nabout: a\nrequirements:\n  XX-01:\n    says: s\n    strength: MUST\n    clause: https://c\n";

#[test]
fn every_suite_that_is_built_in_can_be_read() {
    for (at, suite) in suites().iter().enumerate() {
        assert!(!suite.requirements.is_empty() && !suite.about.is_empty(), "{}", suite.name);
        let file = format!("scenarios/conformance/{}.yaml", suite.name);
        assert_eq!(suite.source.name(), file, "a suite has the name of its file");
        assert!(suites().iter().position(|other| other.name == suite.name) == Some(at), "{}", suite.name);
    }
}

#[test]
fn ids_and_vector_names_are_unique() {
    let suites = suites();
    let mut ids = std::collections::BTreeSet::new();
    for requirement in suites.iter().flat_map(|suite| &suite.requirements) {
        assert!(ids.insert(&requirement.id), "{} stands twice", requirement.id);
        let mut names = std::collections::BTreeSet::new();
        for vector in &requirement.vectors {
            assert!(names.insert(&vector.name), "{}/{} stands twice", requirement.id, vector.name);
        }
    }
}

#[test]
fn every_vector_that_must_restart_has_a_twin_that_must_continue() {
    for suite in suites() {
        for requirement in &suite.requirements {
            for vector in requirement.vectors.iter().filter(|v| v.must_restart() && !v.send.is_empty()) {
                let twin = requirement.vectors.iter().find(|other| Some(&other.name) == vector.twin.as_ref());
                let twin = twin.unwrap_or_else(|| panic!("{}/{} has no twin", requirement.id, vector.name));
                assert!(twin.must_continue(), "{}/{}: {}", requirement.id, vector.name, twin.name);
                assert!(twin.levels.start() <= vector.levels.start(), "{}/{}", requirement.id, vector.name);
            }
        }
    }
}

#[test]
fn wrong_files_have_a_caret_and_a_help() {
    let alone = format!("{HEAD}    vectors:\n      a: {{ send: [[traceparent, 'x']], expect: restart }}\n");
    let shown = complaint(&alone);
    assert!(shown.contains("error[no-twin]") && shown.contains("suite.yaml:9:7"), "{shown}");
    let unminted =
        format!("{HEAD}    vectors:\n      a: {{ send: [[traceparent, 'x']], expect: continue }}\n");
    assert!(complaint(&unminted).contains("error[no-trace-id]"));
    let notation =
        format!("{HEAD}    vectors:\n      a: {{ send: [[traceparent, '{{T}}{{Q}}']], expect: continue }}\n");
    assert!(complaint(&notation).contains("`{Q}` is not a placeholder"), "{}", complaint(&notation));
    let triple = format!("{HEAD}    vectors:\n      a: {{ send: [[a, b, c]], expect: restart }}\n");
    assert!(complaint(&triple).contains("error[not-a-pair]"));
    let key = format!("{HEAD}    vector: x\n    vectors:\n      a: {{ expect: restart }}\n");
    assert!(complaint(&key).contains("did you mean `vectors`?"), "{}", complaint(&key));
    let word = format!("{HEAD}    vectors:\n      a: {{ expect: contineu }}\n");
    assert!(complaint(&word).contains("contineu"), "{}", complaint(&word));
    assert!(complaint("").contains("error[empty-file]"));
}
