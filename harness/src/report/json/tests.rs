use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::breaks::Class;
use crate::report::samples;
use crate::scenario::Expectation;

#[test]
fn the_report_of_one_break() {
    insta::assert_snapshot!(render(&samples::one_break()));
}

#[test]
fn every_sample_keeps_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    for (name, outcome) in samples::all() {
        let report: Value = serde_json::from_str(&render(&outcome)).unwrap();
        let mut wrong = Vec::new();
        check(&schema, &schema, &report, "$", &mut wrong);
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[test]
fn a_report_that_differs_is_refused_by_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let good: Value = serde_json::from_str(&render(&samples::one_break())).unwrap();
    let differ: [fn(&mut Value); 7] = [
        |report| report["version"] = 1.into(),
        |report| report["extra"] = true.into(),
        |report| report["seed"] = 7.into(),
        |report| report["cases"][0]["verdict"] = "passed".into(),
        |report| report["cases"][0]["judged"]["findings"][0]["class"] = "unheard-of".into(),
        |report| report["cases"][0]["judged"]["findings"][0]["break"]["side"] = "nobody".into(),
        |report| drop(report["cases"][0]["judged"]["hops"][0].as_object_mut().unwrap().remove("from")),
    ];
    for differ in differ {
        let mut report = good.clone();
        differ(&mut report);
        let mut wrong = Vec::new();
        check(&schema, &schema, &report, "$", &mut wrong);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }
}

#[test]
fn the_schema_describes_nothing_that_is_never_written() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut described = BTreeSet::new();
    described_keys(&schema, &mut described);
    let mut written = BTreeSet::new();
    for (_, outcome) in samples::all() {
        written_keys(&serde_json::from_str(&render(&outcome)).unwrap(), &mut written);
    }
    assert_eq!(described, written);
}

#[test]
fn the_schema_names_every_rule_and_class() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let words = |value: &Value| -> Vec<String> {
        value["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let classes: Vec<_> = Class::ALL.iter().map(|class| class.word()).collect();
    let rules: Vec<_> = Expectation::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(words(&schema["$defs"]["class"]), classes);
    assert_eq!(words(&schema["$defs"]["rule-id"]), rules);
}

/// Checks the part of JSON Schema that our own schema uses. An unknown keyword fails, so that none is skipped silently.
fn check(root: &Value, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let kept = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, path, wrong);
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "boolean" => value.is_boolean(),
                other => panic!("type {other}"),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "pattern" => {
                assert_eq!(rule, "^[0-9]+$");
                value.as_str().is_none_or(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{path}[{at}]"), wrong);
                }
                true
            }
            "properties" => {
                for (key, item) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(key) {
                        check(root, rule, item, &format!("{path}.{key}"), wrong);
                    }
                }
                true
            }
            "required" => {
                rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                value
                    .as_object()
                    .is_none_or(|it| it.keys().all(|key| schema["properties"].get(key).is_some()))
            }
            other => panic!("keyword {other}"),
        };
        if !kept {
            wrong.push(format!("{path}: {keyword}"));
        }
    }
}

fn described_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                keys.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| described_keys(inner, keys));
        }
        Value::Array(items) => items.iter().for_each(|inner| described_keys(inner, keys)),
        _ => {}
    }
}

fn written_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            keys.extend(map.keys().cloned());
            map.values().for_each(|inner| written_keys(inner, keys));
        }
        Value::Array(items) => items.iter().for_each(|inner| written_keys(inner, keys)),
        _ => {}
    }
}

#[test]
fn no_line_is_a_command_of_a_ci_server() {
    let mut outcome = samples::could_not_run();
    let CaseEnd::CouldNotRun(error) = &mut outcome.cases[0].end else { panic!("the sample could not run") };
    error.message = "##[error]x".into();
    let text = render(&outcome);
    assert!(!text.contains("##["), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["cases"][0]["error"]["message"], "##[error]x");
}
