//! The reports of shards as one report, as one machine would have written it.
//!
//! It reads and writes the JSON reports of `run` and `conform`, and JUnit (`junit`). Nothing is judged again: verdicts
//! are taken as they stand, and the worst of them is the verdict of the whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use thiserror::Error;

use super::shard::Shard;

pub mod junit;

/// A report to merge, and the name of its file.
#[derive(Clone, Debug)]
pub struct ShardReport {
    pub name: String,
    pub text: String,
}

/// One report of all shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeReport {
    pub text: String,
    /// The shards that no report is of.
    pub missing: Vec<Shard>,
    /// `pass`, `fail` or `inconclusive`, the worst of all; at best `inconclusive` where a shard is missing.
    pub verdict: String,
    /// Oddities of the shards, one line each.
    pub warnings: Vec<String>,
}

#[derive(Debug, Error)]
pub enum MergeError {
    #[error("`{name}` is not a JSON report of `unbroken run` or `unbroken conform`")]
    Syntax { name: String, source: serde_json::Error },
    #[error("`{name}` is not a JUnit report")]
    Junit { name: String, source: quick_junit::DeserializeError },
    #[error("`{name}` is not a report of a shard: write it with `--shard K/N`")]
    NoShard { name: String },
    #[error("`{first}` and `{second}` are both of shard {shard}: leave one of them out")]
    Twice { first: String, second: String, shard: Shard },
    #[error("`{first}` and `{second}` are of different runs: {what} differ")]
    Differs { first: String, second: String, what: &'static str },
    #[error(
        "`{first}` and `{second}` both have the case `{title}`: run all shards with the same `--durations`"
    )]
    SameCase { first: String, second: String, title: String },
}

/// Verdicts from the best to the worst.
const VERDICTS: [&str; 5] = ["pass", "unsupported", "deviates", "inconclusive", "fail"];

/// Returns one JSON report of the reports of all shards.
pub fn merge(reports: &[ShardReport]) -> Result<WholeReport, MergeError> {
    let mut parts: Vec<(&str, Value)> = Vec::new();
    for ShardReport { name, text } in reports {
        let read = serde_json::from_str(text);
        parts.push((name, read.map_err(|source| MergeError::Syntax { name: name.clone(), source })?));
    }
    let shards = parts.iter().map(|(name, part)| (*name, part["shard"].as_str().unwrap_or_default()));
    let missing = missing(shards)?;
    let mut warnings = same_run(&parts)?;
    let is_conformance = parts.iter().any(|(_, part)| part.get("requirements").is_some());
    let mut whole = parts[0].1.clone();
    let list = if is_conformance { "requirements" } else { "cases" };
    whole[list] = Value::Array(entries(&parts, list)?);
    for (_, part) in &parts[1..] {
        for counts in ["counts", "summary"].iter().filter(|key| part.get(**key).is_some()) {
            add(&mut whole[*counts], &part[*counts]);
        }
    }
    for flag in ["interrupted", "partial"].iter().filter(|key| parts[0].1.get(**key).is_some()) {
        whole[*flag] = parts.iter().any(|(_, part)| part[*flag] == true).into();
    }
    whole["took_ms"] =
        parts.iter().map(|(_, part)| part["took_ms"].as_u64().unwrap_or(0)).sum::<u64>().into();
    let mut verdict = worst(parts.iter().filter_map(|(_, part)| part["verdict"].as_str()));
    warnings.extend(missing.iter().map(missing_notice));
    if !missing.is_empty() {
        verdict = worst([verdict, "inconclusive"].into_iter());
        whole[if is_conformance { "interrupted" } else { "partial" }] = true.into();
    }
    whole["verdict"] = verdict.into();
    if !is_conformance {
        whole["fixed"] = texts(&parts, "fixed").into_iter().collect();
        whole["warnings"] = texts(&parts, "warnings").into_iter().chain(warnings.iter().cloned()).collect();
    }
    if let Some(object) = whole.as_object_mut() {
        object.remove("shard");
    }
    let verdict = verdict.to_owned();
    let text =
        serde_json::to_string_pretty(&whole).expect("a value always serialises").replace("##[", "\\u0023#[");
    Ok(WholeReport { text: text + "\n", missing, verdict, warnings })
}

