//! Reads tracestate.

use super::{Defect, Propagation, split, trim};

impl Propagation {
    /// The members; `None` for a list that is dropped.
    pub(super) fn tracestate(&self, lines: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        if self.has(Defect::EmptyLineVoids) && lines.iter().any(|line| line.is_empty()) {
            return None;
        }
        let lines = if self.has(Defect::FirstTracestateLine) { &lines[..lines.len().min(1)] } else { lines };
        let joined = lines.join(&b',');
        let mut members = Vec::new();
        for part in split(&joined, b',') {
            let member = trim(part);
            if self.has(Defect::SpacesVoid) && member.len() != part.len()
                || self.has(Defect::EmptyMemberVoids) && member.is_empty() && !lines.is_empty()
            {
                return None;
            }
            if !member.is_empty() {
                members.push(self.member(member)?);
            }
        }
        if members.len() > 32 && !self.has(Defect::AnyNumberOfMembers) {
            return None;
        }
        if self.has(Defect::DropsRepeatedKeys) {
            let key = |member: &[u8]| split(member, b'=')[0].to_vec();
            let keys: Vec<Vec<u8>> = members.iter().map(|member| key(member)).collect();
            members.retain(|member| keys.iter().filter(|other| **other == key(member)).count() == 1);
        }
        let length = members.iter().map(|member| member.len() + 1).sum::<usize>();
        if self.has(Defect::DropsLongTracestate) && length > 256 {
            return None;
        }
        if self.has(Defect::ReversesTracestate) {
            members.reverse();
        }
        if self.has(Defect::DropsForeignMembers) {
            members.retain(|member| member.starts_with(b"ot="));
        }
        Some(members)
    }

    fn member(&self, member: &[u8]) -> Option<Vec<u8>> {
        let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
            return self.has(Defect::MembersWithoutEquals).then(|| member.to_vec());
        };
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        let starts = match key.first() {
            Some(b'0'..=b'9') => !self.has(Defect::NoDigitFirst),
            Some(first) => first.is_ascii_lowercase(),
            None => false,
        };
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(byte);
        let at_signs = key.iter().filter(|byte| **byte == b'@').count();
        let key_fits = starts && key.iter().all(plain) && (at_signs < 2 || !self.has(Defect::OneAtSign));
        let value_byte = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
        let no_semicolon = !self.has(Defect::NoSemicolons) || !value.contains(&b';');
        let value_fits = value.iter().all(value_byte) && no_semicolon;
        let lengths = (key.len() <= 256 || self.has(Defect::LongKeys))
            && ((1..=256).contains(&value.len()) || self.has(Defect::LongValues));
        if self.has(Defect::RepairsKeys) && !key_fits {
            return Some([b"repaired=", value].concat());
        }
        let fits =
            (key_fits || self.has(Defect::AnyKeys)) && (value_fits || self.has(Defect::AnyValues)) && lengths;
        let value = if self.has(Defect::TrimsValues) { trim(value) } else { value };
        fits.then(|| [key, b"=", value].concat())
    }
}
