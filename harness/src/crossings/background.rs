//! Requests and messages that a node sends by itself: polls, health checks, ticks of a scheduler.
//!
//! A kind (method and path, or where a message goes) is background when it was seen before the story, or while nothing
//! was under way and all that was due had crossed without it. What is seen only under a stimulus stays judged.

use std::collections::{BTreeMap, HashSet};

use super::Carried;
use crate::evidence::{CaptureIx, Evidence, MessageDirection};
use crate::plan::Plan;
use crate::scenario::{HopIx, NodeIx, Transport};

/// A capture and the hops that it goes over, each with who sent it.
pub(super) type OnHops = (usize, Vec<(HopIx, NodeIx)>);

/// The captures on declared hops, by how their stimulus is known.
pub(super) struct Unsorted<'w> {
    /// Before the first stimulus.
    pub early: &'w [(usize, HopIx)],
    /// By mark or by trace.
    pub tied: Vec<(usize, HopIx)>,
    pub untied: Vec<(usize, HopIx)>,
}

/// A hop, and what tells one kind of request on it from another.
type Kind = (HopIx, String);

/// Returns the untied captures that are background.
pub(super) fn find(plan: &Plan, evidence: &Evidence, unsorted: &Unsorted<'_>) -> HashSet<usize> {
    let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (ix, hop) in &unsorted.untied {
        kinds.entry(kind(plan, evidence, *hop, *ix)).or_default().push(*ix);
    }
    let early: HashSet<Kind> =
        unsorted.early.iter().map(|(ix, hop)| kind(plan, evidence, *hop, *ix)).collect();
    let unsolicited = |(of, all): &(&Kind, &Vec<usize>)| {
        early.contains(*of) || all.iter().any(|ix| is_surplus(plan, evidence, unsorted, of, *ix))
    };
    kinds.iter().filter(unsolicited).flat_map(|(_, all)| all.iter().copied()).collect()
}

/// Whether nothing was under way when this was sent, and all that was due on its hop had crossed without its kind.
fn is_surplus(plan: &Plan, evidence: &Evidence, unsorted: &Unsorted<'_>, of: &Kind, ix: usize) -> bool {
    let begun = |ix: usize| evidence.captures[ix].begun_nanos;
    let at = begun(ix);
    let under_way = evidence
        .exchanges
        .iter()
        .any(|one| one.sent_nanos <= at && one.answered_nanos.is_none_or(|ended| ended >= at));
    let declared = plan.scenario.hop(of.0);
    let Some(within) = declared.within.filter(|_| !under_way) else { return false };
    // What may have caused it is not known.
    if unsorted.untied.iter().any(|(_, hop)| *hop == within) {
        return false;
    }
    let causes = unsorted.tied.iter().filter(|(ix, hop)| *hop == within && begun(*ix) < at).count();
    let tied = unsorted.tied.iter().filter(|(ix, hop)| *hop == of.0 && begun(*ix) < at).count();
    let other = |(ix, hop): &&(usize, HopIx)| {
        *hop == of.0 && begun(*ix) < at && kind(plan, evidence, *hop, *ix) != *of
    };
    let others = unsorted.untied.iter().filter(other).count();
    let due = causes * usize::try_from(declared.times.min).unwrap_or(usize::MAX);
    due > 0 && tied + others >= due
}

fn kind(plan: &Plan, evidence: &Evidence, hop: HopIx, ix: usize) -> Kind {
    let capture = &evidence.captures[ix];
    let told = match (&capture.message, &plan.scenario.hop(hop).transport) {
        (Some(message), _) => {
            format!("{} {}", message.destination, message.routing_key.as_deref().unwrap_or_default())
        }
        (None, Transport::Http(http)) if http.path.is_some() => capture.method.clone(),
        (None, _) => format!("{} {}", capture.method, capture.path),
    };
    (hop, told)
}

/// Moves deliveries of messages that are background, or were sent before the story, to the background.
pub(super) fn move_deliveries(
    evidence: &Evidence,
    carried: &[Carried],
    sent: &[usize],
    unattributed: &mut Vec<(CaptureIx, HopIx)>,
) -> Vec<(CaptureIx, HopIx)> {
    let is_of_background = |(ix, _): &mut (CaptureIx, HopIx)| {
        let Some(message) = &evidence.captures[ix.0].message else { return false };
        let same = |sent: &&usize| {
            let Some(other) = &evidence.captures[**sent].message else { return false };
            let id = message.id.is_some() && message.id == other.id;
            let context = carried[ix.0].first();
            match message.offset {
                Some(_) => message.offset == other.offset && message.destination == other.destination,
                None => id || (context.is_some() && context == carried[**sent].first()),
            }
        };
        message.direction == MessageDirection::Delivered && sent.iter().any(|sent| same(&sent))
    };
    unattributed.extract_if(.., is_of_background).collect()
}
