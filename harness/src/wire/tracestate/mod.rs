//! `tracestate`: a list of members, each a tracing system's key and its value.
//!
//! Follows W3C Trace Context, <https://www.w3.org/TR/trace-context-2/#tracestate-header>. Several field lines form one
//! list, in their order. Empty members are allowed and not counted (the grammar counts them, the text leaves it open).
//! Equal keys are kept: receivers may keep them, senders must not create them; see [`TraceState::duplicates`].
//! [`TraceState::parse`] rejects a list as a whole; [`TraceState::members_of`] accepts any bytes, to compare lists.

use std::ops::Range;

use super::{Level, ListMember, Reason, Refusal, list_members};

/// The maximum number of members of a list.
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
    /// With the spaces before it, which belong to it, and without the spaces after it.
    pub value: Vec<u8>,
    /// The index of the field line, from 0.
    pub line: usize,
    /// The position in that line.
    pub at: Range<usize>,
}

/// One member as it was on the wire, valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMember {
    /// Without the white space around it; never empty.
    pub bytes: Vec<u8>,
    pub line: usize,
    pub at: Range<usize>,
}

impl RawMember {
    /// Returns the bytes before the first `=`, or all of them if there is no `=`.
    pub fn key(&self) -> &[u8] {
        self.bytes.split(|byte| *byte == b'=').next().unwrap_or_default()
    }

    /// Returns the bytes after the first `=`.
    pub fn value(&self) -> Option<&[u8]> {
        let equals = self.bytes.iter().position(|byte| *byte == b'=')?;
        Some(&self.bytes[equals + 1..])
    }

    /// Returns whether this is a proper prefix of `whole`: the remainder of a truncated member, possibly cut inside
    /// the key.
    pub fn is_cut_from(&self, whole: &RawMember) -> bool {
        self.bytes.len() < whole.bytes.len() && whole.bytes.starts_with(&self.bytes)
    }

    /// Returns why a node of this level rejects the member; `None` if it accepts it.
    pub fn refusal(&self, level: Level) -> Option<Refusal> {
        let member = ListMember { line: self.line, start: self.at.start, bytes: &self.bytes };
        read_member(&member, level).err()
    }
}

impl TraceState {
    /// Parses one or several field lines, in their order.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>, level: Level) -> Result<TraceState, Refusal> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        let filled: Vec<_> =
            list_members(&lines).into_iter().filter(|member| !member.bytes.is_empty()).collect();
        if let Some(surplus) = filled.get(MEMBERS) {
            let at = surplus.start..surplus.start + surplus.bytes.len();
            return Err(Refusal {
                reason: Reason::TooManyMembers(filled.len()),
                field: "tracestate",
                line: surplus.line,
                at,
            });
        }
        let members = filled.iter().map(|member| read_member(member, level)).collect::<Result<_, _>>()?;
        Ok(TraceState { members })
    }

    /// Returns the members of any bytes, in their order, without empty ones; never fails.
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

    /// Returns the members of `list` whose key repeats that of a member further to the left, whether they parse or
    /// not: senders must not create them.
    pub fn doubled(list: &[RawMember]) -> impl Iterator<Item = &RawMember> {
        let repeated = list.iter().enumerate();
        repeated
            .filter(|(ix, one)| list[..*ix].iter().any(|other| other.key() == one.key()))
            .map(|(_, one)| one)
    }

    /// Returns the members of `list` beyond the maximum of 32; a node that adds its own must drop these.
    pub fn surplus(list: &[RawMember]) -> &[RawMember] {
        list.get(MEMBERS..).unwrap_or_default()
    }

    /// Returns the members whose key repeats that of a member further to the left.
    pub fn duplicates(&self) -> impl Iterator<Item = &Member> {
        let repeated = self.members.iter().enumerate();
        repeated
            .filter(|(ix, one)| self.members[..*ix].iter().any(|other| other.key == one.key))
            .map(|(_, one)| one)
    }

    /// Prints one field line, empty for no members.
    pub fn print(&self) -> Vec<u8> {
        let members: Vec<_> =
            self.members.iter().map(|member| [&member.key[..], &member.value].join(&b'=')).collect();
        members.join(&b',')
    }
}

