//! Judges evidence: crossings, breaks, rules, verdict. Pure: the same evidence gives the same verdict byte for byte.

use std::collections::BTreeMap;

use crate::breaks::Breaks;
use crate::crossings::{CrossingRef, CrossingWitness, Crossings};
use crate::evidence::{Evidence, GapPlace};
use crate::plan::Plan;
use crate::rules::grouping::{Findings, group};
use crate::rules::{Finding, Note, TABLE, is_asked, owner, wording};
use crate::scenario::{Hop, HopIx, Node, Relation, Scenario, Transport};
use crate::verdict::baseline::{Acceptance, AcceptedFinding, Baseline};
use crate::verdict::{CaseNode, CaseVerdict, GapVerdict, HopVerdict, RuleVerdict, Verdict};

mod dead_nodes;
mod examples;
mod gaps;
mod notes;
mod unwired;

#[derive(Clone, Debug, Default)]
pub struct JudgeSettings {
    /// Violations of recommendations are findings.
    pub strict: bool,
    pub baseline: Option<Baseline>,
    /// An accepted finding that no longer occurs fails the case.
    pub strict_baseline: bool,
}

/// Returns the verdict on one case.
pub fn judge(plan: &Plan, evidence: &Evidence, settings: &JudgeSettings) -> CaseVerdict {
    let masked = evidence.masked_baggage.as_ref().map(|lists| plan.with_baggage(lists));
    let plan = masked.as_ref().unwrap_or(plan);
    let unwired = unwired::hops(plan, evidence);
    let without_taps = (!unwired.is_empty()).then(|| unwired::untapped(plan, &unwired));
    let plan = without_taps.as_ref().unwrap_or(plan);
    let all = Crossings::pair(plan, evidence);
    let breaks = Breaks::find(&all);
    let Findings { mut findings, mut notes } = group(&all, &breaks, settings.strict);
    let scenario = &plan.scenario;
    accept(scenario, &mut findings, settings);
    let not_called = unwired.iter().map(|hop| unwired::reason(plan, *hop));
    let mut gaps: Vec<_> = not_called.map(|what| GapVerdict { what, lines: Vec::new() }).collect();
    gaps.extend(gaps::gaps(&all, &breaks));
    let rules = rules(&all, &findings);
    let mut hops = hops(&all, &breaks, &findings);
    for unwired in &unwired {
        hops[unwired.hop.0].verdict = hops[unwired.hop.0].verdict.and(Verdict::Inconclusive);
    }
    let fixed = fixed(scenario, &findings, &hops, settings);
    notes.extend(notes::of(&all, &breaks));
    notes.extend(fixed.iter().map(|hop| Note {
        hop: Some(hop.clone()),
        text: "fixed: the baseline accepts it, and it no longer occurs".into(),
        seen: 1,
        of_sdk: false,
    }));
    let mut verdict = findings.iter().map(weight).fold(Verdict::Pass, Verdict::and);
    if !gaps.is_empty() {
        verdict = verdict.and(Verdict::Inconclusive);
    }
    if settings.strict_baseline && !fixed.is_empty() {
        verdict = verdict.and(Verdict::Fail);
    }
    CaseVerdict {
        source: scenario.source.clone(),
        scenario: scenario.name.clone(),
        case: scenario.case.clone(),
        about: scenario.about.clone(),
        seed: plan.seed.0,
        verdict,
        nodes: scenario.nodes.iter().map(case_node).collect(),
        hops,
        rules,
        examples: examples::of(&all, &findings),
        findings,
        notes,
        gaps,
        undeclared: undeclared(&all),
        outputs: Vec::new(),
        stimuli: count(plan.stimuli.len()),
        crossings: count(all.list.len()),
        spans: count(evidence.spans.len()),
    }
}

