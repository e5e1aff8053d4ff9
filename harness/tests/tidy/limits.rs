//! The limits of the house on files, functions, lines, names of files, manifests, and what may not be left in sources.

use std::path::Path;

use crate::{is_test_file, root, sources, without_tests};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const LINE_LENGTH: usize = 120;
const FORBIDDEN_NAMES: &[&str] = &["util", "utils", "helpers", "common", "core", "misc", "manager"];

#[test]
fn files_functions_and_lines_stay_short() {
    let mut wrong = Vec::new();
    for (path, text) in sources(&root()) {
        let shown = path.strip_prefix(root()).expect("found below it").display().to_string();
        let test = is_test_file(&path);
        let code = without_tests(&text);
        if !test && code.lines().count() > FILE_LINES {
            wrong.push(format!("{shown} has {} lines, limit {FILE_LINES}", code.lines().count()));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_LENGTH && !line.contains("http") && !line.contains('"') {
                wrong.push(format!("{shown}:{} is longer than {LINE_LENGTH}", number + 1));
            }
        }
        wrong.extend(long_functions(&text).into_iter().map(|at| format!("{shown}:{at}")));
    }
    assert!(wrong.is_empty(), "over the limits:\n{}", wrong.join("\n"));
}

/// `line: a function of N lines`, found by the brace that closes at the indentation of its `fn`.
fn long_functions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim_start();
        let begins = code.starts_with("fn ")
            || (code.starts_with("pub") || code.starts_with("async ")) && code.contains("fn ");
        match open {
            None if begins && !code.ends_with(';') && !code.ends_with('}') => open = Some((number, indent)),
            Some((start, at)) if indent == at && code.starts_with('}') => {
                if number - start + 1 > FUNCTION_LINES {
                    found.push(format!("{}: a function of {} lines", start + 1, number - start + 1));
                }
                open = None;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn no_file_is_named_for_what_it_is_not() {
    let named = sources(&root()).into_iter().filter(|(path, _)| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder =
            path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        FORBIDDEN_NAMES.contains(&stem.as_str()) || FORBIDDEN_NAMES.contains(&folder.as_str())
    });
    let wrong: Vec<String> = named.map(|(path, _)| path.display().to_string()).collect();
    assert!(wrong.is_empty(), "name them for what is in them: {wrong:?}");
}

#[test]
fn every_file_says_what_it_is() {
    let bare = sources(&root())
        .into_iter()
        .filter(|(path, text)| !path.ends_with("tests.rs") && !text.starts_with("//!"));
    let wrong: Vec<String> = bare.map(|(path, _)| path.display().to_string()).collect();
    assert!(wrong.is_empty(), "files that do not open with `//!`: {wrong:#?}");
}

#[test]
fn versions_stand_in_the_workspace_manifest_only() {
    let mut wrong = Vec::new();
    let root = root();
    let manifests =
        ["harness", "in-memory-collector"].map(|name| root.join(name).join("Cargo.toml")).into_iter();
    let fixtures = std::fs::read_dir(root.join("fixtures")).into_iter().flatten().flatten();
    for path in manifests.chain(fixtures.map(|entry| entry.path().join("Cargo.toml"))) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let below = text.split("dependencies]").skip(1);
        for line in below.flat_map(|part| part.lines().skip(1).take_while(|line| !line.starts_with('['))) {
            if line.contains("version =") || line.contains("= \"") {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_sleeps_and_nothing_is_left_open() {
    let mut wrong = Vec::new();
    let own = Path::new(file!()).file_name();
    for (path, text) in sources(&root()).into_iter().filter(|(path, _)| path.file_name() != own) {
        let shown = path.display().to_string();
        // The benchmark's sink throws away at an interval; that is what is measured.
        let fixture = shown.contains("/fixtures/") || shown.contains("/in-memory-collector/bench/");
        for (number, line) in text.lines().enumerate() {
            let open =
                ["todo!(", "unimplemented!(", "#[ignore", "dbg!("].iter().any(|left| line.contains(left));
            let sleeps = !fixture && (line.contains("time::sleep(") || line.contains("thread::sleep("));
            if open || sleeps {
                wrong.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
