//! tracestate and baggage of one call: which members were forwarded, in which order, and where new ones stand.

use super::context::{first_difference, values};
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, Exchange};
use crate::conform::suite::{Difference, Due, List, Minted, Text};
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::{MEMBERS, RawMember};
use crate::wire::{Baggage, TraceState, trim_ows};

const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

pub(super) fn check(due: &Due, exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    if let Some(list) = &due.tracestate {
        let out = Tracestate::of(exchange, call);
        match list {
            List::Exactly(members) => out.exactly(filled(members, &exchange.minted))?,
            List::Some => out.some()?,
        }
        out.lacks(&due.lacks, &exchange.minted)?;
    }
    match &due.baggage {
        Some(List::Exactly(members)) => baggage(&filled(members, &exchange.minted), exchange, call),
        Some(List::Some) => some_baggage(exchange, call),
        None => Ok(()),
    }
}

/// No member of the tracestate that was sent goes out.
pub(super) fn none_of_sent(exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    Tracestate::of(exchange, call).exactly(Vec::new())
}

/// The members as one line.
fn filled(list: &[Text], minted: &Minted) -> Vec<u8> {
    list.iter().map(|member| member.fill(minted)).collect::<Vec<_>>().join(&b',')
}

/// Both sides of one call.
struct Tracestate {
    sent: Vec<RawMember>,
    out: Vec<RawMember>,
}

impl Tracestate {
    fn of(exchange: &Exchange, call: &Call) -> Tracestate {
        Tracestate {
            sent: members(&values(&exchange.sent, TRACESTATE)),
            out: members(&values(&call.fields, TRACESTATE)),
        }
    }

    /// Returns true when a member has a key that was not sent.
    fn is_own(&self, member: &RawMember) -> bool {
        let key = trim_ows(member.key());
        !self.sent.iter().any(|sent| trim_ows(sent.key()) == key)
    }

    fn kept(&self) -> Vec<Vec<u8>> {
        let kept = self.out.iter().filter(|member| !self.is_own(member));
        kept.map(|member| member.bytes.clone()).collect()
    }

    fn wrong(&self, kind: MismatchKind, due: &[Vec<u8>]) -> Result<(), Mismatch> {
        let own = self.out.iter().filter(|member| self.is_own(member)).map(|member| member.bytes.clone());
        let due = own.chain(due.iter().cloned()).collect::<Vec<_>>().join(&b',');
        let actual = self.out.iter().map(|member| member.bytes.clone()).collect::<Vec<_>>().join(&b',');
        let caret = first_difference(&due, &actual);
        let due = Some(due);
        Err(Mismatch::with(kind, Difference { field: TRACESTATE.to_owned(), due, actual, caret }))
    }

    fn exactly(&self, due: Vec<u8>) -> Result<(), Mismatch> {
        let due: Vec<Vec<u8>> = members(&[&due]).into_iter().map(|member| member.bytes).collect();
        let kept = self.kept();
        if kept != due {
            return self.wrong(what_differs(&kept, &due), &due);
        }
        if self.out.len() > MEMBERS && due.len() <= MEMBERS {
            return self.wrong(MismatchKind::TooMany(TRACESTATE, self.out.len()), &due);
        }
        let first_kept = self.out.iter().position(|member| !self.is_own(member)).unwrap_or(self.out.len());
        match self.out.iter().skip(first_kept).find(|member| self.is_own(member)) {
            Some(behind) => self.wrong(MismatchKind::AddedBehind(TRACESTATE, shown(&behind.bytes)), &due),
            None => Ok(()),
        }
    }

    /// Each member that is forwarded was sent so, and they are in their order.
    fn some(&self) -> Result<(), Mismatch> {
        let sent: Vec<Vec<u8>> = self.sent.iter().map(|member| member.bytes.clone()).collect();
        let mut rest = sent.iter();
        for member in self.kept() {
            if !sent.contains(&member) {
                return self.wrong(MismatchKind::MemberAltered(TRACESTATE, shown(&member)), &sent);
            }
            if !rest.any(|sent| *sent == member) {
                return self.wrong(MismatchKind::Reordered(TRACESTATE), &sent);
            }
        }
        Ok(())
    }

