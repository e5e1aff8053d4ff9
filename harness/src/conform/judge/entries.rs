//! Fields with a demanded value, and the entries `key:value` in the value of a member of tracestate.
//!
//! OpenTelemetry's `ot` and Datadog's `dd` hold such entries, separated by `;`; their order is free.

use super::fields::{carried_as, first_difference, values};
use super::mismatch::{Mismatch, MismatchKind};
use super::{Call, VectorExchange};
use crate::conform::suite::{Demands, FieldDifference};
use crate::wire::tracestate::RawMember;
use crate::wire::{TraceState, trim_ows};

const TRACESTATE: &str = "tracestate";

pub(super) fn check(expected: &Demands, exchange: &VectorExchange, call: &Call) -> Result<(), Mismatch> {
    let minted = &exchange.minted;
    for (name, value) in &expected.fields {
        let name = String::from_utf8_lossy(&name.fill(minted)).to_ascii_lowercase();
        has_value(&name, &value.fill(minted), call)?;
    }
    for (name, text) in &expected.holds {
        let name = String::from_utf8_lossy(&name.fill(minted)).to_ascii_lowercase();
        holds(&name, &text.fill(minted), call)?;
    }
    let out = OutgoingList::of(call);
    for (key, entries) in &expected.entries {
        let key = key.fill(minted);
        for entry in entries {
            out.has(&key, &entry.fill(minted))?;
        }
    }
    for (key, names) in &expected.lacks_entries {
        let key = key.fill(minted);
        for name in names {
            out.lacks(&key, &name.fill(minted))?;
        }
    }
    match &expected.first {
        Some(key) => out.begins_with(&key.fill(minted)),
        None => Ok(()),
    }
}

fn has_value(name: &str, expected: &[u8], call: &Call) -> Result<(), Mismatch> {
    let found = values(&call.fields, name);
    if found == [expected] {
        return Ok(());
    }
    let actual = found.join(&b", "[..]);
    let caret = first_difference(expected, &actual);
    let difference =
        FieldDifference { field: name.to_owned(), expected: Some(expected.to_vec()), actual, caret };
    Err(Mismatch::with(MismatchKind::FieldChanged(name.to_owned()), difference))
}

/// Checks that the values of a field have a text in them.
fn holds(name: &str, text: &[u8], call: &Call) -> Result<(), Mismatch> {
    let name = carried_as(&call.fields, name);
    let actual = values(&call.fields, name).join(&b", "[..]);
    if actual.windows(text.len()).any(|part| part == text) {
        return Ok(());
    }
    let (field, caret) = (name.to_owned(), 0..actual.len());
    let kind = MismatchKind::PartLost(field.clone(), shown(text));
    Err(Mismatch::with(kind, FieldDifference { field, expected: None, actual, caret }))
}

/// The tracestate of a call.
struct OutgoingList {
    members: Vec<RawMember>,
}

impl OutgoingList {
    fn of(call: &Call) -> OutgoingList {
        OutgoingList { members: TraceState::members_of(values(&call.fields, TRACESTATE)) }
    }

    /// Returns the member with a key and its number.
    fn member(&self, key: &[u8]) -> Option<(usize, &RawMember)> {
        self.members.iter().enumerate().find(|(_, member)| trim_ows(member.key()) == key)
    }

    /// Checks that a member has an entry.
    fn has(&self, key: &[u8], entry: &[u8]) -> Result<(), Mismatch> {
        let found = self.member(key);
        if found.is_some_and(|(_, member)| entries(member).any(|found| found == entry)) {
            return Ok(());
        }
        let kind = MismatchKind::EntryLost(shown(key), shown(entry));
        Err(self.mismatch(kind, found.map(|(number, _)| number)))
    }

