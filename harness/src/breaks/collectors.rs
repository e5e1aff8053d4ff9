//! Collectors: what left each is held against what came in.
//!
//! Before is what nodes and other collectors exported to it, after is what it exported. Spans are the same by their
//! ids, so a resource that was stripped changes nothing. A trace has the fate that `expect-traces` declares; ids,
//! parent, flags, links and tracestate must leave as they came (OTLP, trace.proto).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::break_kind::AlteredPart;
use super::{Break, BreakKind, Breaks, Grade, Side, Value};
use crate::crossings::Crossings;
use crate::evidence::{CollectorSpan, CollectorSpanIx, Completion, GapPlace, Span, SpanIx, SpanParts};
use crate::plan::StimulusIx;
use crate::scenario::expect_traces::{TraceExpectation, TraceFate};
use crate::scenario::{ExportTarget, HopIx, NodeIx};
use crate::wire::TraceId;

type SpanKey<'e> = (&'e [u8], &'e [u8]);

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    if all.plan.scenario.collectors().next().is_none() {
        return;
    }
    let ways = Ways::of(all);
    for (collector, _) in all.plan.scenario.collectors() {
        altered(all, &ways, collector, found);
    }
    if !all.plan.scenario.expect_traces.is_empty() {
        fates(all, &ways, found);
    }
}

/// Returns the spans of each trace of the story that went into a collector.
pub fn judged_traces<'e>(all: &'e Crossings<'_>) -> BTreeMap<&'e [u8], Vec<SpanIx>> {
    let mut traces: BTreeMap<&[u8], Vec<SpanIx>> = BTreeMap::new();
    for (span, ix) in all.evidence.spans.iter().zip((0..).map(SpanIx)) {
        let collected = all.plan.scenario.node(span.node).exports_to.is_some();
        if collected && stimulus(all, &span.trace_id).is_some() {
            traces.entry(&span.trace_id).or_default().push(ix);
        }
    }
    traces
}

fn stimulus(all: &Crossings<'_>, trace: &[u8]) -> Option<StimulusIx> {
    all.owners.get(&TraceId::from_bytes(trace)?).copied()
}

/// The spans on their ways.
struct Ways<'e> {
    /// The spans that nodes exported.
    exported: HashMap<SpanKey<'e>, SpanIx>,
    /// The spans that left each collector, by their ids.
    left: HashMap<(NodeIx, SpanKey<'e>), Vec<CollectorSpanIx>>,
}

impl<'e> Ways<'e> {
    fn of(all: &Crossings<'e>) -> Ways<'e> {
        let spans = all.evidence.spans.iter().zip((0..).map(SpanIx));
        let exported = spans.map(|(span, ix)| ((span.trace_id.as_slice(), span.span_id.as_slice()), ix));
        let mut left: HashMap<_, Vec<CollectorSpanIx>> = HashMap::new();
        for (span, ix) in all.evidence.collector_spans.iter().zip((0..).map(CollectorSpanIx)) {
            left.entry((span.from, key(span))).or_default().push(ix);
        }
        Ways { exported: exported.collect(), left }
    }

    /// Returns whether a span arrives at the sink, and the collector that was the last to have it.
    fn end(&self, all: &Crossings<'_>, span: &Span) -> (bool, NodeIx) {
        let first = all.plan.scenario.node(span.node).exports_to.unwrap_or(span.node);
        let (mut at, mut seen) = (first, BTreeSet::new());
        while seen.insert(at) {
            let key = (at, (span.trace_id.as_slice(), span.span_id.as_slice()));
            let left = self.left.get(&key).map_or(&[][..], Vec::as_slice);
            let targets = left.iter().map(|ix| all.evidence.collector_spans[ix.0].to);
            let mut next = None;
            for target in targets {
                match target {
                    ExportTarget::Sink => return (true, at),
                    ExportTarget::Collector(node) => next = Some(node),
                }
            }
            match next {
                Some(node) => at = node,
                None => return (false, at),
            }
        }
        (false, at)
    }
}

fn key(span: &CollectorSpan) -> SpanKey<'_> {
    (&span.trace_id, &span.span_id)
}