fn case_node(node: &Node) -> CaseNode {
    CaseNode {
        name: node.name.clone(),
        kind: if node.is_gateway { "gateway" } else { node.kind.word() },
        is_broker: node.kind.as_broker().is_some(),
        exports: node.exports_telemetry(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn weight(finding: &Finding) -> Verdict {
    match (&finding.known, finding.inconclusive) {
        (Some(_), _) => Verdict::Pass,
        (None, true) => Verdict::Inconclusive,
        (None, false) => Verdict::Fail,
    }
}

const OF_VERSION_1: &str = "accepted by a baseline of version 1, whose entries accept any field and any number of \
                            crossings: write it again with `unbroken run --write-baseline`";

/// Marks the findings that the baseline accepts, and remarks on those that are worse than what it accepts.
fn accept(scenario: &Scenario, findings: &mut [Finding], settings: &JudgeSettings) {
    let Some(baseline) = &settings.baseline else { return };
    for finding in findings {
        match baseline.acceptance(&scenario.name, &scenario.case, finding) {
            Acceptance::New => {
                let last = baseline.last_day(&scenario.name, &scenario.case, finding);
                finding.accepted_until = last.map(str::to_owned);
                finding.inside.extend(last.map(|day| format!("the baseline accepted it until {day}")));
            }
            Acceptance::Known(entry) => {
                finding.known = Some(entry.reason.clone());
                if entry.fields.is_none() {
                    finding.inside.push(OF_VERSION_1.to_owned());
                }
            }
            Acceptance::Worse(entry) => {
                let remark = worse(entry, finding);
                finding.inside.push(remark);
            }
        }
    }
}

/// Returns in which way a finding is worse than what the baseline accepts.
fn worse(entry: &AcceptedFinding, finding: &Finding) -> String {
    let fields: Vec<&str> = entry.further_fields(finding).collect();
    if fields.is_empty() {
        let accepted = entry.count.unwrap_or_default();
        let hit = finding.hit;
        return format!("worse than the baseline accepts: {hit} crossings instead of at most {accepted}");
    }
    format!("worse than the baseline accepts: it does not name `{}`", fields.join("`, `"))
}

/// Returns the hops of accepted findings that no longer occur.
fn fixed(
    scenario: &Scenario,
    findings: &[Finding],
    hops: &[HopVerdict],
    settings: &JudgeSettings,
) -> Vec<String> {
    let Some(baseline) = &settings.baseline else { return Vec::new() };
    let fixed = baseline.fixed(&scenario.name, &scenario.case, findings, hops);
    fixed.map(|accepted| accepted.hop.clone()).collect()
}

fn rules(all: &Crossings<'_>, findings: &[Finding]) -> Vec<RuleVerdict> {
    let asked = TABLE.iter().filter(|rule| is_asked(rule.expectation, &all.plan.scenario.expect));
    let judged = asked.map(|rule| {
        let of_rule = findings.iter().filter(|finding| owner(finding.class).expectation == rule.expectation);
        let verdict = of_rule.map(weight).fold(Verdict::Pass, Verdict::and);
        RuleVerdict { rule: rule.expectation, verdict, looked_at: (rule.looked_at)(all) }
    });
    judged.filter(|rule| rule.looked_at > 0 || rule.verdict != Verdict::Pass).collect()
}

fn hops(all: &Crossings<'_>, breaks: &Breaks, findings: &[Finding]) -> Vec<HopVerdict> {
    let hops = all.plan.scenario.hops.iter().enumerate();
    hops.map(|(ix, hop)| hop_verdict(all, breaks, findings, HopIx(ix), hop)).collect()
}

fn hop_verdict(
    all: &Crossings<'_>,
    breaks: &Breaks,
    findings: &[Finding],
    ix: HopIx,
    hop: &Hop,
) -> HopVerdict {
    let scenario = &all.plan.scenario;
    let crossings = all.of_hop(ix).len();
    let judged = all.of_hop(ix).filter(|crossing| is_judged(*crossing)).count();
    let of_hop = findings.iter().filter(|finding| finding.hops.contains(&hop.id));
    let mut verdict = of_hop.map(weight).fold(Verdict::Pass, Verdict::and);
    let unseen = breaks.unseen.iter().any(|(unseen, _)| *unseen == ix);
    let follows = breaks.consequences.iter().any(|(after, _)| *after == ix);
    if verdict == Verdict::Pass && (unseen || follows || judged < crossings || is_incomplete(all, ix)) {
        verdict = Verdict::Inconclusive;
    }
    let (transport, operation) = operation(scenario, &hop.transport);
    HopVerdict {
        id: hop.id.clone(),
        place: hop.place,
        from: scenario.node(hop.from).name.clone(),
        to: scenario.node(hop.to).name.clone(),
        via: hop.transport.via().map(|broker| scenario.node(broker).name.clone()),
        transport,
        operation,
        relation: hop.relation.word(),
        seen: seen_relation(all, ix, hop),
        verdict,
        crossings: count(crossings),
        judged: count(judged),
        within: hop.within.map(|within| scenario.hop(within).id.clone()),
    }
}

/// Returns whether a part of the hop's evidence is missing or cannot be attributed.
fn is_incomplete(all: &Crossings<'_>, ix: HopIx) -> bool {
    let hop = all.plan.scenario.hop(ix);
    let via = hop.transport.via();
    let has_node_gap = all.evidence.gaps.iter().any(|gap| match gap.place {
        GapPlace::Node(node) | GapPlace::DeadNode(node) => {
            Some(node) == via || [hop.from, hop.to].contains(&node)
        }
        GapPlace::Tap(_) | GapPlace::UnreachableReceiver(_) | GapPlace::Run | GapPlace::Stimulus(_) => false,
    });
    has_node_gap || all.has_tap_gap(ix) || all.unattributed.iter().any(|(_, hop)| *hop == ix)
}

/// Returns the transport and the operation. Over a broker that is the topic or queue as the file names it, which is the
/// same in every run.
fn operation(scenario: &Scenario, transport: &Transport) -> (&'static str, String) {
    match transport {
        Transport::Http(http) => {
            let parts = [http.method.clone(), http.path.as_ref().map(|path| path.0.clone())];
            (transport.word(), parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        Transport::Grpc(grpc) => (transport.word(), grpc.method.clone().unwrap_or_default()),
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {
            (transport.word(), scenario.source_in_file(transport).unwrap_or_default().to_owned())
        }
    }
}

/// Returns the relation that was seen on a hop that allows several.
fn seen_relation(all: &Crossings<'_>, ix: HopIx, hop: &Hop) -> Option<&'static str> {
    if hop.relation != Relation::ChildOrLink {
        return None;
    }
    let mut seen = all.of_hop(ix).filter_map(|crossing| {
        let span = crossing.receiver_span()?;
        let context = crossing.arrived()?.context()?;
        if span.trace_id == context.trace_id.as_bytes() {
            return Some("child");
        }
        Some(if span.links.is_empty() { "neither" } else { "link" })
    });
    let first = seen.next()?;
    Some(if seen.all(|other| other == first) { first } else { "mixed" })
}

fn undeclared(all: &Crossings<'_>) -> Vec<(String, u32)> {
    let mut calls: BTreeMap<String, u32> = BTreeMap::new();
    let background = all.background.iter().map(|(capture, _)| capture);
    for capture in all.undeclared.iter().chain(background) {
        let capture = &all.evidence.captures[capture.0];
        let tap = all.plan.tap(capture.tap);
        let (from, to) = (&all.plan.scenario.node(tap.from).name, &all.plan.scenario.node(tap.to).name);
        *calls.entry(format!("`{from}` -> `{to}` {}", wording::call(all, capture))).or_default() += 1;
    }
    calls.into_iter().collect()
}

/// Returns the sampled flag on the wire, or `None` where the wire carries no context.
fn sampled(crossing: CrossingRef<'_>) -> Option<bool> {
    Some(crossing.wire()?.context()?.flags.sampled())
}

/// Returns whether a tap or a span of the receiver shows what crossed: a span of the sender alone shows that it sent.
fn is_judged(crossing: CrossingRef<'_>) -> bool {
    match crossing.witness() {
        Some(CrossingWitness::Tap | CrossingWitness::ReceiverSpan) => true,
        Some(CrossingWitness::CallSpan) | None => false,
    }
}
