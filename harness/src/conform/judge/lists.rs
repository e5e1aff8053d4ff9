//! tracestate and baggage of one call: which members were forwarded, in which order, and where new ones stand.

use super::entries;
use super::fields::{first_difference, values};
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, VectorExchange};
use crate::conform::suite::{Demands, FieldDifference, ListDemand, RequestIds, Text};
use crate::wire::baggage::BaggageEntry;
use crate::wire::tracestate::{MEMBERS, RawMember};
use crate::wire::{Baggage, TraceState, trim_ows};

const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

pub(super) fn check(expected: &Demands, exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    entries::check(expected, exchange, call)?;
    if let Some(list) = &expected.tracestate {
        let out = Tracestate::of(exchange, call).without(&expected.changed_keys(&exchange.minted));
        match list {
            ListDemand::Exactly(members) => out.exactly(filled(members, &exchange.minted))?,
            ListDemand::Some => out.some()?,
        }
        out.lacks(&expected.lacks, &exchange.minted)?;
    }
    if !expected.own_tracestate.is_empty() {
        Tracestate::of(exchange, call).adds(&expected.own_tracestate, &exchange.minted)?;
    }
    if !expected.own_baggage.is_empty() {
        adds_baggage(&filled(&expected.own_baggage, &exchange.minted), call)?;
    }
    match &expected.baggage {
        Some(ListDemand::Exactly(members)) => baggage(&filled(members, &exchange.minted), exchange, call),
        Some(ListDemand::Some) => some_baggage(exchange, call),
        None => Ok(()),
    }
}

/// Checks that no member of the tracestate that was sent is forwarded.
pub(super) fn none_of_sent(exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    Tracestate::of(exchange, call).exactly(Vec::new())
}

/// Returns the members as one line.
fn filled(list: &[Text], minted: &RequestIds) -> Vec<u8> {
    list.iter().map(|member| member.fill(minted)).collect::<Vec<_>>().join(&b',')
}

/// Both sides of one call.
struct Tracestate {
    sent: Vec<RawMember>,
    out: Vec<RawMember>,
}

impl Tracestate {
    fn of(exchange: &VectorExchange, call: &Call) -> Tracestate {
        Tracestate {
            sent: members(&values(&exchange.sent, TRACESTATE)),
            out: members(&values(&call.fields, TRACESTATE)),
        }
    }

