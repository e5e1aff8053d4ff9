//! `baggage`: a list of members, each a key and a percent-encoded value, optionally with properties.
//!
//! Follows W3C Baggage, <https://www.w3.org/TR/baggage/#baggage-http-header-format>. Keys are case-sensitive and never
//! decoded; a `+` in a value is a plus. [`Baggage::parse`] rejects a list as a whole; [`Baggage::entries_of`] accepts
//! any bytes, to compare lists. Exceeding the limits is no reason to reject: more is allowed, and a service that
//! propagates it may truncate it.

use std::ops::Range;

use super::{ListMember, Reason, Refusal, hex, list_members, trim_ows};

/// The number of members up to which every service must propagate the whole list.
pub const MEMBERS: usize = 64;
/// The number of bytes, commas included, up to which every service must propagate the whole list.
pub const BYTES: usize = 8192;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    /// In their order; equal keys are kept.
    pub entries: Vec<BaggageEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaggageEntry {
    pub key: Vec<u8>,
    /// Percent-decoded; invalid UTF-8 is replaced by U+FFFD.
    pub value: Vec<u8>,
    pub properties: Vec<Property>,
    /// As it was on the wire, without the white space around it.
    pub raw: Vec<u8>,
    /// The index of the field line, from 0.
    pub line: usize,
    /// The position in that line.
    pub at: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Never decoded.
    pub key: Vec<u8>,
    /// Decoded like the value of an entry.
    pub value: Option<Vec<u8>>,
}

impl Baggage {
    /// Parses one or several field lines, in their order.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Baggage, Refusal> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        let members = list_members(&lines);
        for member in &members {
            check_member(member)?;
        }
        Ok(Baggage { entries: members.iter().map(read_entry).collect() })
    }

    /// Returns the members of any bytes, in their order, without empty ones; never fails. A member without `=` has an
    /// empty value, and a `%` without two hex digits is kept.
    pub fn entries_of<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<BaggageEntry> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        list_members(&lines).iter().filter(|member| !member.bytes.is_empty()).map(read_entry).collect()
    }

    /// Returns the entries of `list` whose key repeats that of an entry further to the left. Receivers differ in
    /// which of them they keep.
    pub fn doubled(list: &[BaggageEntry]) -> impl Iterator<Item = &BaggageEntry> {
        let repeated = list.iter().enumerate();
        repeated.filter(|(ix, one)| list[..*ix].iter().any(|other| other.key == one.key)).map(|(_, one)| one)
    }

    /// Prints one field line; bytes that a value cannot have are percent-encoded.
    pub fn print(&self) -> Vec<u8> {
        let entries: Vec<_> = self.entries.iter().map(BaggageEntry::print).collect();
        entries.join(&b',')
    }
}

/// Returns whether `lines` together are so small that every service must propagate all of them.
pub fn within_limits<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let lines: Vec<&[u8]> = lines.into_iter().collect();
    let bytes = lines.iter().map(|line| line.len()).sum::<usize>() + lines.len().saturating_sub(1);
    let members = list_members(&lines).iter().filter(|member| !member.bytes.is_empty()).count();
    members <= MEMBERS && bytes <= BYTES
}

impl BaggageEntry {
    fn print(&self) -> Vec<u8> {
        let mut out = [&self.key[..], &encode(&self.value)].join(&b'=');
        for property in &self.properties {
            out.push(b';');
            out.extend_from_slice(&property.key);
            if let Some(value) = &property.value {
                out.push(b'=');
                out.extend_from_slice(&encode(value));
            }
        }
        out
    }
}

fn read_entry(member: &ListMember<'_>) -> BaggageEntry {
    let mut parts = member.bytes.split(|byte| *byte == b';');
    let (key, value) = key_and_value(parts.next().unwrap_or_default());
    let properties = parts.map(trim_ows).filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = key_and_value(part);
        Property { key: key.to_vec(), value: value.map(decode) }
    });
    BaggageEntry {
        key: key.to_vec(),
        value: value.map(decode).unwrap_or_default(),
        properties: properties.collect(),
        raw: member.bytes.to_vec(),
        line: member.line,
        at: member.start..member.start + member.bytes.len(),
    }
}

/// Returns the bytes on both sides of the first `=`, without the white space around them.
fn key_and_value(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    match part.iter().position(|byte| *byte == b'=') {
        Some(equals) => (trim_ows(&part[..equals]), Some(trim_ows(&part[equals + 1..]))),
        None => (trim_ows(part), None),
    }
}

fn decode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        match escaped(rest) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[3..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    match String::from_utf8_lossy(&out) {
        std::borrow::Cow::Borrowed(_) => out,
        std::borrow::Cow::Owned(repaired) => repaired.into_bytes(),
    }
}

/// Returns the byte that `%XX` at the start of `bytes` encodes.
fn escaped(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => hex::byte(&[*high, *low]),
        _ => None,
    }
}

fn encode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        if is_value_byte(*byte) && *byte != b'%' {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

fn check_member(member: &ListMember<'_>) -> Result<(), Refusal> {
    if member.bytes.is_empty() {
        return Err(refused(member, Reason::BaggageMemberEmpty, member.bytes));
    }
    let mut parts = member.bytes.split(|byte| *byte == b';');
    let first = parts.next().unwrap_or_default();
    let (key, value) = key_and_value(first);
    let Some(value) = value else {
        return Err(refused(member, Reason::BaggageWithoutEquals, trim_ows(first)));
    };
    if key.is_empty() {
        return Err(refused(member, Reason::BaggageKeyEmpty, key));
    }
    check_bytes(key, is_token_byte).map_err(|odd| refused(member, Reason::BaggageKeyCharacter, odd))?;
    check_value(value).map_err(|(reason, odd)| refused(member, reason, odd))?;
    for part in parts {
        let (key, value) = key_and_value(part);
        if key.is_empty() {
            return Err(refused(member, Reason::BaggagePropertyEmpty, key));
        }
        check_bytes(key, is_token_byte)
            .map_err(|odd| refused(member, Reason::BaggagePropertyCharacter, odd))?;
        check_value(value.unwrap_or_default()).map_err(|(reason, odd)| refused(member, reason, odd))?;
    }
    Ok(())
}

fn refused(member: &ListMember<'_>, reason: Reason, found: &[u8]) -> Refusal {
    let start = member.start + offset(member.bytes, found);
    Refusal { reason, field: "baggage", line: member.line, at: start..start + found.len() }
}

fn check_value(value: &[u8]) -> Result<(), (Reason, &[u8])> {
    check_bytes(value, is_value_byte).map_err(|odd| (Reason::BaggageValueCharacter, odd))?;
    match (0..value.len()).find(|at| value[*at] == b'%' && escaped(&value[*at..]).is_none()) {
        Some(at) => Err((Reason::BaggageEscape, &value[at..at + 1])),
        None => Ok(()),
    }
}

/// Returns the first byte that is not allowed, as a slice of one.
fn check_bytes(bytes: &[u8], allowed: fn(u8) -> bool) -> Result<(), &[u8]> {
    match bytes.iter().position(|byte| !allowed(*byte)) {
        Some(odd) => Err(&bytes[odd..odd + 1]),
        None => Ok(()),
    }
}

/// Returns the position of `inner`, a part of `outer`, in it.
fn offset(outer: &[u8], inner: &[u8]) -> usize {
    (inner.as_ptr() as usize).saturating_sub(outer.as_ptr() as usize).min(outer.len())
}

/// Returns whether a token may have the byte (RFC 9110 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests;
