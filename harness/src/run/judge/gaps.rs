//! The reasons besides findings for which a case cannot be decided; each names the next step.

use std::collections::BTreeMap;

use super::{dead_nodes, is_judged, sampled};
use crate::breaks::{Break, BreakKind, Breaks, Class, Grade, Unseen};
use crate::crossings::id_map::IdSet;
use crate::crossings::{CrossingIx, Crossings};
use crate::evidence::{Answer, Completion, Gap, GapPlace};
use crate::plan::StimulusIx;
use crate::rules::{counts, is_asked, owner, wording};
use crate::scenario::{Drive, Expectation, HopIx, NodeIx};
use crate::verdict::GapVerdict;

/// Returns the reasons besides findings for which the case cannot be decided.
pub(super) fn gaps(all: &Crossings<'_>, breaks: &Breaks) -> Vec<GapVerdict> {
    let mut gaps = seen_gaps(all);
    gaps.extend(unattributed(all).into_iter().map(without_output));
    let mut unseen: Vec<(&(HopIx, Unseen), u32)> = Vec::new();
    for one in breaks.unseen.iter().filter(|(hop, why)| !dead_nodes::explains_unseen(all, *hop, why)) {
        match unseen.iter_mut().find(|(known, _)| *known == one) {
            Some((_, times)) => *times += 1,
            None => unseen.push((one, 1)),
        }
    }
    unseen.sort_by_key(|((hop, _), _)| *hop);
    gaps.extend(unseen.into_iter().map(|((hop, why), times)| {
        let (id, stimuli) = (&all.plan.scenario.hop(*hop).id, all.plan.stimuli.len());
        let why = wording::unseen(&all.plan.scenario, *hop, why);
        without_output(format!("`{id}`: {why} ({times} of {stimuli} stimuli)"))
    }));
    gaps.extend(unwitnessed(all, breaks).into_iter().map(without_output));
    gaps.extend(uncompared(all, breaks).into_iter().map(without_output));
    gaps.extend(missing_logs(all, breaks).into_iter().map(without_output));
    gaps.extend(unexpected_answers(all, breaks).into_iter().map(without_output));
    gaps.extend(unproven_silence(all).into_iter().map(without_output));
    gaps
}

/// Returns what the taps and the runtime saw missing: deaths first, and without what follows from them.
fn seen_gaps(all: &Crossings<'_>) -> Vec<GapVerdict> {
    let mut deaths = Vec::new();
    let mut others = Vec::new();
    for gap in all.evidence.gaps.iter().filter(|gap| !dead_nodes::explains_gap(all, gap)) {
        let mut seen = seen_gap(all, gap);
        if let GapPlace::DeadNode(node) = gap.place {
            dead_nodes::add_losses(all, node, &mut seen);
            deaths.push(seen);
        } else if !others.contains(&seen) {
            // A tap reports the same gap for each connection.
            others.push(seen);
        }
    }
    deaths.extend(others);
    deaths
}

/// Returns the hops with requests or messages of no known stimulus.
fn unattributed(all: &Crossings<'_>) -> Vec<String> {
    let mut unattributed: BTreeMap<(HopIx, Option<&str>), u32> = BTreeMap::new();
    for (capture, hop) in &all.unattributed {
        let message = all.capture(*capture).message.as_ref();
        let moved_from = message.and_then(|message| message.moved_from.as_deref());
        *unattributed.entry((*hop, moved_from)).or_default() += 1;
    }
    let lines = unattributed.into_iter().map(|((hop, moved_from), times)| {
        let hop = all.plan.scenario.hop(hop);
        let (id, queue) = (&hop.id, hop.transport.source().unwrap_or_default());
        match moved_from {
            Some(from) => format!(
                "{} over `{id}` came from queue `{from}`, to which no hop publishes: to declare the detour, name that \
                 queue `{queue}.delay` and set `delay:` on the hop (`unbroken explain brokers`)",
                counted(times, "message")
            ),
            None => format!(
                "{} over `{id}` cannot be attributed to a stimulus: give the node a `marker`, or drive with \
                 `concurrency: 1`",
                counted(times, "request")
            ),
        }
    });
    lines.collect()
}

