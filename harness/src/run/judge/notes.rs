//! Notes beside the findings: what follows from a break elsewhere, and how far the exports of each node are known.

use std::collections::BTreeMap;

use super::sampled;
use crate::breaks::Breaks;
use crate::crossings::Crossings;
use crate::evidence::{CaptureEnd, CaptureIx, Completion};
use crate::plan::{Plan, TapIx};
use crate::rules::Note;
use crate::scenario::NodeIx;

/// Returns the notes on a case that belong to no finding.
pub(super) fn of(all: &Crossings<'_>, breaks: &Breaks) -> Vec<Note> {
    let mut notes = consequences(all, breaks);
    notes.extend(unproven(all));
    notes.extend(ordered(all));
    notes.extend(open_calls(all));
    notes.extend(open_listeners(all.plan));
    notes
}

/// Returns a note for each hop that nothing could cross because nothing crossed the one before.
fn consequences(all: &Crossings<'_>, breaks: &Breaks) -> Vec<Note> {
    let scenario = &all.plan.scenario;
    let notes = breaks.consequences.iter().map(|(after, before)| {
        let (after, before) = (&scenario.hop(*after).id, &scenario.hop(*before).id);
        let text = format!("`{after}` was not crossed, because `{before}` before it was not crossed");
        Note { hop: Some(after.clone()), text, seen: 1, of_sdk: false }
    });
    notes.collect()
}

/// Returns a note for each node whose spans may be incomplete: rules that need all of its spans skipped what it sent.
fn unproven(all: &Crossings<'_>) -> Vec<Note> {
    let mut sent: BTreeMap<NodeIx, u32> = BTreeMap::new();
    for crossing in all.iter() {
        // No span is due for an unsampled request.
        if all.exports(crossing.sender()) && sampled(crossing) == Some(true) {
            *sent.entry(crossing.sender()).or_default() += 1;
        }
    }
    let notes = sent.into_iter().filter_map(|(node, times)| {
        let Some(Completion::Unknown(why)) = all.evidence.completions.get(node.0) else { return None };
        let name = &all.plan.scenario.node(node).name;
        let text = format!(
            "cannot prove that `{name}` exported every span: {why}; the ids that it sent were not checked"
        );
        Some(Note { hop: None, text, seen: times, of_sdk: false })
    });
    notes.collect()
}

/// Returns a note for each node that exported everything, as further requests showed: it received more of them than the
/// scenario declares.
fn ordered(all: &Crossings<'_>) -> impl Iterator<Item = Note> {
    let nodes = all.plan.scenario.nodes.iter().zip(&all.evidence.completions);
    nodes.filter_map(|(node, completion)| {
        let Completion::Ordered { process, .. } = completion else { return None };
        let text = format!(
            "`{}` exported every span before those of further requests, which are not judged (process {process})",
            node.name
        );
        Some(Note { hop: None, text, seen: 1, of_sdk: false })
    })
}

/// Returns a note for each listener at a fixed address that other machines can reach.
fn open_listeners(plan: &Plan) -> Vec<Note> {
    let taps = plan.taps.iter().filter_map(|tap| {
        let (from, to) = (&plan.scenario.node(tap.from).name, &plan.scenario.node(tap.to).name);
        Some((tap.listen?, format!("the tap between `{from}` and `{to}`"), format!("`{to}`")))
    });
    let otlp = plan.scenario.otlp_listen.map(|at| (at, "the OTLP endpoint".to_owned(), "it".to_owned()));
    let open = taps.chain(otlp).filter(|(at, _, _)| at.ip().is_unspecified());
    let notes = open.map(|(at, what, reached)| {
        let text = format!(
            "{what} listened on every interface ({at}) during the case: any machine that reaches this one could reach \
             {reached} through it"
        );
        Note { hop: None, text, seen: 1, of_sdk: false }
    });
    notes.collect()
}

/// Returns a note for each kind of call that had not ended when the evidence was taken: the case waited for it until
/// its deadline. One that began before the first stimulus or beside the story was not waited for.
fn open_calls(all: &Crossings<'_>) -> Vec<Note> {
    let first_sent = all.evidence.exchanges.iter().map(|exchange| exchange.sent_nanos).min().unwrap_or(0);
    let mut open: BTreeMap<(TapIx, &str, &str), u32> = BTreeMap::new();
    for (capture, ix) in all.evidence.captures.iter().zip(0..) {
        let waited = capture.message.is_none() && !all.is_beside_story(CaptureIx(ix));
        if waited && capture.end == CaptureEnd::Open && capture.begun_nanos >= first_sent {
            *open.entry((capture.tap, &capture.method, &capture.path)).or_default() += 1;
        }
    }
    let notes = open.into_iter().map(|((tap, method, path), seen)| {
        let tap = all.plan.tap(tap);
        let (from, to) = (&all.plan.scenario.node(tap.from).name, &all.plan.scenario.node(tap.to).name);
        let text = format!(
            "{method} {path} from `{from}` to `{to}` had not ended at the deadline, and the case waited for it: let it end \
             with the request, or begin it before the first one"
        );
        Note { hop: None, text, seen, of_sdk: false }
    });
    notes.collect()
}
