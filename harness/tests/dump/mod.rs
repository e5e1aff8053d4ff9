//! The findings of every case of a test program, as one checked-in file: `tests/dump/NAME.txt`.
//!
//! A row is `case | hops | class | side | hits of looked-at`, a case without findings one row that ends in `nothing`.
//! A change that means to change words only must leave these files alone. `UPDATE_EXPECT=1` rewrites the rows of the
//! cases that ran; a count that timing decides is written `*` by hand, and stays so. `UNBROKEN_KEEP=FOLDER` stores what
//! each case was judged from: its scenario as it was run, and its evidence, for `unbroken judge`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use unbroken::evidence::{Evidence, file};
use unbroken::plan::Plan;
use unbroken::rules::Finding;

/// One file of rows.
pub struct Dump {
    name: &'static str,
    /// The rows of the cases that ran, for rewriting.
    ran: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Dump {
    pub const fn new(name: &'static str) -> Dump {
        Dump { name, ran: Mutex::new(BTreeMap::new()) }
    }

    /// Compares the findings of one case with its rows.
    pub fn compare(&self, case: &str, findings: &[Finding]) -> Result<(), String> {
        let seen = rows(case, findings);
        if rewrites() {
            let mut ran = self.ran.lock().unwrap_or_else(PoisonError::into_inner);
            ran.insert(case.to_owned(), seen);
            return Ok(());
        }
        let expected = self.read().remove(case).unwrap_or_default();
        let same =
            expected.len() == seen.len() && expected.iter().zip(&seen).all(|(one, two)| agree(one, two));
        if same {
            return Ok(());
        }
        Err(format!("{} has for this case\n{expected:#?}\nand was found\n{seen:#?}", self.path().display()))
    }

    /// Checks that the file has no case but these, or rewrites it after they ran.
    pub fn end(&self, cases: &BTreeSet<String>) -> Result<(), String> {
        let mut known = self.read();
        if rewrites() {
            for (case, rows) in &*self.ran.lock().unwrap_or_else(PoisonError::into_inner) {
                let rows = keep_stars(known.get(case), rows);
                known.insert(case.clone(), rows);
            }
            known.retain(|case, _| cases.contains(case));
            let text: String = known.into_values().flatten().map(|row| row + "\n").collect();
            return fs::write(self.path(), text).map_err(|error| error.to_string());
        }
        let others: Vec<&String> = known.keys().filter(|case| !cases.contains(*case)).collect();
        if others.is_empty() { Ok(()) } else { Err(format!("rows of cases that do not exist: {others:#?}")) }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dump").join(format!("{}.txt", self.name))
    }

    fn read(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in fs::read_to_string(self.path()).unwrap_or_default().lines() {
            let case = row.split(" | ").next().unwrap_or_default();
            rows.entry(case.to_owned()).or_default().push(row.to_owned());
        }
        rows
    }
}

/// Stores what a case was judged from, where `UNBROKEN_KEEP` says so.
pub fn keep(case: &str, scenario: &str, plan: &Plan, evidence: Option<&Evidence>) {
    let (Some(folder), Some(evidence)) = (std::env::var_os("UNBROKEN_KEEP"), evidence) else { return };
    let beside = PathBuf::from(folder).join(case.replace("::", "."));
    let beside = |extension: &str| PathBuf::from(format!("{}.{extension}", beside.display()));
    let written = fs::write(beside("yaml"), scenario)
        .and_then(|()| fs::write(beside("json"), file::write(plan, evidence)));
    written.unwrap_or_else(|error| panic!("UNBROKEN_KEEP: `{case}` cannot be stored: {error}"));
}

fn rewrites() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

fn rows(case: &str, findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return vec![format!("{case} | nothing")];
    }
    let row = |finding: &Finding| {
        let grade = if finding.inconclusive { "inconclusive " } else { "" };
        let (class, side, hops) = (finding.class.word(), finding.side.word(), finding.hops.join(" and "));
        format!("{case} | {hops} | {grade}{class} | {side} | {} of {}", finding.hit, finding.of)
    };
    findings.iter().map(row).collect()
}

/// Compares two rows without the count where a real broker decides it: it may deliver again.
fn agree(expected: &str, seen: &str) -> bool {
    let (expected, seen) = (counted(expected), counted(seen));
    let counts = expected.1 == seen.1 || expected.1 == "*" || std::env::var_os("UNBROKEN_RUNTIME").is_some();
    expected.0 == seen.0 && counts
}

/// Returns the row without its count, and the count.
fn counted(row: &str) -> (&str, &str) {
    row.rsplit_once(" | ").unwrap_or((row, ""))
}

fn keep_stars(known: Option<&Vec<String>>, rows: &[String]) -> Vec<String> {
    let known = known.map_or(&[][..], Vec::as_slice);
    let kept = |row: &String| {
        let star = known.iter().find(|known| counted(known) == (counted(row).0, "*"));
        star.unwrap_or(row).clone()
    };
    rows.iter().map(kept).collect()
}
