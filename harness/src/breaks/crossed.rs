//! C1: a hop that was crossed less often than it declares; and hops that nothing could cross because of it.

use super::fault::{Break, Grade};
use super::{Breaks, Class, Side, name};
use crate::crossings::hashing::{IdMap, IdSet};
use crate::crossings::{CrossingIx, Crossings};
use crate::plan::StimulusIx;
use crate::scenario::{HopIx, NodeIx};

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    let mut seen: IdMap<(CrossingIx, HopIx), u32> = IdMap::default();
    for (_, crossing) in all.iter() {
        if let Some(cause) = crossing.cause {
            *seen.entry((cause, crossing.hop)).or_default() += 1;
        }
    }
    let unattributed: IdSet<HopIx> = all.unattributed.iter().map(|(_, hop)| *hop).collect();
    for (hop_ix, hop) in all.plan.scenario.hops.iter().enumerate().map(|(ix, hop)| (HopIx(ix), hop)) {
        let Some(within) = hop.within else { continue };
        let causes: Vec<CrossingIx> = all.of_hop(within).map(|(ix, _)| ix).collect();
        if causes.is_empty() {
            found.consequences.push((hop_ix, within));
        }
        for cause in causes {
            let times = seen.get(&(cause, hop_ix)).copied().unwrap_or_default();
            if times < hop.times.min {
                let told = row(all, cause, hop_ix, times, unattributed.contains(&hop_ix));
                found.list.extend(told);
            } else if times > hop.times.max {
                found.list.push(more(all, cause, hop_ix, times));
            }
        }
    }
    from_client(all, found);
}

fn row(all: &Crossings<'_>, cause: CrossingIx, hop: HopIx, times: u32, unattributed: bool) -> Option<Break> {
    let crossing = all.get(cause);
    let declared = all.plan.scenario.hop(hop);
    if !declared.tapped {
        return None;
    }
    let who = name(all, declared.from);
    let target = name(all, declared.to);
    let succeeded = match crossing.capture {
        Some(capture) => all.evidence.captures[capture.0].end.is_success(),
        None => true,
    };
    let mut told = Break::new(Class::NotCrossed, Side::Sender, hop, declared.from);
    told.stimulus = Some(crossing.stimulus);
    let due = format!("{} crossings of `{}`", declared.times.min, declared.id);
    let message = if unattributed {
        format!("no call of {who} to {target} is known to be of this stimulus")
    } else {
        format!("{who} did not call {target}")
    };
    told = told.told(message, due, format!("{times} crossings"));
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

/// More crossings than declared: worth saying.
fn more(all: &Crossings<'_>, cause: CrossingIx, hop: HopIx, times: u32) -> Break {
    let declared = all.plan.scenario.hop(hop);
    let mut told = Break::new(Class::NotCrossed, Side::Sender, hop, declared.from).graded(Grade::Note);
    told.stimulus = Some(all.get(cause).stimulus);
    let message =
        format!("{} called {} more often than declared", name(all, declared.from), name(all, declared.to));
    told.told(message, format!("at most {}", declared.times.max), format!("{times} crossings"))
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
    use crate::evidence::CaptureEnd;
    let Some(capture) = all.get(crossing).capture else { return "not seen".into() };
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
