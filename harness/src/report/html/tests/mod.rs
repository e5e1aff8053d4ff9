//! The structure, the escaping and the size of the page; `browser` looks at it in Chromium.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::report::{Case, Outcome, samples};
use crate::verdict::CaseEnd;

mod browser;

/// Ends a script, begins a comment, loads something, reorders a line, and colours a terminal.
const HOSTILE: &str = "</script><script>document.body.dataset.hostile = 'ran'</script><!-- <img src=x onerror=alert(1)> & \u{202e}txt \u{1b}[31m ##[error]x";

/// Returns each value that the page holds, by its id.
fn data(page: &str) -> BTreeMap<String, Value> {
    const START: &str = "<script type=\"application/json\" id=\"";
    let pieces = page.split(START).skip(1);
    let values = pieces.map(|piece| {
        let (id, rest) = piece.split_once("\">").expect("the attribute ends");
        let (json, _) = rest.split_once("</script>").expect("the element ends");
        (id.to_owned(), serde_json::from_str(json).expect("it is JSON"))
    });
    values.collect()
}

/// Returns a case in which every text of a service is hostile.
fn hostile() -> Case {
    let mut case = samples::one_break().cases.remove(0);
    let CaseEnd::Judged(judged) = &mut case.end else { panic!("the sample is judged") };
    judged.outputs = vec![("shop".into(), vec![HOSTILE.into()])];
    judged.about = Some(HOSTILE.into());
    let finding = &mut judged.findings[0];
    (finding.message, finding.actual) = (HOSTILE.into(), HOSTILE.into());
    for example in &mut judged.examples {
        example.texts_mut().for_each(|text| *text = HOSTILE.into());
    }
    case
}

fn outcome(cases: Vec<Case>) -> Outcome {
    Outcome { due: cases.len(), repeats: 1, took: Duration::from_secs(1), cases, ..Outcome::default() }
}

#[test]
fn the_page_holds_the_json_report_and_the_details_of_each_case() {
    for (name, outcome) in samples::all() {
        let data = data(&render(&outcome));
        let report: Value = serde_json::from_str(&json::render(&outcome)).unwrap();
        assert_eq!(data["report"], report, "{name}");
        assert_eq!(data.len(), 2 + outcome.cases.len(), "{name}");
        for (at, case) in outcome.cases.iter().enumerate() {
            let details = &data[&format!("details-{at}")];
            assert_eq!(details["command"], command::again(case, outcome.seed), "{name}");
            let examples = case.judged().map_or(0, |judged| judged.examples.len());
            assert_eq!(details["examples"].as_array().unwrap().len(), examples, "{name}");
        }
    }
}

#[test]
fn the_page_explains_the_classes_that_occur_and_no_others() {
    let explained = &data(&render(&samples::two_breaks()))["explanations"];
    let classes: Vec<_> = explained.as_object().unwrap().keys().collect();
    assert_eq!(classes, ["not-injected", "tracestate-lost"]);
    assert!(explained["not-injected"].as_str().unwrap().contains("## Usual causes"));
}

#[test]
fn text_of_a_service_is_never_markup() {
    let plain = render(&outcome(samples::one_break().cases));
    let page = render(&outcome(vec![hostile()]));
    for markup in ["</script", "<script", "<img", "<!--"] {
        assert_eq!(page.matches(markup).count(), plain.matches(markup).count(), "{markup}");
    }
    assert!(!page.contains("##["));
    let data = data(&page);
    assert_eq!(data["details-0"]["examples"][0]["spans"][0]["name"], HOSTILE);
    assert_eq!(data["details-0"]["examples"][0]["crossings"][0]["sent"]["fields"][0][1], HOSTILE);
    assert_eq!(data["report"]["cases"][0]["judged"]["findings"][0]["message"], HOSTILE);
}

#[test]
fn the_script_has_no_way_from_text_to_markup_or_code() {
    for script in SCRIPTS {
        for way in
            ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "srcdoc"]
        {
            assert!(!script.contains(way), "{way}");
        }
    }
}

#[test]
fn nothing_is_loaded() {
    // Arrow heads are named by a place in the page.
    let page = render(&samples::all_pass()).replace("url(#", "");
    assert!(page.contains("default-src 'none'"));
    for way in [" src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(way), "{way}");
    }
}

#[test]
fn a_reader_without_a_script_sees_what_did_not_pass() {
    let page = render(&samples::mixed());
    let (_, fallback) = page.split_once("<noscript>").unwrap();
    let (fallback, _) = fallback.split_once("</noscript>").unwrap();
    assert!(fallback.contains("<li>fail order-is-billed [times=50, it&#39;s]: "), "{fallback}");
    assert!(fallback.contains("<li>could not run order-is-billed [sampled=true]: "), "{fallback}");
    assert!(!fallback.contains("sampled=false"), "{fallback}");
}

/// Returns a run of 500 cases with 100,000 spans, of which the last case fails.
fn large() -> Outcome {
    let [pass, fail] = [samples::all_pass(), samples::one_break()].map(|mut outcome| outcome.cases.remove(0));
    let mut cases = vec![pass; 499];
    cases.push(fail);
    for (number, case) in cases.iter_mut().enumerate() {
        case.title = format!("case {number}");
        let CaseEnd::Judged(judged) = &mut case.end else { panic!("the samples are judged") };
        for example in &mut judged.examples {
            example.spans = vec![example.spans[0].clone(); 200];
        }
    }
    outcome(cases)
}

#[test]
fn a_large_run_leaves_out_details_of_cases_that_passed() {
    let page = render(&large());
    assert!(page.len() < 15 << 20, "{} bytes", page.len());
    let data = data(&page);
    assert_eq!(data["details-499"]["left_out"], false);
    assert_eq!(data["details-499"]["examples"][0]["spans"].as_array().unwrap().len(), 200);
    assert_eq!(data["details-498"]["left_out"], true);
    assert!(data["details-498"]["examples"].as_array().unwrap().is_empty());
}