/// Returns the shards that are missing, or what is wrong about those that are there.
fn missing<'r>(shards: impl Iterator<Item = (&'r str, &'r str)>) -> Result<Vec<Shard>, MergeError> {
    let mut known: BTreeMap<Shard, &str> = BTreeMap::new();
    for (name, shard) in shards {
        let shard: Shard = shard.parse().map_err(|_| MergeError::NoShard { name: name.to_owned() })?;
        if let Some((other, first)) = known.iter().next()
            && other.of() != shard.of()
        {
            let (first, second) = ((*first).to_owned(), name.to_owned());
            return Err(MergeError::Differs { first, second, what: "the numbers of shards" });
        }
        if let Some(first) = known.insert(shard, name) {
            return Err(MergeError::Twice { first: first.to_owned(), second: name.to_owned(), shard });
        }
    }
    let of = known.keys().next().map_or(0, |shard| shard.of());
    let all = (1..=of).filter_map(|number| Shard::new(number, of).ok());
    Ok(all.filter(|shard| !known.contains_key(shard)).collect())
}

fn missing_notice(shard: &Shard) -> String {
    format!("shard {shard} is missing: its cases are not in this report")
}

/// Checks that all reports are of one run. Returns a warning where they have seeds of their own.
fn same_run(parts: &[(&str, Value)]) -> Result<Vec<String>, MergeError> {
    let (first, whole) = &parts[0];
    for (second, part) in &parts[1..] {
        for (key, what) in [
            ("version", "the versions of the report"),
            ("tool", "the versions of unbroken"),
            ("repeats", "the numbers of repeats"),
            ("implementation", "the targets"),
        ] {
            if whole.get(key) != part.get(key) {
                let (first, second) = ((*first).to_owned(), (*second).to_owned());
                return Err(MergeError::Differs { first, second, what });
            }
        }
    }
    let seeds: BTreeSet<&str> = parts.iter().filter_map(|(_, part)| seed(part)).collect();
    if seeds.len() < 2 {
        return Ok(Vec::new());
    }
    Ok(vec!["the shards have different seeds: run all of them with the same `--seed`".to_owned()])
}

fn seed(part: &Value) -> Option<&str> {
    part["seed"].as_str().or_else(|| part["suite"]["seed"].as_str())
}

/// Returns the cases, or the requirements, of all shards in one order.
fn entries(parts: &[(&str, Value)], list: &str) -> Result<Vec<Value>, MergeError> {
    let mut known: BTreeMap<(String, String, u64), (&str, &Value)> = BTreeMap::new();
    for (name, part) in parts {
        for entry in part[list].as_array().into_iter().flatten() {
            let title = either(entry, "title", "id");
            let key = (either(entry, "file", "suite"), title.clone(), entry["repeat"].as_u64().unwrap_or(1));
            if let Some((first, _)) = known.insert(key, (name, entry)) {
                let (first, second) = (first.to_owned(), (*name).to_owned());
                return Err(MergeError::SameCase { first, second, title });
            }
        }
    }
    Ok(known.into_values().map(|(_, entry)| entry.clone()).collect())
}

/// Returns the text at one key, or at the other.
fn either(entry: &Value, one: &str, other: &str) -> String {
    entry[one].as_str().or(entry[other].as_str()).unwrap_or_default().to_owned()
}

/// Adds the numbers of a part; groups of a summary are found by their name.
fn add(whole: &mut Value, part: &Value) {
    match part {
        Value::Object(members) => {
            for (key, value) in members.iter().filter(|(key, _)| *key != "name") {
                add(&mut whole[key], value);
            }
        }
        Value::Array(groups) => {
            if !whole.is_array() {
                *whole = json!([]);
            }
            let known = whole.as_array_mut().expect("it was made an array");
            for group in groups {
                match known.iter_mut().find(|known| known["name"] == group["name"]) {
                    Some(known) => add(known, group),
                    None => known.push(group.clone()),
                }
            }
        }
        number => *whole = (whole.as_u64().unwrap_or(0) + number.as_u64().unwrap_or(0)).into(),
    }
}

