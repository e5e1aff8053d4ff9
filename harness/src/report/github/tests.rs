use std::time::Duration;

use super::*;
use crate::report::samples;
use crate::report::{Case, Outcome};
use crate::verdict::CaseEnd;

#[test]
fn annotations_of_every_sample() {
    for (name, outcome) in samples::all() {
        insta::assert_snapshot!(format!("annotations_{name}"), annotations(&outcome));
    }
}

#[test]
fn summaries_of_the_samples() {
    for (name, outcome) in samples::all() {
        insta::assert_snapshot!(format!("summary_{name}"), summary(&outcome));
    }
}

#[test]
fn an_annotation_is_one_line_whatever_its_text() {
    for (name, outcome) in samples::all() {
        for line in annotations(&outcome).lines() {
            let (head, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (level, properties) = head.split_once(' ').unwrap();
            assert!(["error", "warning", "notice"].contains(&level), "{name}: {line}");
            let names: Vec<_> =
                properties.split(',').map(|property| property.split_once('=').unwrap().0).collect();
            let expected: &[_] =
                if properties == "title=unbroken" { &["title"] } else { &["file", "line", "col", "title"] };
            assert_eq!(names, expected, "{name}: {line}");
        }
    }
}

#[test]
fn characters_that_end_a_property_are_escaped() {
    let mut outcome = samples::could_not_run();
    let CaseEnd::CouldNotRun(error) = &mut outcome.cases[0].end else { panic!("the sample could not run") };
    error.message = "100% of a,b::c\nnext\rline".into();
    outcome.cases[0].title = "a,b:c%".into();
    outcome.cases[0].file = "dir,x/a:b.yaml".into();
    assert_eq!(
        annotations(&outcome),
        "::error file=dir%2Cx/a%3Ab.yaml,line=1,col=1,title=could not run a%2Cb%3Ac%25::\
         100%25 of a,b::c%0Anext\\x0dline%0Acaused by: exit status 1 after 0.3 s\n"
    );
}

#[test]
fn a_summary_never_exceeds_the_limit_of_github() {
    let one = samples::long_and_odd();
    let cases = (0..3_000)
        .map(|number| Case { title: format!("case {number}"), took: Duration::ZERO, ..one.cases[0].clone() })
        .collect();
    let text = summary(&Outcome { cases, ..one });
    assert!(text.len() < 1024 * 1024, "{}", text.len());
    assert!(text.contains("… and the stories of "), "the other cases are not counted");
}

#[test]
fn one_reason_for_many_cases_is_one_annotation_and_one_story() {
    let one = samples::could_not_run();
    let cases =
        (0..40).map(|number| Case { title: format!("case {number}"), ..one.cases[0].clone() }).collect();
    let outcome = Outcome { cases, ..one };
    let lines = annotations(&outcome);
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains("title=could not run 40 cases::") && lines.contains("and 30 more"), "{lines}");
    assert_eq!(summary(&outcome).matches("<details").count(), 1);
}