/// Finds the traces that did not have the fate that the scenario declares.
fn fates(all: &Crossings<'_>, ways: &Ways<'_>, found: &mut Breaks) {
    for (trace, spans) in judged_traces(all) {
        let Some(expectation) = expectation(all, &spans) else { continue };
        let ends: Vec<(SpanIx, bool, NodeIx)> = spans
            .iter()
            .map(|ix| {
                let (arrived, at) = ways.end(all, all.spans.get(*ix));
                (*ix, arrived, at)
            })
            .collect();
        let arrived = ends.iter().filter(|(_, arrived, _)| *arrived).count();
        let fate = expectation.fate;
        let (kind, lost) = match fate {
            _ if arrived > 0 && arrived < ends.len() => (BreakKind::TraceSplit(fate), true),
            TraceFate::Kept if arrived == 0 => (BreakKind::TraceDropped, true),
            TraceFate::Dropped if arrived > 0 => (BreakKind::TraceKept, false),
            TraceFate::Kept | TraceFate::KeptOrDropped | TraceFate::Dropped => continue,
        };
        let example = ends.iter().find(|(_, arrived, _)| *arrived != lost);
        let Some((span, _, collector)) = example else { continue };
        let value = Value::SpansArrived { arrived, of: ends.len() };
        let due = match fate {
            TraceFate::Kept => Value::SpansArrived { arrived: ends.len(), of: ends.len() },
            TraceFate::Dropped => Value::SpansArrived { arrived: 0, of: ends.len() },
            TraceFate::KeptOrDropped => Value::Implied,
        };
        let broken = of_collector(all, kind, *collector, stimulus(all, trace));
        found.list.push(broken.of_span(*span).values(due, value));
    }
}

/// Returns the first expectation that applies to a trace.
fn expectation<'s>(all: &'s Crossings<'_>, spans: &[SpanIx]) -> Option<&'s TraceExpectation> {
    all.plan.scenario.expect_traces.iter().find(|expectation| match expectation.fails {
        None => true,
        Some(node) => spans.iter().any(|ix| {
            let span = all.spans.get(*ix);
            span.node == node && span.failed
        }),
    })
}

/// Returns a break of a collector; inconclusive where its own evidence has a gap.
fn of_collector(
    all: &Crossings<'_>,
    kind: BreakKind,
    collector: NodeIx,
    stimulus: Option<StimulusIx>,
) -> Break {
    let drive = stimulus.map(|stimulus| &all.plan.scenario.drives[all.plan.stimulus(stimulus).drive]);
    let hop = drive.map_or(HopIx(0), |drive| drive.send);
    let grade = if has_gap(all) { Grade::Inconclusive } else { Grade::Fault };
    Break { stimulus, ..Break::new(kind, Side::Intermediary, hop, collector) }.graded(grade)
}

/// Returns whether a collector died, did not end by itself, or rejected or gave up spans: it may be any of them.
fn has_gap(all: &Crossings<'_>) -> bool {
    let is_collector = |node: NodeIx| all.plan.scenario.node(node).kind.as_collector().is_some();
    let gap = all.evidence.gaps.iter().any(|gap| match gap.place {
        GapPlace::Node(node) | GapPlace::DeadNode(node) => is_collector(node),
        GapPlace::Run | GapPlace::Tap(_) | GapPlace::UnreachableReceiver(_) | GapPlace::Stimulus(_) => false,
    });
    let completions = all.evidence.completions.iter().zip((0..).map(NodeIx));
    gap || completions
        .filter(|(_, node)| is_collector(*node))
        .any(|(completion, _)| matches!(completion, Completion::Unknown(_)))
}