fn worst<'v>(verdicts: impl Iterator<Item = &'v str>) -> &'static str {
    let ranks = verdicts.filter_map(|verdict| VERDICTS.iter().position(|known| *known == verdict));
    VERDICTS[ranks.max().unwrap_or(0)]
}

fn texts(parts: &[(&str, Value)], key: &str) -> BTreeSet<String> {
    let lines = parts.iter().flat_map(|(_, part)| part[key].as_array().into_iter().flatten());
    lines.filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, shard: &str, cases: &[(&str, &str)], verdict: &str) -> ShardReport {
        let cases: Vec<Value> = cases
            .iter()
            .map(|(title, verdict)| json!({ "title": title, "file": "a.yaml", "repeat": 1, "verdict": verdict }))
            .collect();
        let number = cases.len();
        let report = json!({
            "version": 2, "tool": { "version": "1" }, "verdict": verdict, "shard": shard, "interrupted": false,
            "partial": false, "seed": "7", "repeats": 1, "took_ms": 10, "counts": { "due": number, "pass": number },
            "fixed": [], "warnings": ["w"], "cases": cases,
        });
        ShardReport { name: name.to_owned(), text: report.to_string() }
    }

    #[test]
    fn shards_become_one_report_in_the_order_of_one_run() {
        let one = report("1.json", "1/2", &[("c", "pass")], "pass");
        let two = report("2.json", "2/2", &[("b", "fail"), ("a", "pass")], "fail");
        let merged = merge(&[one, two]).unwrap();
        let whole: Value = serde_json::from_str(&merged.text).unwrap();
        let titles: Vec<&str> =
            whole["cases"].as_array().unwrap().iter().filter_map(|case| case["title"].as_str()).collect();
        assert_eq!(titles, ["a", "b", "c"]);
        assert_eq!((whole["counts"]["due"].as_u64(), whole["took_ms"].as_u64()), (Some(3), Some(20)));
        assert_eq!((whole["verdict"].as_str(), merged.verdict.as_str()), (Some("fail"), "fail"));
        assert_eq!(whole["warnings"], json!(["w"]));
        assert_eq!((whole.get("shard"), merged.missing.len()), (None, 0));
    }

    #[test]
    fn a_missing_shard_is_named_and_never_passes() {
        let merged = merge(&[report("1.json", "1/3", &[("a", "pass")], "pass")]).unwrap();
        let missing: Vec<String> = merged.missing.iter().map(Shard::to_string).collect();
        assert_eq!((missing.join(" ").as_str(), merged.verdict.as_str()), ("2/3 3/3", "inconclusive"));
        let whole: Value = serde_json::from_str(&merged.text).unwrap();
        assert_eq!(whole["partial"], true);
        assert!(whole["warnings"].to_string().contains("shard 3/3 is missing"), "{whole}");
    }

    #[test]
    fn reports_that_are_not_the_shards_of_one_run_are_refused() {
        let one = || report("1.json", "1/2", &[("a", "pass")], "pass");
        let of = |name: &str, shard: &str, title: &str| report(name, shard, &[(title, "pass")], "pass");
        for (other, message) in [
            (of("2.json", "1/2", "b"), "`1.json` and `2.json` are both of shard 1/2"),
            (of("2.json", "2/3", "b"), "the numbers of shards differ"),
            (of("2.json", "", "b"), "`2.json` is not a report of a shard"),
            (of("2.json", "2/2", "a"), "both have the case `a`"),
            (ShardReport { name: "2.json".into(), text: "{".into() }, "`2.json` is not a JSON report"),
        ] {
            let error = merge(&[one(), other]).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
