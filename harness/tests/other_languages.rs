//! Ordinary services in other languages, through the command: each scenario under `fixtures/*-services` ends with
//! exactly the findings that its comment names.
//!
//! The packages of the services are installed once, under the target directory. Where that is impossible (no
//! interpreter, no registry), the tests print one line and pass, unless `UNBROKEN_REQUIRE_LANGUAGES=1` is set.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[path = "other_languages/node.rs"]
mod node;
#[path = "other_languages/python.rs"]
mod python;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A language, and the services that show it.
struct Language {
    /// The folder under `fixtures/`.
    folder: &'static str,
    /// The scenarios find what was installed by this variable.
    variable: &'static str,
    /// The files that name the packages; they are installed again after a change.
    packages: &'static [&'static str],
    /// Installs the packages of the first folder into the second.
    install: fn(&Path, &Path) -> Result<(), String>,
    ends: &'static [End],
    /// Every hop that leaves the relation open, and what was seen there: `CASE, HOP: RELATION`.
    seen: &'static [&'static str],
}

/// The expected end of one case.
struct End {
    case: &'static str,
    /// The exit status when it is judged alone.
    status: i32,
    /// The whole list: `CLASS at HOPS, SIDE NODE, HIT of LOOKED-AT`.
    findings: &'static [&'static str],
    /// A text of the first finding: in its message, inside it, or in its missing witness. Where a case is inconclusive
    /// without a finding, a text of its only gap.
    text: &'static str,
}

const PASS: i32 = 0;
const FAIL: i32 = 4;
const INCONCLUSIVE: i32 = 5;

const fn passes(case: &'static str) -> End {
    End { case, status: PASS, findings: &[], text: "" }
}