/// Finds the spans that left a collector otherwise than they came.
fn altered(all: &Crossings<'_>, ways: &Ways<'_>, collector: NodeIx, found: &mut Breaks) {
    let before = came_in(all, collector);
    let ids: BTreeSet<&[u8]> = before.keys().map(|(_, span)| *span).collect();
    for (after, ix) in all.evidence.collector_spans.iter().zip((0..).map(CollectorSpanIx)) {
        if after.from != collector {
            continue;
        }
        let mut parts = Vec::new();
        match before.get(&key(after)) {
            Some(before) => {
                let changed = [
                    (AlteredPart::ParentId, *before.parent_id != *after.parent_id),
                    (AlteredPart::Flags, before.flags != after.flags),
                    (AlteredPart::Links, before.links != after.links),
                    (AlteredPart::TraceState, !is_same_state(before.trace_state, &after.trace_state)),
                ];
                parts.extend(changed.into_iter().filter(|(_, changed)| *changed).map(|(part, _)| part));
            }
            None if ids.contains(after.span_id.as_slice()) => parts.push(AlteredPart::TraceId),
            None => parts.push(AlteredPart::SpanId),
        }
        for part in parts {
            let origin = origin(all, ways, after);
            let trace = origin.map_or(&after.trace_id, |ix| &all.spans.get(ix).trace_id);
            let broken =
                of_collector(all, BreakKind::CollectorAltered(part), collector, stimulus(all, trace));
            let expected = origin.map_or(Value::NoSpan, |origin| Value::PartOf(part, origin));
            found.list.push(
                Break { span: origin, ..broken }.values(expected, Value::PartBehindCollector(part, ix)),
            );
        }
    }
}

/// Returns the span as its node exported it; of one with another trace id by its span id.
fn origin(all: &Crossings<'_>, ways: &Ways<'_>, after: &CollectorSpan) -> Option<SpanIx> {
    let known = ways.exported.get(&key(after)).copied();
    known.or_else(|| {
        let spans = all.evidence.spans.iter().zip((0..).map(SpanIx));
        spans.filter(|(span, _)| span.span_id == after.span_id).map(|(_, ix)| ix).next()
    })
}

/// Returns what came into a collector, by the ids of the spans.
fn came_in<'e>(all: &Crossings<'e>, collector: NodeIx) -> HashMap<SpanKey<'e>, SpanParts<'e>> {
    let exported = all.evidence.spans.iter();
    let exported = exported.filter(|span| all.plan.scenario.node(span.node).exports_to == Some(collector));
    let handed_on = all.evidence.collector_spans.iter();
    let handed_on = handed_on.filter(|span| span.to == ExportTarget::Collector(collector));
    let parts = exported.map(SpanParts::from).chain(handed_on.map(SpanParts::from));
    parts.map(|parts| ((parts.trace_id, parts.span_id), parts)).collect()
}

/// Returns whether two tracestates are the same, except for the threshold: a sampler in a collector may raise `th` of
/// the member `ot`, or remove it, and never lowers it (OpenTelemetry, TraceState: Probability Sampling).
fn is_same_state(before: &str, after: &str) -> bool {
    if before == after {
        return true;
    }
    let lowered = match (threshold(before), threshold(after)) {
        // Hexadecimal digits from the left; zeros at the end are omitted.
        (Some(before), Some(after)) => after.trim_end_matches('0') < before.trim_end_matches('0'),
        _ => false,
    };
    !lowered && without_threshold(before) == without_threshold(after)
}

/// Returns the digits of `th` of the member `ot`.
fn threshold(state: &str) -> Option<&str> {
    let own = state.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    own.split(';').find_map(|value| value.strip_prefix("th:"))
}

/// Returns the values of the member `ot` without `th`, and the other members, each in their order.
fn without_threshold(state: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for member in state.split(',').map(str::trim).filter(|member| !member.is_empty()) {
        match member.strip_prefix("ot=") {
            Some(values) => {
                own.extend(values.split(';').filter(|value| !value.is_empty() && !value.starts_with("th:")));
            }
            None => others.push(member),
        }
    }
    (own, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_threshold_of_a_tracestate_may_change() {
        for (before, after, same) in [
            ("", "", true),
            ("", "ot=th:0", true),
            ("acme=1", "ot=th:8,acme=1", true),
            ("ot=rv:abc;th:0,acme=1", "ot=th:c;rv:abc,acme=1", true),
            ("ot=th:8", "", true),
            ("ot=th:8", "ot=th:80", true),
            ("ot=th:8", "ot=th:7f", false),
            ("", "ot=rv:abc;th:0", false),
            ("acme=1", "", false),
            ("acme=1", "acme=2", false),
            ("a=1,b=2", "b=2,a=1", false),
        ] {
            assert_eq!(is_same_state(before, after), same, "{before} -> {after}");
        }
    }
}
