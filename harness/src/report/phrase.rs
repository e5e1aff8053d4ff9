//! Words and numbers that all reports write in the same way, and the escaping of text from outside.

use std::time::Duration;

use crate::breaks::Side;
use crate::rules::Finding;
use crate::scenario::Expectation;
use crate::verdict::HopVerdict;

/// Returns `1 hop`, `3 hops`, `4,096 crossings`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = match noun {
        _ if number == 1 => noun.to_owned(),
        "stimulus" => "stimuli".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// Returns the digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `87 ms`, `1.2 s`, `2 min 05 s`.
pub fn duration(took: Duration) -> String {
    let millis = took.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", (millis / 100) as f64 / 10.0),
        _ => format!("{} min {:02} s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// Returns the unit that the hits of a rule are counted in.
pub fn unit(rule: Expectation) -> &'static str {
    match rule {
        Expectation::SpansWellFormed
        | Expectation::SpansConnected
        | Expectation::SpansKind
        | Expectation::ResourceNamed
        | Expectation::CollectorsUnchanged => "span",
        Expectation::TracesKept => "trace",
        Expectation::LogsCorrelated => "log record",
        Expectation::HopsCrossed
        | Expectation::HopsKeepRelation
        | Expectation::HopsOnlyDeclared
        | Expectation::ContextNotLeaked
        | Expectation::ContextNotAdopted
        | Expectation::SamplingWholePath
        | Expectation::TracestateKept
        | Expectation::BaggageKept
        | Expectation::Isolation
        | Expectation::TelemetryMatchesWire
        | Expectation::RelayKeepsContract => "crossing",
    }
}

/// Returns `12 of 50 crossings`, `all 50 crossings`, `1 crossing`.
pub fn hits(finding: &Finding) -> String {
    let of = count(finding.of, unit(finding.rule));
    match (finding.hit, finding.of) {
        (_, 0) => count(finding.hit, unit(finding.rule)),
        (1, 1) => of,
        (hit, all) if hit >= all => format!("all {of}"),
        (hit, _) => format!("{} of {of}", grouped(hit.into())),
    }
}

/// Returns `judged 50 of 50`; nothing where no crossing was due.
pub fn judged(hop: &HopVerdict) -> String {
    if hop.crossings == 0 {
        return String::new();
    }
    format!("judged {} of {}", grouped(hop.judged.into()), grouped(hop.crossings.into()))
}

/// Returns the place and the side: ``at `publish`, broken by the sender `shop` ``.
pub fn blame(finding: &Finding) -> String {
    let place = match finding.hops.as_slice() {
        [] => String::new(),
        hops => format!("at {}, ", list(hops)),
    };
    let node = finding.node.as_ref().map(|node| format!(" `{node}`")).unwrap_or_default();
    match (finding.side, finding.inconclusive) {
        (Side::Unknown, _) if node.is_empty() => format!("{place}side unknown"),
        (Side::Unknown, _) => format!("{place}about{node}, side unknown"),
        (side, true) => format!("{place}possibly broken by the {}{node}", side.word()),
        (side, false) if finding.hops.is_empty() => {
            format!("by{}", if node.is_empty() { " the ".to_owned() + side.word() } else { node })
        }
        (side, false) => format!("{place}broken by the {}{node}", side.word()),
    }
}

/// Returns `` `a`, `b` and `c` ``.
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first, last] => format!("`{first}` and `{last}`"),
        [first, rest @ ..] => format!("`{first}`, {}", list(rest)),
    }
}

/// Returns `not-injected at publish`, for one-line summaries.
pub fn brief(finding: &Finding) -> String {
    match (finding.hops.first(), &finding.node) {
        (Some(hop), Some(node)) => format!("{} at {hop}, by {node}", finding.class.word()),
        (Some(hop), None) => format!("{} at {hop}", finding.class.word()),
        (None, Some(node)) => format!("{} in {node}", finding.class.word()),
        (None, None) => finding.class.word().to_owned(),
    }
}

