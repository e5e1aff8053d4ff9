//! Breaks to findings: one for each hop, class and side, with the number of crossings it hit.
//!
//! A node that flips the flag, or loses tracestate or baggage, before several outgoing hops is one cause with
//! several hops. Only fields are compared: words are made afterwards, for the example of each finding.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::call_kinds::CallKinds;
use super::details::Details;
use super::fingerprint::FindingKey;
use super::lines::lines;
use super::next_steps::next_steps;
use super::wording::Example;
use super::{Finding, Note, clause, counts, owner};
use crate::breaks::{Break, BreakKind, Breaks, Class, Grade, Remark, Side};
use crate::crossings::{CrossingIx, Crossings};
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx, TraceFate};
use crate::source::Place;

/// Findings in the order of the story, and notes.
#[derive(Debug, Default)]
pub struct Findings {
    pub findings: Vec<Finding>,
    pub notes: Vec<Note>,
}

/// The fields that the breaks of one finding have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    hop: HopIx,
    /// The hop is the one that came in, for what the node does to all that it sends.
    incoming: bool,
    class: Class,
    side: Side,
    node: NodeIx,
}

#[derive(Default)]
struct Group<'b> {
    breaks: Vec<&'b Break>,
    hops: BTreeSet<HopIx>,
}

/// Breaks that one note counts.
struct NoteGroup<'b> {
    example: &'b Break,
    seen: u32,
}

/// Groups breaks; with `strict`, notes are findings.
pub fn group(all: &Crossings<'_>, breaks: &Breaks, strict: bool) -> Findings {
    let mut groups: BTreeMap<GroupKey, Group<'_>> = BTreeMap::new();
    let mut notes: BTreeMap<(HopIx, NodeIx, BreakKind), NoteGroup<'_>> = BTreeMap::new();
    let mut quirks: BTreeMap<(NodeIx, BreakKind), NoteGroup<'_>> = BTreeMap::new();
    for one in &breaks.list {
        if !counts(one.class(), &all.plan.scenario.expect) {
            continue;
        }
        // It counts with what it follows from.
        if one.follows.is_some_and(|first| counts(first, &all.plan.scenario.expect)) {
            continue;
        }
        if one.grade == Grade::Quirk {
            let quirk = quirks.entry((one.node, one.kind));
            quirk.or_insert(NoteGroup { example: one, seen: 0 }).seen += 1;
            continue;
        }
        if one.grade == Grade::Note && !strict {
            let note = notes.entry((one.hop, one.node, one.kind));
            note.or_insert(NoteGroup { example: one, seen: 0 }).seen += 1;
            continue;
        }
        let group = groups.entry(GroupKey::of(all, one)).or_default();
        group.breaks.push(one);
        group.hops.insert(one.hop);
        group.hops.extend(one.shared.iter().map(|crossing| all.get(*crossing).hop_ix()));
    }
    let mut findings: Vec<(HopIx, Finding)> =
        groups.into_values().map(|group| (group.breaks[0].hop, finding(all, &group))).collect();
    findings.sort_by_key(|(hop, finding)| (finding.inconclusive, *hop, finding.class));
    let notes = notes.into_iter().map(|((hop, _, _), note)| Note {
        hop: Some(all.plan.scenario.hop(hop).id.clone()),
        text: Example::of_note(all, note.example).message(),
        seen: note.seen,
        of_sdk: false,
    });
    let notes = notes.chain(quirk_notes(all, quirks));
    Findings { findings: findings.into_iter().map(|(_, finding)| finding).collect(), notes: notes.collect() }
}

/// Returns one note for each node with quirks of its SDK, behind all others.
fn quirk_notes(
    all: &Crossings<'_>,
    quirks: BTreeMap<(NodeIx, BreakKind), NoteGroup<'_>>,
) -> impl Iterator<Item = Note> {
    let mut by_node: BTreeMap<NodeIx, Note> = BTreeMap::new();
    for ((node, _), quirk) in quirks {
        let what = Example::of_note(all, quirk.example).quirk();
        let note = by_node.entry(node).or_insert_with(|| Note {
            hop: None,
            text: format!(
                "a quirk of the SDK of `{}`, not of the service: its spans report",
                all.node_name(node)
            ),
            seen: 0,
            of_sdk: true,
        });
        note.text += &format!("{} {what}", if note.seen == 0 { "" } else { "," });
        note.seen += quirk.seen;
    }
    by_node
        .into_values()
        .map(|note| Note { text: format!("{} differently from the wire", note.text), ..note })
}

impl GroupKey {
    fn of(all: &Crossings<'_>, one: &Break) -> GroupKey {
        let class = one.class();
        let within = all.plan.scenario.hop(one.hop).within;
        let (hop, incoming) = match within {
            Some(within) if class.is_of_the_whole_node() && one.side == Side::Sender => (within, true),
            Some(_) | None => (one.hop, false),
        };
        GroupKey { hop, incoming, class, side: one.side, node: one.node }
    }
}

