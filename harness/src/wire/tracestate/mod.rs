//! `tracestate`: a list of members, each a tracing system's key and its value.
//!
//! Follows W3C Trace Context, <https://www.w3.org/TR/trace-context-2/#tracestate-header>. Several field lines are one
//! list in their order. Empty members are allowed and are not counted (the grammar counts them, the text does
//! not say).
//! Equal keys are kept: the standard lets receivers keep them, and forbids senders to make them; see
//! `duplicates`.
//! `TraceState::parse` refuses a list as a whole; `TraceState::members_of` takes any bytes, for comparing
//! lists.

use std::ops::Range;

use super::{Level, ListMember, Reason, Refusal, list_members};

/// How many members a list has at most.
pub const MEMBERS: usize = 32;
const KEY_LENGTH: usize = 256;
const VALUE_LENGTH: usize = 256;
const TENANT_LENGTH: usize = 241;
const SYSTEM_LENGTH: usize = 14;

/// A list that parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceState {
    /// In their order; equal keys are kept.
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub key: Vec<u8>,
    /// Spaces before it belong to it, spaces behind it do not.
    pub value: Vec<u8>,
    /// Which of the field lines, from 0.
    pub line: usize,
    /// Where in that line.
    pub at: Range<usize>,
}

/// One member as it stood on the wire, whether it makes sense or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMember {
    /// Without the white space around it; never empty.
    pub bytes: Vec<u8>,
    pub line: usize,
    pub at: Range<usize>,
}

impl RawMember {
    /// What stands before the first `=`; everything where there is none.
    pub fn key(&self) -> &[u8] {
        self.bytes.split(|byte| *byte == b'=').next().unwrap_or_default()
    }

    /// What stands behind the first `=`.
    pub fn value(&self) -> Option<&[u8]> {
        let equals = self.bytes.iter().position(|byte| *byte == b'=')?;
        Some(&self.bytes[equals + 1..])
    }

    /// Returns whether this is the start of `whole` and not all of it: what is left of a member that was cut, be it
    /// inside the key.
    pub fn is_cut_from(&self, whole: &RawMember) -> bool {
        self.bytes.len() < whole.bytes.len() && whole.bytes.starts_with(&self.bytes)
    }

    /// Returns why a node of this level refuses the member; `None` where it takes it.
    pub fn refusal(&self, level: Level) -> Option<Refusal> {
        let member = ListMember { line: self.line, start: self.at.start, bytes: &self.bytes };
        read_member(&member, level).err()
    }
}

impl TraceState {
    /// One or several field lines, in their order.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>, level: Level) -> Result<TraceState, Refusal> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        let filled: Vec<_> =
            list_members(&lines).into_iter().filter(|member| !member.bytes.is_empty()).collect();
        if let Some(surplus) = filled.get(MEMBERS) {
            let at = surplus.start..surplus.start + surplus.bytes.len();
            return Err(Refusal { reason: Reason::TooManyMembers(filled.len()), line: surplus.line, at });
        }
        let members = filled.iter().map(|member| read_member(member, level)).collect::<Result<_, _>>()?;
        Ok(TraceState { members })
    }

    /// The members of any bytes, in their order, empty ones left away; never fails.
    pub fn members_of<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<RawMember> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        let filled = list_members(&lines).into_iter().filter(|member| !member.bytes.is_empty());
        filled
            .map(|member| RawMember {
                bytes: member.bytes.to_vec(),
                line: member.line,
                at: member.start..member.start + member.bytes.len(),
            })
            .collect()
    }

    /// Returns the members of `list` whose key is also that of a member further to the left, whether they parse or
    /// not: senders must not make them.
    pub fn doubled(list: &[RawMember]) -> impl Iterator<Item = &RawMember> {
        let doubled = |ix: &usize| list[..*ix].iter().any(|other| other.key() == list[*ix].key());
        (0..list.len()).filter(doubled).map(|ix| &list[ix])
    }

    /// Returns the members of `list` beyond the 32 that a list may have; a node that adds its own must drop these.
    pub fn surplus(list: &[RawMember]) -> &[RawMember] {
        list.get(MEMBERS..).unwrap_or_default()
    }

    /// Members whose key stood further to the left already.
    pub fn duplicates(&self) -> impl Iterator<Item = &Member> {
        let earlier = |ix: usize| self.members[..ix].iter().any(|other| other.key == self.members[ix].key);
        (0..self.members.len()).filter(move |ix| earlier(*ix)).map(|ix| &self.members[ix])
    }

    /// One field line; empty for no members.
    pub fn print(&self) -> Vec<u8> {
        let members: Vec<_> =
            self.members.iter().map(|member| [&member.key[..], &member.value].join(&b'=')).collect();
        members.join(&b',')
    }
}

