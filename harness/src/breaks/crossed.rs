//! C1: a hop that was crossed less often than it declares; and hops that nothing could cross because of it.

use super::fault::{Break, Grade};
use super::{Breaks, Class, Side, name};
use crate::crossings::hashing::{IdMap, IdSet};
use crate::crossings::{CrossingIx, Crossings, Nature};
use crate::evidence::{CaptureEnd, Settlement};
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let caused = Caused::of(all);
    let unattributed: IdSet<HopIx> = all.unattributed.iter().map(|(_, hop)| *hop).collect();
    for (hop_ix, hop) in all.plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop)) {
        let Some(within) = hop.within else { continue };
        let first = all.of_hop(within).filter(|(_, crossing)| crossing.nature != Nature::Redelivered);
        let causes: Vec<CrossingIx> = first.map(|(ix, _)| ix).collect();
        if causes.is_empty() {
            found.consequences.push((hop_ix, within));
        }
        for cause in causes {
            let seen = caused.seen.get(&(cause, hop_ix)).map_or(&[][..], Vec::as_slice);
            let times = u32::try_from(seen.len()).unwrap_or(u32::MAX);
            let deliveries = caused.deliveries.get(&cause).copied().unwrap_or_default() + 1;
            if times < hop.times.min {
                let told = row(all, cause, hop_ix, times, unattributed.contains(&hop_ix));
                found.list.extend(told);
            } else if times > hop.times.max.saturating_mul(deliveries) {
                found.list.extend(more(all, cause, hop_ix, seen));
            }
        }
    }
    from_client(all, found);
}

/// What each crossing caused; what a further delivery caused counts as the first one's.
#[derive(Default)]
struct Caused {
    seen: IdMap<(CrossingIx, HopIx), Vec<CrossingIx>>,
    /// Further deliveries of each.
    deliveries: IdMap<CrossingIx, u32>,
}

impl Caused {
    fn of(all: &Crossings<'_>) -> Caused {
        let mut caused = Caused::default();
        for (ix, crossing) in all.iter() {
            match (crossing.nature, crossing.cause) {
                (Nature::Redelivered, _) => {
                    *caused.deliveries.entry(all.first_delivery(ix)).or_default() += 1
                }
                (_, Some(cause)) => {
                    caused.seen.entry((all.first_delivery(cause), crossing.hop)).or_default().push(ix)
                }
                (_, None) => {}
            }
        }
        caused
    }
}

fn crossings(times: u32) -> String {
    if times == 1 { "1 crossing".to_owned() } else { format!("{times} crossings") }
}

fn row(all: &Crossings<'_>, cause: CrossingIx, hop: HopIx, times: u32, unattributed: bool) -> Option<Break> {
    let crossing = all.get(cause);
    let declared = all.plan.scenario.hop(hop);
    if !declared.tapped {
        return None;
    }
    let who = name(all, declared.from);
    let target = name(all, declared.to);
    let end = all.seen_at_receiver(crossing).map(|capture| &all.evidence.captures[capture.0].end);
    let succeeded = match end {
        // What its reader acknowledged is never moved: the acknowledgement is the proof.
        Some(end) if declared.dead_letter_of.is_some() => *end == CaptureEnd::Settled(Settlement::Done),
        Some(end) => end.is_success() && !all.is_undelivered(crossing),
        None => true,
    };
    let mut told = Break::new(Class::NotCrossed, Side::Sender, hop, declared.from);
    told.stimulus = Some(crossing.stimulus);
    let due = format!("{} of `{}`", crossings(declared.times.min), declared.id);
    let message = if unattributed {
        format!("no call of {who} to {target} is known to be of this stimulus")
    } else if declared.dead_letter_of.is_some() {
        format!("no message that {who} gave up was moved to where {target} reads")
    } else if let Some(source) = declared.transport.source() {
        format!("{who} sent no message to `{source}`, which {target} reads")
    } else {
        format!("{who} did not call {target}")
    };
    told = told.told(message, due, crossings(times));
    if unattributed {
        told = told
            .graded(Grade::Inconclusive)
            .missing("a marker: a request on this hop belongs to no known stimulus".into());
    } else if !succeeded {
        told = told.graded(Grade::Inconclusive);
        told.missing_witness =
            Some(format!("a successful answer of {who} to what it received: {}", answer(all, cause)));
    }
    Some(told)
}

/// More calls than declared are worth saying; a message that is sent once too often is doubled.
fn more(all: &Crossings<'_>, cause: CrossingIx, hop: HopIx, seen: &[CrossingIx]) -> Option<Break> {
    let declared = all.plan.scenario.hop(hop);
    let message = declared.transport.via().is_some();
    let (class, grade) = match message {
        true => (Class::Duplicated, Grade::Fault),
        false => (Class::NotCrossed, Grade::Note),
    };
    let last = *seen.last()?;
    if message && !super::sends_first(all, last) {
        return None;
    }
    let mut told = Break::new(class, Side::Sender, hop, declared.from).graded(grade);
    told.stimulus = Some(all.get(cause).stimulus);
    told.crossing = message.then_some(last);
    let (who, target) = (name(all, declared.from), name(all, declared.to));
    let what = match message {
        true => format!("{who} sent a message to {target} more often than declared"),
        false => format!("{who} called {target} more often than declared"),
    };
    Some(told.told(what, format!("at most {}", declared.times.max), format!("{} crossings", seen.len())))
}

/// What the driver sent and no tap saw.
fn from_client(all: &Crossings<'_>, found: &mut Breaks) {
    let mut arrived: IdMap<StimulusIx, u32> = IdMap::default();
    for (_, crossing) in all.iter().filter(|(_, crossing)| all.sender(crossing) == NodeIx::CLIENT) {
        *arrived.entry(crossing.stimulus).or_default() += 1;
    }
    for exchange in &all.evidence.exchanges {
        let hop = all.plan.stimulus(exchange.stimulus).hop;
        if all.plan.scenario.hop(hop).tapped && !arrived.contains_key(&exchange.stimulus) {
            let why = format!("what the driver sent did not arrive: {}", said(&exchange.answer));
            found.unseen.push((hop, why));
        }
    }
}

fn answer(all: &Crossings<'_>, crossing: CrossingIx) -> String {
    if all.is_undelivered(all.get(crossing)) {
        return "the message was not delivered".into();
    }
    let Some(capture) = all.seen_at_receiver(all.get(crossing)) else { return "not seen".into() };
    match &all.evidence.captures[capture.0].end {
        CaptureEnd::Answered { status, grpc_status: Some(code) } => {
            format!("it answered {status}, gRPC status {code}")
        }
        CaptureEnd::Answered { status, grpc_status: None } => format!("it answered {status}"),
        CaptureEnd::Broken(how) => how.clone(),
        CaptureEnd::Open => "it has not answered yet".into(),
        CaptureEnd::Settled(how) => format!("the message was {}", how.word()),
    }
}

/// An answer in words.
pub fn said(answer: &crate::evidence::Answer) -> String {
    use crate::evidence::Answer;
    match answer {
        Answer::Http(status) => format!("status {status}"),
        Answer::Grpc(code) => format!("gRPC status {code}"),
        Answer::Accepted => "taken by the broker".into(),
        Answer::Failed(why) => why.clone(),
        Answer::TimedOut => "no answer by the deadline".into(),
    }
}