    /// Omits the members with these keys, whose values are not compared as a whole.
    fn without(mut self, keys: &[Vec<u8>]) -> Tracestate {
        for members in [&mut self.sent, &mut self.out] {
            members.retain(|member| !keys.iter().any(|key| trim_ows(member.key()) == key));
        }
        self
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

    fn wrong(&self, kind: MismatchKind, expected: &[Vec<u8>]) -> Result<(), Mismatch> {
        let own = self.out.iter().filter(|member| self.is_own(member)).map(|member| member.bytes.clone());
        let expected = own.chain(expected.iter().cloned()).collect::<Vec<_>>().join(&b',');
        let actual = self.out.iter().map(|member| member.bytes.clone()).collect::<Vec<_>>().join(&b',');
        let caret = first_difference(&expected, &actual);
        let expected = Some(expected);
        Err(Mismatch::with(kind, FieldDifference { field: TRACESTATE.to_owned(), expected, actual, caret }))
    }

    fn exactly(&self, expected: Vec<u8>) -> Result<(), Mismatch> {
        let expected: Vec<Vec<u8>> = members(&[&expected]).into_iter().map(|member| member.bytes).collect();
        let kept = self.kept();
        if kept != expected {
            return self.wrong(what_differs(&kept, &expected), &expected);
        }
        if self.out.len() > MEMBERS && expected.len() <= MEMBERS {
            return self.wrong(MismatchKind::TooMany(TRACESTATE, self.out.len()), &expected);
        }
        let first_kept = self.out.iter().position(|member| !self.is_own(member)).unwrap_or(self.out.len());
        match self.out.iter().skip(first_kept).find(|member| self.is_own(member)) {
            Some(behind) => {
                self.wrong(MismatchKind::AddedBehind(TRACESTATE, shown(&behind.bytes)), &expected)
            }
            None => Ok(()),
        }
    }

    /// Checks that each forwarded member was sent, and that they keep their order.
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

    /// Checks that the members with these keys are these, in this order, in front of those that were sent.
    fn adds(&self, members: &[Text], minted: &RequestIds) -> Result<(), Mismatch> {
        let wanted: Vec<Vec<u8>> = members.iter().map(|member| member.fill(minted)).collect();
        let keys: Vec<Vec<u8>> = wanted.iter().map(|member| key_of(member).to_vec()).collect();
        let of_keys = self.out.iter().filter(|member| keys.iter().any(|key| trim_ows(member.key()) == *key));
        let actual: Vec<Vec<u8>> = of_keys.map(|member| member.bytes.clone()).collect();
        if actual == wanted {
            let count = self.out.len();
            let too_many = MismatchKind::TooMany(TRACESTATE, count);
            return if count > MEMBERS { self.wrong(too_many, &self.kept()) } else { Ok(()) };
        }
        let missing = wanted.iter().zip(&actual).find(|(one, other)| one != other).map(|(one, _)| one);
        let missing = missing.or(wanted.get(actual.len())).or(wanted.first()).cloned().unwrap_or_default();
        let kept = self.kept();
        let expected: Vec<Vec<u8>> = wanted.into_iter().chain(kept).collect();
        self.wrong(MismatchKind::NotAdded(TRACESTATE, shown(&missing)), &expected)
    }

    fn lacks(&self, keys: &[Text], minted: &RequestIds) -> Result<(), Mismatch> {
        for key in keys.iter().map(|key| key.fill(minted)) {
            if let Some(member) = self.out.iter().find(|member| trim_ows(member.key()) == key) {
                return self.wrong(MismatchKind::MemberKept(TRACESTATE, shown(&member.bytes)), &self.kept());
            }
        }
        Ok(())
    }
}

fn key_of(member: &[u8]) -> &[u8] {
    member.split(|byte| *byte == b'=').next().unwrap_or_default()
}

fn what_differs(kept: &[Vec<u8>], expected: &[Vec<u8>]) -> MismatchKind {
    if let Some(member) = expected.iter().find(|member| !kept.contains(member)) {
        let key = key_of(member);
        let has_key =
            kept.iter().any(|kept| kept.strip_prefix(key).is_some_and(|rest| rest.first() == Some(&b'=')));
        let kind = if has_key { MismatchKind::MemberAltered } else { MismatchKind::MemberLost };
        return kind(TRACESTATE, shown(member));
    }
    match kept.iter().find(|member| !expected.contains(member)) {
        Some(member) => MismatchKind::MemberKept(TRACESTATE, shown(member)),
        None => MismatchKind::Reordered(TRACESTATE),
    }
}

fn members(lines: &[&[u8]]) -> Vec<RawMember> {
    TraceState::members_of(lines.iter().copied())
}

/// Compares baggage by its meaning: a member may be encoded in another way.
fn baggage(expected: &[u8], exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    let sent = Baggage::entries_of(values(&exchange.sent, BAGGAGE));
    let wanted = Baggage::entries_of([expected]);
    let out = Baggage::entries_of(values(&call.fields, BAGGAGE));
    let kept: Vec<&BaggageEntry> =
        out.iter().filter(|entry| sent.iter().any(|sent| sent.key == entry.key)).collect();
    let mut left = kept.clone();
    for entry in &wanted {
        match left.iter().position(|other| is_same(entry, other)) {
            Some(at) => drop(left.remove(at)),
            None if kept.iter().any(|other| other.key == entry.key) => {
                let kind = MismatchKind::MemberAltered(BAGGAGE, shown(&entry.raw));
                return Err(baggage_mismatch(kind, expected, call));
            }
            None => {
                let kind = MismatchKind::MemberLost(BAGGAGE, shown(&entry.raw));
                return Err(baggage_mismatch(kind, expected, call));
            }
        }
    }
    match left.first() {
        Some(entry) if wanted.iter().any(|wanted| is_same(wanted, entry)) => {
            Err(baggage_mismatch(MismatchKind::Reordered(BAGGAGE), expected, call))
        }
        Some(entry) => {
            let kind = MismatchKind::MemberKept(BAGGAGE, shown(&entry.raw));
            Err(baggage_mismatch(kind, expected, call))
        }
        None => Ok(()),
    }
}

/// Checks that each of these members stands there once, by its meaning, and no other with its name.
fn adds_baggage(expected: &[u8], call: &Call) -> Result<(), Mismatch> {
    let out = Baggage::entries_of(values(&call.fields, BAGGAGE));
    for entry in Baggage::entries_of([expected]) {
        let mut named = out.iter().filter(|other| other.key == entry.key);
        let is_once = named.next().is_some_and(|other| is_same(&entry, other)) && named.next().is_none();
        if !is_once {
            let kind = MismatchKind::NotAdded(BAGGAGE, shown(&entry.raw));
            return Err(baggage_mismatch(kind, expected, call));
        }
    }
    Ok(())
}

fn baggage_mismatch(kind: MismatchKind, expected: &[u8], call: &Call) -> Mismatch {
    let actual = values(&call.fields, BAGGAGE).join(&b',');
    let caret = first_difference(expected, &actual);
    let expected = Some(expected.to_vec());
    Mismatch::with(kind, FieldDifference { field: BAGGAGE.to_owned(), expected, actual, caret })
}

/// Checks that each forwarded member has the meaning of one that was sent.
fn some_baggage(exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    let sent = Baggage::entries_of(values(&exchange.sent, BAGGAGE));
    for entry in Baggage::entries_of(values(&call.fields, BAGGAGE)) {
        let mut of_key = sent.iter().filter(|sent| sent.key == entry.key).peekable();
        if of_key.peek().is_some() && !of_key.any(|sent| is_same(sent, &entry)) {
            let actual = values(&call.fields, BAGGAGE).join(&b',');
            let caret = entry.at.start.min(actual.len())..entry.at.end.min(actual.len());
            let difference = FieldDifference { field: BAGGAGE.to_owned(), expected: None, actual, caret };
            let kind = MismatchKind::MemberAltered(BAGGAGE, shown(&entry.raw));
            return Err(Mismatch::with(kind, difference));
        }
    }
    Ok(())
}

fn is_same(one: &BaggageEntry, other: &BaggageEntry) -> bool {
    one.key == other.key && one.value == other.value && one.properties == other.properties
}

/// Returns a member as text, cut if it is long.
fn shown(member: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text: String = member.escape_ascii().take(LONGEST).map(char::from).collect();
    if member.len() > LONGEST { format!("{text}...") } else { text }
}
