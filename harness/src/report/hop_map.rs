//! A story as a tree of hops, each below the hop that causes it.
//!
//! Rows are plain text without colour; the formats mark and paint them.

use crate::rules::Finding;
use crate::verdict::{CaseVerdict, HopVerdict, Verdict};

use super::phrase;

/// One hop of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `├─ publish  shop → billing  POST /orders  http  child`, its columns aligned over the whole map.
    pub text: String,
    pub verdict: Verdict,
    /// The breaks at the hop, such as `not-injected, 12 of 50`; empty without a break.
    pub remark: String,
    /// `judged 50 of 50`; empty where nothing was due.
    pub judged: String,
}

/// Returns the hops of a case in the order of the story. Shortens operations so that the rows fit into `room` columns,
/// if that is enough.
pub fn rows(case: &CaseVerdict, room: usize) -> Vec<Row> {
    let story = story(&case.hops);
    let cells: Vec<[String; 5]> = story.iter().map(|(branch, hop)| cells(branch, hop)).collect();
    let mut widths = [0; 5];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let remarks: Vec<String> = story.iter().map(|(_, hop)| remark(hop, &case.findings)).collect();
    let judged: Vec<String> = story.iter().map(|(_, hop)| phrase::judged(hop)).collect();
    let whole = cells.iter().zip(&remarks).zip(&judged).map(|((cells, remark), judged)| {
        let judged = if judged.is_empty() { 0 } else { ", ".len() + judged.len() };
        aligned(cells, &widths).chars().count() + 2 + remark.chars().count().max("ok".len()) + judged
    });
    let excess = whole.max().unwrap_or(0).saturating_sub(room);
    widths[OPERATION] = widths[OPERATION].min(widths[OPERATION].saturating_sub(excess).max(LEAST));
    let rows = story.iter().zip(&cells).zip(remarks).zip(judged);
    rows.map(|((((_, hop), cells), remark), judged)| Row {
        text: aligned(cells, &widths),
        verdict: hop.verdict,
        remark,
        judged,
    })
    .collect()
}

/// The column that may be shortened, and its least width.
const OPERATION: usize = 2;
const LEAST: usize = 16;

fn cells(branch: &str, hop: &HopVerdict) -> [String; 5] {
    [
        format!("{branch}{}", hop.id),
        format!("{} → {}", hop.from, hop.to),
        phrase::shown(&hop.operation),
        hop.transport.to_owned(),
        phrase::relation(hop),
    ]
}

fn aligned(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths).filter(|(_, width)| **width > 0) {
        text += &format!("{:<width$}  ", short(cell, *width));
    }
    text.trim_end().to_owned()
}

fn short(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn remark(hop: &HopVerdict, findings: &[Finding]) -> String {
    let breaks: Vec<String> = findings
        .iter()
        .filter(|finding| finding.hops.contains(&hop.id))
        .map(|finding| {
            let known = if finding.known.is_some() { "known: " } else { "" };
            let hits =
                if finding.of > 1 { format!(", {} of {}", finding.hit, finding.of) } else { String::new() };
            format!("{known}{}{hits}", finding.class.word())
        })
        .collect();
    match (breaks.is_empty(), hop.verdict) {
        (false, _) => breaks.join("; "),
        (true, Verdict::Pass) => String::new(),
        // A gap or a consequence, which stands below the map.
        (true, Verdict::Inconclusive) if hop.judged == 0 => "not judged".to_owned(),
        (true, Verdict::Inconclusive) => Verdict::Inconclusive.word().to_owned(),
        (true, Verdict::Fail) => Verdict::Fail.word().to_owned(),
    }
}

/// Returns each hop with the branch that leads to it. A hop without a cause among the hops stands at the root.
fn story(hops: &[HopVerdict]) -> Vec<(String, &HopVerdict)> {
    let roots = hops.iter().filter(|hop| !hops.iter().any(|other| hop.within.as_deref() == Some(&other.id)));
    let mut story: Vec<(String, &HopVerdict)> = Vec::new();
    for root in roots.chain(hops) {
        if !story.iter().any(|(_, known)| known.id == root.id) {
            story.push((String::new(), root));
            below(root, "", hops, &mut story);
        }
    }
    story
}

fn below<'a>(
    parent: &HopVerdict,
    indent: &str,
    hops: &'a [HopVerdict],
    story: &mut Vec<(String, &'a HopVerdict)>,
) {
    let caused: Vec<&HopVerdict> = hops
        .iter()
        .filter(|hop| hop.within.as_deref() == Some(&parent.id))
        .filter(|hop| !story.iter().any(|(_, known)| known.id == hop.id))
        .collect();
    for (at, hop) in caused.iter().enumerate() {
        let last = at + 1 == caused.len();
        story.push((format!("{indent}{}", if last { "└─ " } else { "├─ " }), hop));
        below(hop, &format!("{indent}{}", if last { "   " } else { "│  " }), hops, story);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn map(causes: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut case = samples::healthy();
        let hop = HopVerdict { operation: String::new(), seen: None, ..case.hops[0].clone() };
        case.hops = causes
            .iter()
            .map(|(id, within)| HopVerdict {
                id: (*id).into(),
                within: within.map(str::to_owned),
                ..hop.clone()
            })
            .collect();
        rows(&case, 200)
            .into_iter()
            .map(|row| row.text.split("client").next().unwrap().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn hops_stand_below_their_cause() {
        let causes = [("a", None), ("b", Some("a")), ("d", Some("a")), ("c", Some("b")), ("e", None)];
        assert_eq!(map(&causes), ["a", "├─ b", "│  └─ c", "└─ d", "e"]);
    }

    #[test]
    fn no_hop_is_left_out_whatever_its_cause() {
        assert_eq!(map(&[("a", Some("nowhere"))]), ["a"]);
        assert_eq!(map(&[("a", Some("b")), ("b", Some("a"))]), ["a", "└─ b"]);
        assert_eq!(map(&[("a", Some("a"))]), ["a"]);
    }

    #[test]
    fn a_long_operation_gives_way_and_nothing_else_does() {
        let case = samples::healthy();
        let widest = |room| rows(&case, room).iter().map(|row| row.text.chars().count()).max();
        assert_eq!(widest(200), Some(86));
        assert_eq!(widest(105), Some(84));
        assert_eq!(widest(20), Some(82));
        assert!(rows(&case, 20).iter().any(|row| row.text.contains("ledger.Ledger/R…")));
    }

    #[test]
    fn a_hop_without_a_finding_that_did_not_pass_was_not_judged() {
        let mut case = samples::healthy();
        case.hops[1].verdict = Verdict::Inconclusive;
        (case.hops[2].verdict, case.hops[2].judged) = (Verdict::Inconclusive, 0);
        let remarks: Vec<_> = rows(&case, 200).into_iter().map(|row| row.remark).collect();
        assert_eq!(remarks, ["", "inconclusive", "not judged", ""]);
    }
}