/// Returns `child`, or `child-or-link (link seen)` where the relation leaves a choice.
pub fn relation(hop: &HopVerdict) -> String {
    match hop.seen {
        Some(seen) if seen != hop.relation => format!("{} ({seen} seen)", hop.relation),
        Some(_) | None => hop.relation.to_owned(),
    }
}

/// Returns the stimuli of a finding: `stimulus 3; also in 4, 8, 9 and 8 more`.
pub fn stimuli(finding: &Finding) -> Option<String> {
    const SHOWN: usize = 8;
    let example = finding.example?;
    let mut text = format!("stimulus {example}");
    if !finding.others.is_empty() {
        let shown: Vec<String> = finding.others.iter().take(SHOWN).map(u32::to_string).collect();
        text += &format!("; also in {}", shown.join(", "));
        if let more @ 1.. = finding.others.len().saturating_sub(SHOWN) {
            text += &format!(" and {more} more");
        }
    }
    Some(text)
}

/// Returns the last lines of a node's output, and a line with the number of lines before them.
pub fn last_lines(lines: &[String]) -> (Option<String>, &[String]) {
    const SHOWN: usize = 50;
    let before = lines.len().saturating_sub(SHOWN);
    let omitted = (before > 0)
        .then(|| format!("... {} before these; `--keep-evidence` keeps them", count(before, "line")));
    (omitted, &lines[before..])
}

/// Returns the first names of many, and the number of the others: `a, b and 3 more`.
pub fn some_of(names: &[String], limit: usize) -> String {
    let first = names[..names.len().min(limit)].join(", ");
    match names.len().saturating_sub(limit) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns text from outside with every character visible that could move the cursor, colour the screen, reorder the
/// line or break it: `\x1b`, `\u{202e}`. Characters that XML forbids are among them.
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push_str("    "),
            c if c.is_control() => safe.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_invisible(c) => safe.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => safe.push(c),
        }
    }
    safe
}

/// Returns whether the character is a bidirectional control, a line or paragraph separator, a zero-width character, or
/// a noncharacter that XML forbids.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Returns a line that no CI server takes for a command: GitHub Actions reads `::error::` at the start of a line, after
/// blanks, and `##[error]` anywhere in it.
pub fn inert(line: &str) -> String {
    let start = line.len() - line.trim_start().len();
    let line = match line[start..].strip_prefix("::") {
        Some(rest) => format!("{}\\x3a:{rest}", &line[..start]),
        None => line.to_owned(),
    };
    line.replace("##[", "\\x23#[")
}

/// Returns a line for the terminal as it is but for its colours made safe: what `shown` and `inert` escape.
pub fn safe_line(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\x1b[") {
        let colour = at + 2;
        let parameters = rest[colour..].bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
        let end = colour + parameters;
        safe.push_str(&shown(&rest[..at]));
        if rest[end..].starts_with('m') {
            safe.push_str(&rest[at..=end]);
            rest = &rest[end + 1..];
        } else {
            safe.push_str("\\x1b[");
            rest = &rest[colour..];
        }
    }
    safe.push_str(&shown(rest));
    inert(&safe)
}