const fn fails(case: &'static str, findings: &'static [&'static str], text: &'static str) -> End {
    End { case, status: FAIL, findings, text }
}

const fn inconclusive(case: &'static str, findings: &'static [&'static str], text: &'static str) -> End {
    End { case, status: INCONCLUSIVE, findings, text }
}

const fn unproven(case: &'static str, text: &'static str) -> End {
    End { case, status: INCONCLUSIVE, findings: &[], text }
}

#[test]
fn python_services_end_as_their_scenarios_say() {
    ends_as_it_should(&python::LANGUAGE);
}

#[test]
fn node_services_end_as_their_scenarios_say() {
    ends_as_it_should(&node::LANGUAGE);
}

#[test]
fn the_python_service_for_authors_of_sdks_is_tried() {
    conforms(&python::LANGUAGE, |packages, services| {
        let mut command = vec![packages.join("bin/opentelemetry-instrument"), packages.join("bin/python")];
        command.push(services.join("service.py"));
        command
    });
}

#[test]
fn the_node_service_for_authors_of_sdks_is_tried() {
    conforms(&node::LANGUAGE, |packages, services| {
        let instrumentation =
            packages.join("node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js");
        vec!["node".into(), "--require".into(), instrumentation, services.join("service.js")]
    });
}

/// Tries some requirements on a service of `fixtures/sdk-authors`, with the packages of the language's other services.
fn conforms(language: &Language, command: impl Fn(&Path, &Path) -> Vec<PathBuf>) {
    let fixtures = root().join("fixtures");
    let packages = match installed(language, &fixtures.join(language.folder)) {
        Ok(packages) => packages,
        Err(why) => return skip("sdk-authors", &why),
    };
    let output = unbroken(language, &packages)
        .env("NODE_PATH", packages.join("node_modules"))
        .args(["conform", "--wire-only", "--only", "TP-10,TP-11,TS-14,BG-11/case", "--"])
        .args(command(&packages, &fixtures.join("sdk-authors")))
        .arg("${self.port}")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(PASS), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}

/// `python3 -m venv`, and the pinned packages in it.
fn virtual_environment(services: &Path, into: &Path) -> Result<(), String> {
    run(Command::new("python3").args(["-m", "venv"]).arg(into))?;
    let mut install = Command::new(into.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(install.arg(services.join("requirements.txt")))
}

/// `npm ci`: what the lock file names and nothing else.
fn node_modules(services: &Path, into: &Path) -> Result<(), String> {
    for file in node::LANGUAGE.packages {
        fs::copy(services.join(file), into.join(file)).unwrap();
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(into))
}

/// Runs all scenarios of the language at once, then judges what each case left.
fn ends_as_it_should(language: &Language) {
    let services = root().join("fixtures").join(language.folder);
    let packages = match installed(language, &services) {
        Ok(packages) => packages,
        Err(why) => return skip(language.folder, &why),
    };
    let kept = fresh_folder(&format!("{}-evidence", language.folder));
    let report = kept.join("report.json");
    let output = unbroken(language, &packages)
        .arg("run")
        .arg(&services)
        .arg("--keep-evidence")
        .arg(&kept)
        .arg(format!("--report=json={}", report.display()))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(FAIL), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let seen: BTreeSet<&str> = cases.iter().map(|case| text(&case["title"])).collect();
    let due: BTreeSet<&str> = language.ends.iter().map(|end| end.case).collect();
    assert_eq!(seen, due);
    let wrong: Vec<String> = cases.iter().filter_map(|case| differs(case, language)).collect();
    assert!(wrong.is_empty(), "{}\n{printed}", wrong.join("\n"));
    assert_eq!(relations_seen(cases), language.seen.iter().map(|seen| (*seen).to_owned()).collect());
    for end in language.ends {
        let judged = judge_alone(language, &packages, &services, &kept, end);
        assert_eq!(judged, Some(end.status), "exit status of `{}`", end.case);
    }
}

/// Returns the difference between a case and its expected end.
fn differs(case: &Value, language: &Language) -> Option<String> {
    let title = text(&case["title"]);
    let end = language.ends.iter().find(|end| end.case == title).unwrap();
    let Some(judged) = case.get("judged") else { return Some(format!("{title}: {}", case["error"])) };
    let findings = judged["findings"].as_array().unwrap();
    let seen: Vec<String> = findings.iter().map(shown).collect();
    let due: Vec<String> = end.findings.iter().map(|finding| (*finding).to_owned()).collect();
    let verdict = match end.status {
        PASS => "pass",
        FAIL => "fail",
        _ => "inconclusive",
    };
    let hops = judged["hops"].as_array().unwrap().iter();
    let clean = hops.filter(|hop| text(&hop["verdict"]) == "pass").count();
    let clean_due = judged["hops"].as_array().unwrap().len() - due.len();
    let beside = [&judged["gaps"], &judged["undeclared"]].map(|list| list.as_array().unwrap().len());
    let gaps_due = usize::from(end.status == INCONCLUSIVE && end.findings.is_empty());
    let shown_first = findings.first().or(judged["gaps"].get(0));
    let has_text = shown_first.is_none_or(|first| first.to_string().contains(end.text));
    let right = seen == due
        && text(&case["verdict"]) == verdict
        && clean == clean_due
        && beside == [gaps_due, 0]
        && has_text;
    (!right).then(|| format!("{title}: expected `{verdict}` {due:?} with `{}`, got {case:#}", end.text))
}

/// Returns the relations on hops whose relation leaves a choice.
fn relations_seen(cases: &[Value]) -> BTreeSet<String> {
    let hops = |case: &Value| case["judged"]["hops"].as_array().unwrap().clone();
    let seen = |case: &Value, hop: &Value| {
        let relation = hop["seen"].as_str()?;
        Some(format!("{}, {}: {relation}", text(&case["title"]), text(&hop["id"])))
    };
    cases
        .iter()
        .flat_map(|case| hops(case).iter().filter_map(|hop| seen(case, hop)).collect::<Vec<_>>())
        .collect()
}

fn shown(finding: &Value) -> String {
    let hops: Vec<&str> = finding["hops"].as_array().unwrap().iter().map(text).collect();
    format!(
        "{} at {}, {} {}, {} of {}",
        text(&finding["class"]),
        hops.join(" and "),
        text(&finding["side"]),
        text(&finding["node"]),
        finding["hit"],
        finding["of"],
    )
}

/// Returns the exit status of judging the kept evidence of one case.
fn judge_alone(language: &Language, packages: &Path, services: &Path, kept: &Path, end: &End) -> Option<i32> {
    let (name, case) = end.case.split_once(' ').unwrap_or((end.case, ""));
    let case = case.trim_matches(['[', ']']);
    let evidence = if case.is_empty() { format!("{name}.json") } else { format!("{name}--{case}.json") };
    let (_, file) = name.split_once('-').unwrap();
    let mut judge = unbroken(language, packages);
    judge.arg("judge").arg(services.join(format!("{file}.yaml")));
    judge.arg("--evidence").arg(kept.join(evidence)).output().unwrap().status.code()
}

fn unbroken(language: &Language, packages: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
    command.env(language.variable, packages).stdin(Stdio::null());
    command
}

/// Returns the folder of the packages: the one that the variable names, otherwise one under the target directory.
/// Installs them after a change.
fn installed(language: &Language, services: &Path) -> Result<PathBuf, String> {
    if let Some(packages) = std::env::var_os(language.variable) {
        return Ok(packages.into());
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Another run of this test may be installing at this moment.
    let lock = File::create(built.join(format!("{}.lock", language.folder))).unwrap();
    lock.lock().unwrap();
    let packages = built.join(language.folder);
    let wanted: String =
        language.packages.iter().map(|file| fs::read_to_string(services.join(file)).unwrap()).collect();
    let stamp = packages.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(packages);
    }
    let packages = fresh_folder(language.folder);
    (language.install)(services, &packages)?;
    fs::write(stamp, wanted).unwrap();
    Ok(packages)
}

/// An empty folder of this name under the target directory.
fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a program to its end; the last line that it said, or why it could not be started, when that was no
/// success.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{name}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("`{name}` failed: {last}"))
}

/// One line, for everybody to see.
#[allow(
    clippy::explicit_write,
    reason = "what `eprintln` writes is swallowed by the capture of the test runner"
)]
fn skip(folder: &str, why: &str) {
    let required = std::env::var_os("UNBROKEN_REQUIRE_LANGUAGES").is_some_and(|value| value == "1");
    assert!(!required, "`fixtures/{folder}` could not be prepared: {why}");
    let line = format!("skipped: fixtures/{folder}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
