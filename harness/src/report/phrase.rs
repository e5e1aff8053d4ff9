//! The sentences and numbers that every report says alike.

use std::time::Duration;

use super::Case;
use crate::breaks::Side;
use crate::rules::Finding;
use crate::scenario::Expectation;
use crate::verdict::HopVerdict;

/// `1 hop`, `3 hops`, `4,096 crossings`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = match noun {
        _ if number == 1 => noun.to_owned(),
        "stimulus" => "stimuli".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// Digits in groups of three.
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

/// `87 ms`, `1.2 s`, `2 min 05 s`.
pub fn duration(took: Duration) -> String {
    let millis = took.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", (millis / 100) as f64 / 10.0),
        _ => format!("{} min {:02} s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// What the hits of a rule are counted in.
pub fn unit(rule: Expectation) -> &'static str {
    match rule {
        Expectation::SpansWellFormed
        | Expectation::SpansConnected
        | Expectation::SpansKind
        | Expectation::ResourceNamed => "span",
        Expectation::LogsCorrelated => "log record",
        _ => "crossing",
    }
}

/// `12 of 50 crossings`, `all 50 crossings`, `1 crossing`.
pub fn hits(finding: &Finding) -> String {
    let of = count(finding.of, unit(finding.rule));
    match (finding.hit, finding.of) {
        (_, 0) => count(finding.hit, unit(finding.rule)),
        (1, 1) => of,
        (hit, all) if hit >= all => format!("all {of}"),
        (hit, _) => format!("{} of {of}", grouped(hit.into())),
    }
}

/// Where and by whom: ``at `publish`, broken by the sender `shop` ``.
pub fn blame(finding: &Finding) -> String {
    let place = match finding.hops.as_slice() {
        [] => String::new(),
        hops => format!("at {}, ", list(hops)),
    };
    let node = finding.node.as_ref().map(|node| format!(" `{node}`")).unwrap_or_default();
    match (finding.side, finding.inconclusive) {
        (Side::Nobody, _) if node.is_empty() => format!("{place}side not known"),
        (Side::Nobody, _) => format!("{place}about{node}, side not known"),
        (side, true) => format!("{place}perhaps by the {}{node}", side.word()),
        (side, false) if finding.hops.is_empty() => {
            format!("by{}", if node.is_empty() { " the ".to_owned() + side.word() } else { node })
        }
        (side, false) => format!("{place}broken by the {}{node}", side.word()),
    }
}

/// `` `a`, `b` and `c` ``.
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first, last] => format!("`{first}` and `{last}`"),
        [first, rest @ ..] => format!("`{first}`, {}", list(rest)),
    }
}

/// `not-injected at publish`, for one-line summaries.
pub fn brief(finding: &Finding) -> String {
    match (finding.hops.first(), &finding.node) {
        (Some(hop), Some(node)) => format!("{} at {hop}, by {node}", finding.class.word()),
        (Some(hop), None) => format!("{} at {hop}", finding.class.word()),
        (None, Some(node)) => format!("{} in {node}", finding.class.word()),
        (None, None) => finding.class.word().to_owned(),
    }
}

/// `child`, or `child-or-link (link seen)` where the relation leaves a choice.
pub fn relation(hop: &HopVerdict) -> String {
    match hop.seen {
        Some(seen) if seen != hop.relation => format!("{} ({seen} seen)", hop.relation),
        _ => hop.relation.to_owned(),
    }
}

/// The stimuli that a finding hit: `stimulus 3; the others: 4, 8, 9 and 8 more`.
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

/// What is shown of a node's output: its last lines, and in a line of its own how many there were before.
pub fn last_lines(lines: &[String]) -> (Option<String>, &[String]) {
    const SHOWN: usize = 50;
    let before = lines.len().saturating_sub(SHOWN);
    let told =
        (before > 0).then(|| format!("... {} before these: kept evidence has them", count(before, "line")));
    (told, &lines[before..])
}