    fn lacks(&self, keys: &[Text], minted: &Minted) -> Result<(), Mismatch> {
        for key in keys.iter().map(|key| key.fill(minted)) {
            if let Some(member) = self.out.iter().find(|member| trim_ows(member.key()) == key) {
                return self.wrong(MismatchKind::MemberKept(TRACESTATE, shown(&member.bytes)), &self.kept());
            }
        }
        Ok(())
    }
}

fn what_differs(kept: &[Vec<u8>], due: &[Vec<u8>]) -> MismatchKind {
    if let Some(member) = due.iter().find(|member| !kept.contains(member)) {
        let key = member.split(|byte| *byte == b'=').next().unwrap_or_default();
        let begins = |kept: &&Vec<u8>| kept.strip_prefix(key).is_some_and(|rest| rest.first() == Some(&b'='));
        return match kept.iter().find(begins) {
            Some(_) => MismatchKind::MemberAltered(TRACESTATE, shown(member)),
            None => MismatchKind::MemberLost(TRACESTATE, shown(member)),
        };
    }
    match kept.iter().find(|member| !due.contains(member)) {
        Some(member) => MismatchKind::MemberKept(TRACESTATE, shown(member)),
        None => MismatchKind::Reordered(TRACESTATE),
    }
}

fn members(lines: &[&[u8]]) -> Vec<RawMember> {
    TraceState::members_of(lines.iter().copied())
}

/// By what they mean: members that are encoded another way are the same.
fn baggage(due: &[u8], exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    let sent = Baggage::entries_of(values(&exchange.sent, BAGGAGE));
    let wanted = Baggage::entries_of([due]);
    let out = Baggage::entries_of(values(&call.fields, BAGGAGE));
    let kept: Vec<&BaggageEntry> =
        out.iter().filter(|entry| sent.iter().any(|sent| sent.key == entry.key)).collect();
    let wrong = |kind| {
        let actual = values(&call.fields, BAGGAGE).join(&b',');
        let caret = first_difference(due, &actual);
        let due = Some(due.to_vec());
        Err(Mismatch::with(kind, Difference { field: BAGGAGE.to_owned(), due, actual, caret }))
    };
    let mut left = kept.clone();
    for entry in &wanted {
        match left.iter().position(|other| is_same(entry, other)) {
            Some(at) => drop(left.remove(at)),
            None if kept.iter().any(|other| other.key == entry.key) => {
                return wrong(MismatchKind::MemberAltered(BAGGAGE, shown(&entry.raw)));
            }
            None => return wrong(MismatchKind::MemberLost(BAGGAGE, shown(&entry.raw))),
        }
    }
    match left.first() {
        Some(entry) if wanted.iter().any(|wanted| is_same(wanted, entry)) => {
            wrong(MismatchKind::Reordered(BAGGAGE))
        }
        Some(entry) => wrong(MismatchKind::MemberKept(BAGGAGE, shown(&entry.raw))),
        None => Ok(()),
    }
}

/// Each member that is forwarded means what one that was sent means.
fn some_baggage(exchange: &Exchange, call: &Call) -> Result<(), Mismatch> {
    let sent = Baggage::entries_of(values(&exchange.sent, BAGGAGE));
    for entry in Baggage::entries_of(values(&call.fields, BAGGAGE)) {
        let mut of_key = sent.iter().filter(|sent| sent.key == entry.key).peekable();
        if of_key.peek().is_some() && !of_key.any(|sent| is_same(sent, &entry)) {
            let actual = values(&call.fields, BAGGAGE).join(&b',');
            let caret = entry.at.start.min(actual.len())..entry.at.end.min(actual.len());
            let difference = Difference { field: BAGGAGE.to_owned(), due: None, actual, caret };
            let kind = MismatchKind::MemberAltered(BAGGAGE, shown(&entry.raw));
            return Err(Mismatch::with(kind, difference));
        }
    }
    Ok(())
}

fn is_same(one: &BaggageEntry, other: &BaggageEntry) -> bool {
    one.key == other.key && one.value == other.value && one.properties == other.properties
}

/// A member in words: cut where it is long.
fn shown(member: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text: String = member.escape_ascii().take(LONGEST).map(char::from).collect();
    if member.len() > LONGEST { format!("{text}...") } else { text }
}
