//! Scenario files as a whole: bad ones beside their diagnostics, good ones beside their values.
//!
//! `UPDATE_EXPECT=1` writes the actual text instead of comparing it; read the difference then.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use unbroken::diagnostic;
use unbroken::scenario::{self, Scenario, ScenarioReadError};
use unbroken::source::Source;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// Returns the values of a file, or the diagnostics that `unbroken check` prints, under the name of the file.
fn said_of(path: &Path) -> Result<Vec<Scenario>, String> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let said = |source: &Source, diagnostics: &[_]| {
        let shown = Source::new(name, source.text());
        diagnostic::render(&shown, diagnostics, false)
    };
    match scenario::read(path) {
        Ok(source) => scenario::parse(&source).map_err(|diagnostics| said(&source, &diagnostics)),
        Err(ScenarioReadError::Bad { text, diagnostics }) => Err(said(&text, &diagnostics)),
        Err(error) => panic!("{error}"),
    }
}

/// Compares with the file, or writes it. Returns the difference.
fn expect(path: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, actual).unwrap();
        return None;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let differs = expected.trim_end() != actual.trim_end();
    differs.then(|| format!("{}\n--- expected\n{expected}\n--- actual\n{actual}", path.display()))
}

#[test]
fn each_bad_scenario_gets_the_diagnostics_beside_it() {
    let mut wrong = String::new();
    let files = files("bad-scenarios");
    for path in &files {
        match said_of(path) {
            Ok(_) => writeln!(wrong, "{} is taken as good", path.display()).unwrap(),
            Err(said) => wrong.extend(expect(&path.with_extension("txt"), &said)),
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nUPDATE_EXPECT=1 writes the diagnostics");
    assert!(files.len() >= 40, "{} bad scenarios", files.len());
}

#[test]
fn good_scenarios_become_the_cases_in_their_snapshots() {
    for path in files("good-scenarios") {
        let cases = said_of(&path).unwrap_or_else(|said| panic!("{said}"));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("good-scenarios");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = path.file_stem().unwrap().to_str().unwrap();
        settings.bind(|| insta::assert_snapshot!(name, shown(&cases)));
    }
}

/// All case names, and the first case in full without places.
fn shown(cases: &[Scenario]) -> String {
    let mut out = String::new();
    for case in cases {
        writeln!(out, "case: {}", case.title()).unwrap();
    }
    let Scenario { about, nodes, hops, drives, expect, timeout, .. } = &cases[0];
    writeln!(out, "about: {about:?}").unwrap();
    for part in [format!("{nodes:#?}"), format!("{hops:#?}"), format!("{drives:#?}"), format!("{expect:#?}")]
    {
        out.push_str(&without_places(&part));
        out.push('\n');
    }
    writeln!(out, "timeout: {timeout:?}").unwrap();
    out
}

/// Places are bytes, which no reader checks; newtypes and options of one line are put on one line.
fn without_places(debug: &str) -> String {
    let mut out = String::new();
    let mut skipping = None;
    for line in debug.lines() {
        let indent = line.len() - line.trim_start().len();
        if skipping == Some(indent) {
            skipping = None;
            continue;
        }
        if skipping.is_some() {
            continue;
        }
        if line.trim_end().ends_with("Place {") {
            skipping = Some(indent);
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    folded(&out)
}

/// `Some(` / `x,` / `),` -> `Some(x),`.
fn folded(debug: &str) -> String {
    let lines: Vec<&str> = debug.lines().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < lines.len() {
        let open = lines[at].ends_with('(') || lines[at].ends_with('[');
        let closes = |line: &&str| line.trim_start().starts_with([')', ']']);
        if open && lines.get(at + 2).is_some_and(closes) {
            let inner = lines[at + 1].trim().trim_end_matches(',');
            writeln!(out, "{}{inner}{}", lines[at], lines[at + 2].trim()).unwrap();
            at += 3;
        } else {
            writeln!(out, "{}", lines[at]).unwrap();
            at += 1;
        }
    }
    if out.lines().count() < lines.len() { folded(&out) } else { out }
}

#[test]
fn the_schema_that_is_checked_in_is_the_one_of_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/schema.json");
    let schema = serde_json::to_string_pretty(&scenario::schema()).unwrap() + "\n";
    let differs = expect(&path, &schema).map(|_| "scenarios/schema.json is stale: run with UPDATE_EXPECT=1");
    assert_eq!(differs, None);
}
