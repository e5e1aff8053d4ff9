//! Breaks to findings: one for each hop, class and side, with the number of crossings it hit.
//!
//! A node that flips the flag, or loses tracestate or baggage, before several outgoing hops is one cause with
//! several hops.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::Key;
use super::{Finding, Note, counts, owner, telling};
use crate::breaks::{Break, Breaks, Class, Grade, Side};
use crate::crossings::Crossings;
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};

/// Findings in the order of the story, and what is only worth saying.
#[derive(Debug, Default)]
pub struct Grouped {
    pub findings: Vec<Finding>,
    pub notes: Vec<Note>,
}

type Group<'b> = (Vec<&'b Break>, BTreeSet<HopIx>);

/// With `strict`, notes are findings.
pub fn group(all: &Crossings<'_>, breaks: &Breaks, strict: bool) -> Grouped {
    let mut groups: BTreeMap<(HopIx, bool, Class, Side, NodeIx), Group<'_>> = BTreeMap::new();
    let mut notes: BTreeMap<(HopIx, &str), u32> = BTreeMap::new();
    for told in breaks.list.iter().filter(|told| counts(told.class, &all.plan.scenario.expect)) {
        if told.grade == Grade::Note && !strict {
            *notes.entry((told.hop, &told.message)).or_default() += 1;
            continue;
        }
        let (key, shared) = cause_hop(all, told);
        let group = groups.entry((key, shared, told.class, told.side, told.node)).or_default();
        group.0.push(told);
        group.1.insert(told.hop);
        group.1.extend(told.shared.iter().map(|crossing| all.get(*crossing).hop));
    }
    let mut findings: Vec<(HopIx, Finding)> =
        groups.into_iter().map(|(_, (told, hops))| (told[0].hop, finding(all, &told, &hops))).collect();
    findings.sort_by_key(|(hop, finding)| (finding.inconclusive, *hop, finding.class));
    let name = |hop: HopIx| Some(all.plan.scenario.hop(hop).id.clone());
    let notes = notes
        .into_iter()
        .map(|((hop, text), seen)| Note { hop: name(hop), text: text.into(), seen })
        .collect();
    Grouped { findings: findings.into_iter().map(|(_, finding)| finding).collect(), notes }
}

/// The hop that a break is counted under: for what a node does to all it sends, the hop that came in.
fn cause_hop(all: &Crossings<'_>, told: &Break) -> (HopIx, bool) {
    let by_node = matches!(
        told.class,
        Class::FlagChanged
            | Class::BaggageLost
            | Class::BaggageAltered
            | Class::TracestateLost
            | Class::TracestateAltered
            | Class::TracestateCut
            | Class::TracestateReordered
            | Class::TracestateLeaked
    );
    match all.plan.scenario.hop(told.hop).within {
        Some(within) if by_node && told.side == Side::Sender => (within, true),
        _ => (told.hop, false),
    }
}

fn finding(all: &Crossings<'_>, told: &[&Break], hops: &BTreeSet<HopIx>) -> Finding {
    let scenario = &all.plan.scenario;
    let example = told.iter().min_by_key(|told| (told.stimulus, told.crossing)).expect("a group has a break");
    let stimuli: BTreeSet<StimulusIx> = told.iter().filter_map(|told| told.stimulus).collect();
    let number = |stimulus: StimulusIx| u32::try_from(stimulus.0 + 1).unwrap_or(u32::MAX);
    let first = scenario.hop(*hops.first().unwrap_or(&example.hop));
    let crossings: BTreeSet<_> =
        told.iter().flat_map(|told| told.crossing.iter().chain(&told.shared)).collect();
    let hit = if crossings.is_empty() { told.len() } else { crossings.len() };
    let key = Key {
        scenario: &scenario.name,
        case: &scenario.case,
        hop: &first.id,
        class: example.class,
        side: example.side,
    };
    let mut inside: Vec<String> = told.iter().flat_map(|told| told.inside.iter().cloned()).collect();
    inside.sort();
    inside.dedup();
    Finding {
        rule: owner(example.class).expectation,
        class: example.class,
        side: example.side,
        inconclusive: told.iter().all(|told| told.grade == Grade::Inconclusive),
        hops: hops.iter().map(|hop| scenario.hop(*hop).id.clone()).collect(),
        place: first.relation_place,
        node: Some(scenario.node(example.node).name.clone()),
        hit: u32::try_from(hit).unwrap_or(u32::MAX),
        of: of(all, example, hops, hit),
        message: example.message.clone(),
        lines: telling::lines(all, example),
        expected: example.expected.clone(),
        actual: example.actual.clone(),
        clause: telling::clause(example),
        try_next: telling::try_next(example.class, example.side)
            .iter()
            .map(|step| (*step).to_owned())
            .collect(),
        missing_witness: example.missing_witness.clone(),
        inside,
        example: example.stimulus.map(number),
        others: stimuli
            .iter()
            .copied()
            .filter(|other| Some(*other) != example.stimulus)
            .map(number)
            .collect(),
        fingerprint: key.fingerprint(),
        known: None,
    }
}

/// How many crossings were looked at: those of the hops; for a hop that was not crossed, those that should
/// have led to it.
fn of(all: &Crossings<'_>, example: &Break, hops: &BTreeSet<HopIx>, hit: usize) -> u32 {
    let count = |hop: HopIx| all.of_hop(hop).len();
    let looked_at: usize = match (example.class, all.plan.scenario.hop(example.hop).within) {
        (Class::NotCrossed, Some(within)) => count(within),
        _ => hops.iter().map(|hop| count(*hop)).sum(),
    };
    u32::try_from(looked_at.max(hit)).unwrap_or(u32::MAX)
}
