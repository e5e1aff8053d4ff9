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
fn a_quiet_report_has_one_line_for_each_case_that_passed() {
    let layout = Layout { detail: Detail::Quiet, ..Layout::default() };
    insta::assert_snapshot!("all_pass_quiet", render(&samples::all_pass(), layout));
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
    let whole = ["run again", "declared", "│", "→", "  FAIL", "pass", "case", "unsure", " error"];
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
fn of_a_long_output_the_end_is_shown() {
    let mut outcome = samples::trouble();
    let CaseEnd::CouldNotRun(trouble) = &mut outcome.cases[0].end else {
        panic!("the sample could not be run")
    };
    trouble.lines = (1..=100).map(|line| format!("line {line}")).collect();
    let told = render(&outcome, Layout::default());
    assert!(
        told.contains("│ ... 50 lines before these: kept evidence has them\n        │ line 51\n"),
        "{told}"
    );
    assert!(told.contains("│ line 100\n") && !told.contains("│ line 50\n"), "{told}");
}
