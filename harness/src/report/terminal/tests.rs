use super::*;
use crate::report::samples;
use crate::verdict::CaseEnd;

/// Snapshots of each sample as a person without colours reads it.
#[test]
fn every_sample_reads_well() {
    for (name, outcome) in samples::all() {
        insta::assert_snapshot!(name, render(&outcome, Layout::default()));
    }
}

#[test]
fn a_verbose_report_shows_rules_and_notes() {
    let layout = Layout { detail: Detail::Everything, ..Layout::default() };
    insta::assert_snapshot!("all_pass_verbose", render(&samples::all_pass(), layout));
}

#[test]
fn colours_mean_something_and_change_no_text() {
    let colour = Layout { palette: Palette::Colour, ..Layout::default() };
    for (name, outcome) in samples::all() {
        let painted = render(&outcome, colour);
        assert_eq!(without_colours(&painted), render(&outcome, Layout::default()), "{name}");
    }
    insta::assert_snapshot!("one_break_coloured", render(&samples::one_break(), colour).replace('\x1b', "␛"));
}

#[test]
fn prose_and_bytes_keep_to_the_width() {
    for width in [60, 80, 100] {
        let layout = Layout { width, ..Layout::default() };
        for (name, outcome) in samples::all() {
            for line in render(&outcome, layout).lines().filter(|line| may_wrap(line)) {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
            }
        }
    }
    insta::assert_snapshot!(
        "one_break_narrow",
        render(&samples::one_break(), Layout { width: 60, ..Layout::default() })
    );
}

#[test]
fn what_nodes_print_cannot_reach_the_terminal_as_control_characters() {
    for (name, outcome) in samples::all() {
        let text = render(&outcome, Layout::default());
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}");
    }
}

/// Commands, the map and the lines of titles stay whole: they are copied or compared by eye.
fn may_wrap(line: &str) -> bool {
    let whole = ["run again", "declared", "│", "→", "fail", "pass", "case", "inconclusive", "could not run"];
    !whole.iter().any(|part| line.contains(part)) && !line.contains("traceparent") && line.contains(' ')
}

fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split("\x1b[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[test]
fn a_long_output_is_cut_to_its_end() {
    let mut outcome = samples::could_not_run();
    let CaseEnd::CouldNotRun(error) = &mut outcome.cases[0].end else { panic!("the sample could not run") };
    error.lines = (1..=100).map(|line| format!("line {line}")).collect();
    let text = render(&outcome, Layout::default());
    assert!(
        text.contains("│ ... 50 lines before these; `--keep-evidence` keeps them\n        │ line 51\n"),
        "{text}"
    );
    assert!(text.contains("│ line 100\n") && !text.contains("│ line 50\n"), "{text}");
}

#[test]
fn one_reason_for_many_cases_is_printed_once() {
    let mut outcome = samples::mixed();
    let could_not_run = outcome.cases[2].clone();
    let more = ["other [a]", "other [b]"].map(|title| Case { title: title.into(), ..could_not_run.clone() });
    outcome.cases.extend(more);
    insta::assert_snapshot!("one_reason", render(&outcome, Layout::default()));
}

#[test]
fn a_partial_report_says_so() {
    let outcome = Outcome { under_way: true, due: 5, ..samples::all_pass() };
    let text = render(&outcome, Layout::default());
    assert!(text.contains("2 cases: 2 pass; partial report, 3 have not ended"), "{text}");
}

/// A wrapped line begins wherever a word ends.
#[test]
fn no_line_is_a_command_of_a_ci_server_however_it_is_wrapped() {
    let mut outcome = samples::could_not_run();
    let CaseEnd::CouldNotRun(error) = &mut outcome.cases[0].end else { panic!("the sample could not run") };
    error.message = "word ".repeat(30) + "::error::x ##[error]y \u{2028}::warning::z";
    error.lines = vec!["::error file=a::b".into(), "\u{1b}[31m::stop-commands::x".into()];
    for width in 40..140 {
        let text = render(&outcome, Layout { width, ..Layout::default() });
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{width}: {line}");
        }
    }
}