fn counted(times: u32, noun: &str) -> String {
    if times == 1 { format!("1 {noun}") } else { format!("{times} {noun}s") }
}

fn without_output(what: String) -> GapVerdict {
    GapVerdict { what, lines: Vec::new() }
}

fn seen_gap(all: &Crossings<'_>, gap: &Gap) -> GapVerdict {
    let scenario = &all.plan.scenario;
    let at = match gap.place {
        GapPlace::Run => String::new(),
        GapPlace::Node(node) | GapPlace::DeadNode(node) => format!("`{}`: ", scenario.node(node).name),
        GapPlace::Tap(tap) | GapPlace::UnreachableReceiver(tap) => {
            let tap = all.plan.tap(tap);
            if tap.from == tap.to {
                return GapVerdict {
                    what: format!("at `{}`: {}", scenario.node(tap.to).name, gap.what),
                    lines: gap.lines.clone(),
                };
            }
            format!("between `{}` and `{}`: ", scenario.node(tap.from).name, scenario.node(tap.to).name)
        }
        GapPlace::Stimulus(stimulus) => format!("stimulus {}: ", stimulus.0 + 1),
    };
    GapVerdict { what: format!("{at}{}", gap.what), lines: gap.lines.clone() }
}

/// Returns the hops with crossings that neither a tap nor a span of the receiver shows, and no finding explains.
fn unwitnessed(all: &Crossings<'_>, breaks: &Breaks) -> Vec<String> {
    let scenario = &all.plan.scenario;
    let counted = breaks.list.iter().filter(|one| is_counted(all, one));
    let explained: IdSet<CrossingIx> = counted.filter_map(|one| one.crossing).collect();
    let mut lines = Vec::new();
    for ix in (0..scenario.hops.len()).map(HopIx) {
        let unseen = all.of_hop(ix).filter(|crossing| !is_judged(*crossing));
        let unseen = unseen.filter(|crossing| !explained.contains(&crossing.ix())).count();
        if unseen > 0 {
            let (hop, of) = (scenario.hop(ix), all.of_hop(ix).len());
            let to = &scenario.node(hop.to).name;
            let untapped = match hop.fixed_tap {
                None => "the hop says `tap: none`",
                Some(_) => "its tap saw no connection",
            };
            lines.push(format!(
                "`{}`: {unseen} of {of} crossings were not judged: {untapped}, and no span of `{to}` is for them",
                hop.id
            ));
        }
    }
    lines
}

fn is_counted(all: &Crossings<'_>, one: &Break) -> bool {
    one.grade > Grade::Note && counts(one.class(), &all.plan.scenario.expect)
}

/// Returns the hops whose tracestate could not be compared because of a break that `expect` does not request.
fn uncompared(all: &Crossings<'_>, breaks: &Breaks) -> Vec<String> {
    let scenario = &all.plan.scenario;
    if !is_asked(Expectation::TracestateKept, &scenario.expect) {
        return Vec::new();
    }
    let mut hops: BTreeMap<(HopIx, Class), u32> = BTreeMap::new();
    for one in breaks.uncompared.iter().filter(|one| !counts(one.class, &scenario.expect)) {
        *hops.entry((all.get(one.crossing).hop_ix(), one.class)).or_default() += 1;
    }
    let lines = hops.into_iter().map(|((hop, class), times)| {
        let (id, of, rule) = (&scenario.hop(hop).id, all.of_hop(hop).len(), owner(class).expectation.id());
        let class = class.word();
        format!(
            "`{id}`: tracestate was not compared on {times} of {of} crossings: it follows from `{class}`, which `expect:` \
             does not request; add `{rule}`"
        )
    });
    lines.collect()
}