/// Returns output of a node without its colours. Other control sequences become visible.
pub fn output(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let parameters = part.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
        match part[parameters..].strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain += &format!("\x1b[{part}"),
        }
    }
    shown(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_usize, "hop"), "1 hop");
        assert_eq!(count(2_u32, "stimulus"), "2 stimuli");
        assert_eq!(count(1_234_567_u32, "span"), "1,234,567 spans");
        assert_eq!(duration(Duration::from_millis(999)), "999 ms");
        assert_eq!(duration(Duration::from_millis(1_999)), "1.9 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_long_output_is_cut_to_its_last_lines() {
        let lines = |number: usize| (1..=number).map(|line| format!("line {line}")).collect::<Vec<_>>();
        let few = lines(50);
        assert_eq!(last_lines(&few), (None, few.as_slice()));
        let many = lines(1000);
        let (before, last) = last_lines(&many);
        assert_eq!(before.as_deref(), Some("... 950 lines before these; `--keep-evidence` keeps them"));
        assert_eq!((last.len(), last[0].as_str()), (50, "line 951"));
    }

    #[test]
    fn control_characters_never_reach_the_screen() {
        assert_eq!(shown("\x1b[31mred\x07\tü"), "\\x1b[31mred\\x07    ü");
        assert_eq!(output("\x1b[1;31mred\x1b[0m \x1b[2Jü"), "red \\x1b[2Jü");
        assert_eq!(safe_line("\x1b[1;31mred\x1b[0m \x1b[2J\x07"), "\x1b[1;31mred\x1b[0m \\x1b[2J\\x07");
    }

    #[test]
    fn characters_that_reorder_or_break_a_line_are_visible() {
        assert_eq!(
            shown("a\u{202e}b\u{2028}c\u{2066}\u{200b}\u{fffe}"),
            "a\\u{202e}b\\u{2028}c\\u{2066}\\u{200b}\\u{fffe}"
        );
        assert_eq!(shown("tab\there, ünïcode, 日本語, 🙂"), "tab    here, ünïcode, 日本語, 🙂");
    }

    #[test]
    fn no_line_is_a_command_of_a_ci_server() {
        assert_eq!(inert("::error::x"), "\\x3a:error::x");
        assert_eq!(inert("   ::error::x"), "   \\x3a:error::x");
        assert_eq!(inert("a ::b:: ##[error]x"), "a ::b:: \\x23#[error]x");
        assert_eq!(inert("ledger.Ledger::Record"), "ledger.Ledger::Record");
    }

    #[test]
    fn of_many_names_the_first_are_shown() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!((some_of(&names, 3), some_of(&names, 1)), ("a, b, c".into(), "a and 2 more".into()));
    }

    #[test]
    fn blame_names_the_hop_the_side_and_the_certainty() {
        let sure = samples::not_injected();
        let blamed = |hops: &[&str], side, inconclusive, node: Option<&str>| {
            let hops = hops.iter().map(|hop| (*hop).to_owned()).collect();
            blame(&Finding { hops, side, inconclusive, node: node.map(str::to_owned), ..sure.clone() })
        };
        assert_eq!(blamed(&["a"], Side::Sender, false, Some("n")), "at `a`, broken by the sender `n`");
        assert_eq!(
            blamed(&["a", "b", "c"], Side::Receiver, true, Some("n")),
            "at `a`, `b` and `c`, possibly broken by the receiver `n`"
        );
        assert_eq!(blamed(&["a"], Side::Intermediary, false, None), "at `a`, broken by the intermediary");
        assert_eq!(blamed(&[], Side::Receiver, false, Some("n")), "by `n`");
        assert_eq!(blamed(&[], Side::Sender, false, None), "by the sender");
        assert_eq!(blamed(&["a"], Side::Unknown, true, None), "at `a`, side unknown");
        assert_eq!(blamed(&["a"], Side::Unknown, true, Some("n")), "at `a`, about `n`, side unknown");
    }

    #[test]
    fn hits_are_counted_in_what_the_rule_looks_at() {
        let finding = |rule, hit, of| hits(&Finding { rule, hit, of, ..samples::not_injected() });
        assert_eq!(finding(Expectation::Isolation, 1, 1), "1 crossing");
        assert_eq!(finding(Expectation::Isolation, 2, 2), "all 2 crossings");
        assert_eq!(finding(Expectation::SpansKind, 3, 1_000), "3 of 1,000 spans");
        assert_eq!(finding(Expectation::LogsCorrelated, 4, 0), "4 log records");
    }
}