    /// Checks that a member, if there is one, has no entry of this name.
    fn lacks(&self, key: &[u8], name: &[u8]) -> Result<(), Mismatch> {
        let Some((number, member)) = self.member(key) else { return Ok(()) };
        let mut named = entries(member)
            .filter(|entry| entry.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b':')));
        match named.next() {
            Some(entry) => {
                Err(self.mismatch(MismatchKind::EntryKept(shown(key), shown(entry)), Some(number)))
            }
            None => Ok(()),
        }
    }

    fn begins_with(&self, key: &[u8]) -> Result<(), Mismatch> {
        match self.member(key) {
            Some((0, _)) => Ok(()),
            found => Err(self.mismatch(MismatchKind::NotFirst(shown(key)), found.map(|(number, _)| number))),
        }
    }

    /// Returns a mismatch with a caret at the member of this number, or at the end of the list.
    fn mismatch(&self, kind: MismatchKind, number: Option<usize>) -> Mismatch {
        let mut actual: Vec<u8> = Vec::new();
        let mut caret = None;
        for (at, member) in self.members.iter().enumerate() {
            actual.extend_from_slice(if at > 0 { b"," } else { b"" });
            let start = actual.len();
            actual.extend_from_slice(&member.bytes);
            caret = caret.or((Some(at) == number).then_some(start..actual.len()));
        }
        let caret = caret.unwrap_or(actual.len()..actual.len());
        Mismatch::with(kind, FieldDifference { field: TRACESTATE.to_owned(), expected: None, actual, caret })
    }
}

/// Returns the entries of a member's value.
fn entries(member: &RawMember) -> impl Iterator<Item = &[u8]> {
    let value = member.bytes.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default();
    value.split(|byte| *byte == b';')
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tracestate: &str) -> Call {
        let fields = vec![(b"tracestate".to_vec(), tracestate.as_bytes().to_vec())];
        Call { number: 0, fields, is_late: false }
    }

    fn caret(mismatch: &Mismatch) -> String {
        let difference = mismatch.difference.as_ref().unwrap();
        String::from_utf8_lossy(&difference.actual[difference.caret.clone()]).into_owned()
    }

    #[test]
    fn entries_are_found_in_any_order_and_named_where_they_are_not() {
        let out = OutgoingList::of(&call("ot=rv:1;th:8,x=1"));
        assert!(out.has(b"ot", b"th:8").is_ok() && out.lacks(b"ot", b"t").is_ok());
        assert!(out.lacks(b"dd", b"s").is_ok() && out.begins_with(b"ot").is_ok());
        for (wrong, words, at) in [
            (
                out.has(b"ot", b"th:c"),
                "the `tracestate` member `ot` does not have the entry `th:c`",
                "ot=rv:1;th:8",
            ),
            (out.has(b"dd", b"s:1"), "`dd` does not have the entry `s:1`", ""),
            (out.lacks(b"ot", b"th"), "`ot` has an entry `th:8`", "ot=rv:1;th:8"),
            (out.begins_with(b"x"), "`x` was changed and does not stand first", "x=1"),
        ] {
            let mismatch = wrong.unwrap_err();
            assert!(mismatch.to_string().contains(words), "{mismatch}");
            assert_eq!(caret(&mismatch), at, "{words}");
        }
    }

    #[test]
    fn a_field_with_another_value_shows_the_first_byte_that_differs() {
        let mismatch = has_value("tracestate", b"a=2", &call("a=1")).unwrap_err();
        assert_eq!(caret(&mismatch), "1");
        assert_eq!(mismatch.difference.unwrap().expected.unwrap(), b"a=2");
        assert!(holds("tracestate", b"=1", &call("a=1,b=2")).is_ok());
        let fields = vec![(b"AWSTraceHeader".to_vec(), b"Root=1-a;Lineage=1:b:0".to_vec())];
        let over_sqs = Call { number: 0, fields, is_late: false };
        assert!(holds("x-amzn-trace-id", b"Lineage=1:b:0", &over_sqs).is_ok());
        let lost = holds("tracestate", b"c=3", &call("a=1,b=2")).unwrap_err();
        assert_eq!(lost.to_string(), "`tracestate` does not have `c=3` in its value");
    }
}