/// Returns the relays whose log records did not all arrive.
fn missing_logs(all: &Crossings<'_>, breaks: &Breaks) -> Vec<String> {
    let scenario = &all.plan.scenario;
    if !is_asked(Expectation::LogsCorrelated, &scenario.expect) {
        return Vec::new();
    }
    let lines = breaks.logs.iter().map(|logs| {
        let (name, due, arrived) = (&scenario.node(logs.node).name, logs.due, logs.arrived);
        format!("`{name}` was instructed to write {due} log records, and {arrived} arrived: check its log exporter")
    });
    lines.collect()
}

/// Returns the answers that the drive does not expect: the story did not run as declared.
fn unexpected_answers(all: &Crossings<'_>, breaks: &Breaks) -> Vec<String> {
    let refused = breaks.list.iter().filter(|one| one.kind == BreakKind::Refused && is_counted(all, one));
    let refused: IdSet<StimulusIx> = refused.filter_map(|one| one.stimulus).collect();
    let mut wrong: BTreeMap<(usize, String, bool), u32> = BTreeMap::new();
    for exchange in &all.evidence.exchanges {
        let ix = all.plan.stimulus(exchange.stimulus).drive;
        let drive: &Drive = &all.plan.scenario.drives[ix];
        let fine = match (drive.answers, &exchange.answer) {
            (None, Answer::TimedOut) if drive.hangs_up => true,
            (None, answer) => answer.is_success(),
            (Some(status), Answer::Http(seen)) => status == u32::from(*seen),
            (Some(code), Answer::Grpc(seen)) => code == *seen,
            (Some(_), _) => false,
        };
        // A finding says why.
        if !fine && !refused.contains(&exchange.stimulus) && !dead_nodes::explains_answer(all, exchange) {
            let key = (ix, wording::answer(&exchange.answer), exchange.answer.arrived());
            *wrong.entry(key).or_default() += 1;
        }
    }
    let mut lines = Vec::new();
    for ((ix, how, answered), times) in wrong {
        let drive = &all.plan.scenario.drives[ix];
        let hop = &all.plan.scenario.hop(drive.send).id;
        let expected = drive.answers.map_or_else(|| "a success".to_owned(), |status| format!("{status}"));
        let many = format!("{times} of {} requests over `{hop}`", drive.times);
        lines.push(if answered {
            format!(
                "{many} were answered with {how} instead of {expected}: check the output of the node, or set `answers:`"
            )
        } else {
            format!("{many} failed: {how}")
        });
    }
    lines
}

/// Returns the nodes that may have exported a span for an unsampled request that never arrived.
fn unproven_silence(all: &Crossings<'_>) -> Vec<String> {
    let mut silent: BTreeMap<NodeIx, u32> = BTreeMap::new();
    for crossing in all.iter() {
        let node = crossing.receiver();
        let unsampled = sampled(crossing) == Some(false);
        let unknown = matches!(all.evidence.completions.get(node.0), Some(Completion::Unknown(_)) | None);
        let is_due = all.exports(node) && !all.evidence.has_died(node);
        if unsampled && unknown && is_due && crossing.receiver_span_ix().is_none() {
            *silent.entry(node).or_default() += 1;
        }
    }
    let mut lines = Vec::new();
    for (node, times) in silent {
        let why = match all.evidence.completions.get(node.0) {
            Some(Completion::Unknown(why)) => why.as_str(),
            Some(
                Completion::NothingDue
                | Completion::Flushed { .. }
                | Completion::Stopped { .. }
                | Completion::Ordered { .. }
                | Completion::Quiet { .. },
            )
            | None => "it was not flushed",
        };
        let name = &all.plan.scenario.node(node).name;
        lines.push(format!(
            "cannot prove that `{name}` exports no span for {}: {why}",
            counted(times, "unsampled request")
        ));
    }
    lines
}