fn finding(all: &Crossings<'_>, group: &Group<'_>) -> Finding {
    let scenario = &all.plan.scenario;
    let breaks = &group.breaks;
    // The example is one that shows the finding: not one that is only inconclusive.
    let example = breaks.iter().min_by_key(|one| (Reverse(one.grade), one.stimulus, one.crossing));
    let example = example.expect("a group has a break");
    let (class, side) = (example.class(), example.side);
    let stimuli: BTreeSet<StimulusIx> = breaks.iter().filter_map(|one| one.stimulus).collect();
    let others = stimuli.into_iter().filter(|other| Some(*other) != example.stimulus);
    let crossings: BTreeSet<CrossingIx> =
        breaks.iter().flat_map(|one| one.crossing.iter().chain(&one.shared)).copied().collect();
    let hit = if crossings.is_empty() { breaks.len() } else { crossings.len() };
    let first = scenario.hop(*group.hops.first().unwrap_or(&example.hop));
    let of_collector = class.is_of_a_collector();
    let fields: BTreeSet<String> = breaks.iter().flat_map(|one| one.field_names()).collect();
    let fields: Vec<String> = fields.into_iter().collect();
    let key = FindingKey {
        scenario: &scenario.name,
        case: &scenario.case,
        hop: if of_collector { all.node_name(example.node) } else { &first.id },
        class,
        side,
        fields: &fields,
    };
    let words = Example::of(all, example);
    let kinds = CallKinds::of(all, example.hop, breaks);
    let remarks = remarks(breaks, example).into_iter().map(|remark| words.remark(remark));
    Finding {
        rule: owner(class).expectation,
        class,
        side,
        inconclusive: breaks.iter().all(|one| one.grade == Grade::Inconclusive),
        hops: if of_collector {
            Vec::new()
        } else {
            group.hops.iter().map(|hop| scenario.hop(*hop).id.clone()).collect()
        },
        place: if of_collector { collector_place(all, example) } else { first.relation_place },
        node: Some(scenario.node(example.node).name.clone()),
        hit: u32::try_from(hit).unwrap_or(u32::MAX),
        of: looked_at(all, example, &group.hops, hit),
        details: Details::of(all, example),
        message: words.message(),
        lines: lines(all, example),
        expected: words.expected(),
        actual: words.actual(),
        clause: clause(all, example),
        try_next: next_steps(all, example)
            .into_iter()
            .chain(kinds.as_ref().and_then(CallKinds::next_step))
            .collect(),
        missing_witness: words.missing_witness(),
        inside: remarks.chain(kinds.as_ref().map(CallKinds::line)).collect(),
        example: example.stimulus.map(number),
        others: others.map(number).collect(),
        fingerprint: key.fingerprint(),
        fields,
        known: None,
        accepted_until: None,
    }
}

/// Returns the place of the expectation that a trace does not meet, or of the collector that changed a span.
fn collector_place(all: &Crossings<'_>, example: &Break) -> Place {
    let scenario = &all.plan.scenario;
    let fate = match example.kind {
        BreakKind::TraceSplit(fate) => Some(fate),
        BreakKind::TraceDropped => Some(TraceFate::Kept),
        BreakKind::TraceKept => Some(TraceFate::Dropped),
        _ => None,
    };
    let expectation = scenario.expect_traces.iter().find(|expectation| Some(expectation.fate) == fate);
    expectation.map_or(scenario.node(example.node).place, |expectation| expectation.place)
}

/// Returns a remark of each kind, that of the example where it has one.
fn remarks(breaks: &[&Break], example: &Break) -> Vec<Remark> {
    let mut kept: Vec<Remark> = Vec::new();
    for remark in example.remarks.iter().chain(breaks.iter().flat_map(|one| &one.remarks)) {
        if !kept.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(remark)) {
            kept.push(*remark);
        }
    }
    kept.sort_unstable();
    kept
}

fn number(stimulus: StimulusIx) -> u32 {
    u32::try_from(stimulus.0 + 1).unwrap_or(u32::MAX)
}

/// Returns how many crossings were looked at: those of the hops; for a hop that was not crossed, those that should
/// have led to it.
fn looked_at(all: &Crossings<'_>, example: &Break, hops: &BTreeSet<HopIx>, hit: usize) -> u32 {
    if example.class().is_of_a_collector() {
        return (owner(example.class()).looked_at)(all).max(u32::try_from(hit).unwrap_or(u32::MAX));
    }
    let looked_at: usize = if example.class() == Class::NotCrossed
        && let Some(within) = all.plan.scenario.hop(example.hop).within
    {
        all.of_hop(within).len()
    } else {
        hops.iter().map(|hop| all.of_hop(*hop).len()).sum()
    };
    u32::try_from(looked_at.max(hit)).unwrap_or(u32::MAX)
}