fn read_member(member: &ListMember<'_>, level: Level) -> Result<Member, Refusal> {
    let refused = |(reason, at): (Reason, Range<usize>)| {
        let at = member.start + at.start..member.start + at.end;
        Refusal { reason, line: member.line, at }
    };
    let bytes = member.bytes;
    let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
        return Err(refused((Reason::MemberWithoutEquals, 0..bytes.len())));
    };
    let (key, value) = (&bytes[..equals], &bytes[equals + 1..]);
    check_key(key, level).map_err(refused)?;
    check_value(value)
        .map_err(|(reason, at)| refused((reason, equals + 1 + at.start..equals + 1 + at.end)))?;
    let at = member.start..member.start + bytes.len();
    Ok(Member { key: key.to_vec(), value: value.to_vec(), line: member.line, at })
}

type CheckResult = Result<(), (Reason, Range<usize>)>;

fn check_key(key: &[u8], level: Level) -> CheckResult {
    let Some(first) = key.first() else { return Err((Reason::KeyEmpty, 0..0)) };
    if !matches!(first, b'a'..=b'z' | b'0'..=b'9') {
        return Err((Reason::KeyStart, 0..1));
    }
    let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    if let Some(odd) = key.iter().position(|byte| !allowed(byte)) {
        return Err((Reason::KeyCharacter, odd..odd + 1));
    }
    if level == Level::One {
        check_key_level_one(key)?;
    }
    if key.len() > KEY_LENGTH {
        return Err((Reason::KeyTooLong(key.len()), 0..key.len()));
    }
    Ok(())
}

/// Level 1: a simple key begins with a letter; a tenant may begin with a digit and has one `@` behind it.
fn check_key_level_one(key: &[u8]) -> CheckResult {
    let Some(at_sign) = key.iter().position(|byte| *byte == b'@') else {
        return if key[0].is_ascii_digit() { Err((Reason::KeyStart, 0..1)) } else { Ok(()) };
    };
    if at_sign > TENANT_LENGTH {
        return Err((Reason::TenantTooLong(at_sign), 0..at_sign));
    }
    let system = &key[at_sign + 1..];
    if let Some(second) = system.iter().position(|byte| *byte == b'@') {
        let second = at_sign + 1 + second;
        return Err((Reason::KeyCharacter, second..second + 1));
    }
    if !system.first().is_some_and(u8::is_ascii_lowercase) {
        return Err((Reason::SystemStart, at_sign..at_sign + 1));
    }
    if system.len() > SYSTEM_LENGTH {
        return Err((Reason::SystemTooLong(system.len()), at_sign + 1..key.len()));
    }
    Ok(())
}

fn check_value(value: &[u8]) -> CheckResult {
    if value.is_empty() {
        return Err((Reason::ValueEmpty, 0..0));
    }
    let allowed = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    if let Some(odd) = value.iter().position(|byte| !allowed(byte)) {
        return Err((Reason::ValueCharacter, odd..odd + 1));
    }
    if value.len() > VALUE_LENGTH {
        return Err((Reason::ValueTooLong(value.len()), 0..value.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