/// The command that runs just this case again.
pub fn again(case: &Case, seed: u64) -> String {
    format!("{} --seed {seed}", retry(case))
}

/// The same for a case that never had a seed.
pub fn retry(case: &Case) -> String {
    let with: String = case.with.iter().map(|word| format!(" {}", quoted(word))).collect();
    format!("unbroken run {} --filter {}{with}", quoted(&case.file), quoted(&case.title))
}

/// The same where the case is run by `cargo test`.
pub fn test_again(with: &[String], name: Option<&str>, seed: Option<u64>) -> String {
    let with: String = with.iter().map(|variable| format!("{} ", quoted(variable))).collect();
    let seed = seed.map(|seed| format!("UNBROKEN_SEED={seed} ")).unwrap_or_default();
    let name = name.map(|name| format!(" -- --exact {}", quoted(name))).unwrap_or_default();
    format!("{with}{seed}cargo test{name}")
}

/// One word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What comes from outside, made safe to show: control characters are written `\xNN`, so that no output of a
/// node can move the cursor or colour the screen.
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push_str("    "),
            c if c.is_control() => safe.push_str(&format!("\\x{:02x}", c as u32)),
            c => safe.push(c),
        }
    }
    safe
}

/// Output of a node without its colours; what else a terminal could obey is made visible.
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
    fn of_much_output_the_last_lines_are_shown() {
        let lines = |number: usize| (1..=number).map(|line| format!("line {line}")).collect::<Vec<_>>();
        let few = lines(50);
        assert_eq!(last_lines(&few), (None, few.as_slice()));
        let many = lines(1000);
        let (before, last) = last_lines(&many);
        assert_eq!(before.as_deref(), Some("... 950 lines before these: kept evidence has them"));
        assert_eq!((last.len(), last[0].as_str()), (50, "line 951"));
    }

    #[test]
    fn a_command_survives_the_shell() {
        let (file, title) = ("a b.yaml".into(), "it's [x=1]".into());
        let with = ["--fault".into(), "shop=odd one".into()].into();
        let case = Case { file, title, with, ..samples::case(samples::healthy()) };
        assert_eq!(
            again(&case, 7),
            r"unbroken run 'a b.yaml' --filter 'it'\''s [x=1]' --fault 'shop=odd one' --seed 7"
        );
        assert_eq!(
            test_again(&["UNBROKEN_RUNTIME=container".into()], None, Some(7)),
            "UNBROKEN_RUNTIME=container UNBROKEN_SEED=7 cargo test"
        );
    }

    #[test]
    fn control_characters_never_reach_the_screen() {
        assert_eq!(shown("\x1b[31mred\x07\tü"), "\\x1b[31mred\\x07    ü");
        assert_eq!(output("\x1b[1;31mred\x1b[0m \x1b[2Jü"), "red \\x1b[2Jü");
    }

    #[test]
    fn blame_says_where_and_who_and_how_sure() {
        let sure = samples::not_injected();
        let tell = |hops: &[&str], side, inconclusive, node: Option<&str>| {
            let hops = hops.iter().map(|hop| (*hop).to_owned()).collect();
            blame(&Finding { hops, side, inconclusive, node: node.map(str::to_owned), ..sure.clone() })
        };
        assert_eq!(tell(&["a"], Side::Sender, false, Some("n")), "at `a`, broken by the sender `n`");
        assert_eq!(
            tell(&["a", "b", "c"], Side::Receiver, true, Some("n")),
            "at `a`, `b` and `c`, perhaps by the receiver `n`"
        );
        assert_eq!(tell(&["a"], Side::Intermediary, false, None), "at `a`, broken by the intermediary");
        assert_eq!(tell(&[], Side::Receiver, false, Some("n")), "by `n`");
        assert_eq!(tell(&[], Side::Sender, false, None), "by the sender");
        assert_eq!(tell(&["a"], Side::Nobody, true, None), "at `a`, side not known");
        assert_eq!(tell(&["a"], Side::Nobody, true, Some("n")), "at `a`, about `n`, side not known");
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