fn read_member(member: &ListMember<'_>, level: Level) -> Result<Member, Refusal> {
    let bytes = member.bytes;
    let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
        return Err(Fault::new(Reason::MemberWithoutEquals, 0..bytes.len()).inside(member, 0));
    };
    let (key, value) = (&bytes[..equals], &bytes[equals + 1..]);
    check_key(key, level).map_err(|fault| fault.inside(member, 0))?;
    check_value(value).map_err(|fault| fault.inside(member, equals + 1))?;
    let at = member.start..member.start + bytes.len();
    Ok(Member { key: key.to_vec(), value: value.to_vec(), line: member.line, at })
}

/// A violation of the grammar, with its position in a key or a value.
struct Fault {
    reason: Reason,
    at: Range<usize>,
}

impl Fault {
    fn new(reason: Reason, at: Range<usize>) -> Fault {
        Fault { reason, at }
    }

    /// Returns the refusal, with the position in the line of the member; `offset` is that of the key or value in it.
    fn inside(self, member: &ListMember<'_>, offset: usize) -> Refusal {
        let start = member.start + offset;
        Refusal {
            reason: self.reason,
            field: "tracestate",
            line: member.line,
            at: start + self.at.start..start + self.at.end,
        }
    }
}

fn check_key(key: &[u8], level: Level) -> Result<(), Fault> {
    let Some(first) = key.first() else { return Err(Fault::new(Reason::KeyEmpty, 0..0)) };
    if !matches!(first, b'a'..=b'z' | b'0'..=b'9') {
        return Err(Fault::new(Reason::KeyStart, 0..1));
    }
    if let Some(odd) = key.iter().position(|byte| !is_key_byte(*byte)) {
        return Err(Fault::new(Reason::KeyCharacter, odd..odd + 1));
    }
    if level == Level::One {
        check_key_level_one(key)?;
    }
    if key.len() > KEY_LENGTH {
        return Err(Fault::new(Reason::KeyTooLong(key.len()), 0..key.len()));
    }
    Ok(())
}

fn is_key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@')
}

/// Checks the grammar of level 1: a simple key begins with a letter; a tenant may begin with a digit, and one `@`
/// follows it.
fn check_key_level_one(key: &[u8]) -> Result<(), Fault> {
    let Some(at_sign) = key.iter().position(|byte| *byte == b'@') else {
        return if key[0].is_ascii_digit() { Err(Fault::new(Reason::KeyStart, 0..1)) } else { Ok(()) };
    };
    if at_sign > TENANT_LENGTH {
        return Err(Fault::new(Reason::TenantTooLong(at_sign), 0..at_sign));
    }
    let system = &key[at_sign + 1..];
    if let Some(second) = system.iter().position(|byte| *byte == b'@') {
        let second = at_sign + 1 + second;
        return Err(Fault::new(Reason::KeyCharacter, second..second + 1));
    }
    if !system.first().is_some_and(u8::is_ascii_lowercase) {
        return Err(Fault::new(Reason::SystemStart, at_sign..at_sign + 1));
    }
    if system.len() > SYSTEM_LENGTH {
        return Err(Fault::new(Reason::SystemTooLong(system.len()), at_sign + 1..key.len()));
    }
    Ok(())
}

fn check_value(value: &[u8]) -> Result<(), Fault> {
    if value.is_empty() {
        return Err(Fault::new(Reason::ValueEmpty, 0..0));
    }
    if let Some(odd) = value.iter().position(|byte| !is_value_byte(*byte)) {
        return Err(Fault::new(Reason::ValueCharacter, odd..odd + 1));
    }
    if value.len() > VALUE_LENGTH {
        return Err(Fault::new(Reason::ValueTooLong(value.len()), 0..value.len()));
    }
    Ok(())
}

fn is_value_byte(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=')
}

#[cfg(test)]
mod tests;
