//! The table of a night: a row for each scenario over gateways, a column for each gateway. It is Markdown, which a
//! terminal shows as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::history::record::RecordedCase;
use crate::history::{Comparison, DifferenceKind, RunRecord};

/// The cells of one row, by gateway.
type Row<'r> = BTreeMap<&'r str, &'static str>;

/// Returns the table of the cases whose matrix has gateways; empty without one.
pub fn table(night: &RunRecord, comparison: &Comparison) -> String {
    let mut rows: BTreeMap<String, Row<'_>> = BTreeMap::new();
    for (title, case) in &night.cases {
        if let Some((gateway, others)) = split(&case.case) {
            let name = [&[case.scenario.as_str()], others.as_slice()].concat().join(" ");
            rows.entry(name).or_default().insert(gateway, cell(title, case, comparison));
        }
    }
    let gateways: BTreeSet<&str> = rows.values().flat_map(BTreeMap::keys).copied().collect();
    if gateways.is_empty() {
        return String::new();
    }
    let first = rows.keys().map(String::len).max().unwrap_or_default();
    let mut text = format!("| {:first$} |", "scenario");
    let mut rule = format!("|{:-<1$}|", "", first + 2);
    for gateway in &gateways {
        let width = width(&rows, gateway);
        let _ = write!(text, " {gateway:width$} |");
        let _ = write!(rule, "{:-<1$}|", "", width + 2);
    }
    let _ = writeln!(text, "\n{rule}");
    for (name, row) in &rows {
        let _ = write!(text, "| {name:first$} |");
        for gateway in &gateways {
            let width = width(&rows, gateway);
            let _ = write!(text, " {:width$} |", row.get(gateway).copied().unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

/// Returns the width of a column.
fn width(rows: &BTreeMap<String, Row<'_>>, gateway: &str) -> usize {
    let cells = rows.values().filter_map(|row| row.get(gateway));
    cells.map(|cell| cell.len()).max().unwrap_or_default().max(gateway.len())
}

/// Returns the gateway of a case, and the other values of its matrix.
fn split(case: &str) -> Option<(&str, Vec<&str>)> {
    let (gateways, others): (Vec<&str>, Vec<&str>) = case.split(',').partition(|part| {
        let name = part.split('=').next().unwrap_or_default();
        name == "gateway" || name.ends_with(".gateway")
    });
    let (_, gateway) = gateways.first()?.split_once('=')?;
    Some((gateway, others))
}

/// Returns the most urgent difference of a case, or what it found as in the night before.
fn cell(title: &str, case: &RecordedCase, comparison: &Comparison) -> &'static str {
    let differences = comparison.differences.iter().filter(|one| one.title == title);
    match differences.map(|one| one.kind).min() {
        Some(kind) if kind != DifferenceKind::StillThere => kind.word(),
        _ if !case.ran => DifferenceKind::NotRun.word(),
        _ if case.findings.is_empty() => "ok",
        _ if case.findings.values().all(|finding| finding.is_known) => "known",
        Some(_) => DifferenceKind::StillThere.word(),
        None => "found",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Difference;

    fn case(scenario: &str, case: &str, ran: bool) -> (String, RecordedCase) {
        let recorded =
            RecordedCase { scenario: scenario.into(), case: case.into(), ran, ..RecordedCase::default() };
        (format!("{scenario} [{case}]"), recorded)
    }

    #[test]
    fn a_scenario_is_a_row_and_a_gateway_is_a_column() {
        let cases = [
            case("doubled", "gateway=nginx", true),
            case("doubled", "gateway=envoy", false),
            case("flags", "edge.gateway=nginx,sampled=true", true),
            case("other", "sampled=true", true),
        ];
        let night = RunRecord { cases: cases.into_iter().collect(), ..RunRecord::default() };
        let worse = Difference {
            kind: DifferenceKind::Worse,
            title: "doubled [gateway=nginx]".into(),
            file: String::new(),
            finding: None,
            before: None,
            after: None,
            changes: Vec::new(),
        };
        let comparison = Comparison { differences: vec![worse], ..Comparison::default() };
        let expected = "\
| scenario           | envoy   | nginx |
|--------------------|---------|-------|
| doubled            | not run | worse |
| flags sampled=true |         | ok    |
";
        assert_eq!(table(&night, &comparison), expected);
        assert_eq!(table(&RunRecord::default(), &comparison), "");
    }
}
