//! Reads baggage.

use super::{Defect, Propagation, split, trim};

impl Propagation {
    /// The members; `None` for a request that the defect answers with an error.
    pub(super) fn baggage(&self, lines: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        let lines = if self.has(Defect::FirstBaggageLine) { &lines[..lines.len().min(1)] } else { lines };
        let joined = lines.join(&b',');
        if self.has(Defect::FailsOnLargeBaggage) && joined.len() > 20_000 {
            return None;
        }
        let mut members: Vec<Vec<u8>> = Vec::new();
        for part in split(&joined, b',').into_iter().filter(|part| !trim(part).is_empty()) {
            let part = if self.has(Defect::KeepsSpaces) { part } else { trim(part) };
            let pair = split(part, b';')[0];
            let equals = pair.iter().position(|byte| *byte == b'=');
            let Some(equals) = equals.filter(|at| !trim(&pair[..*at]).is_empty()) else {
                if self.has(Defect::FailsOnInvalidBaggage) {
                    return None;
                }
                continue;
            };
            members.extend(self.baggage_member(part, pair, equals)?);
        }
        if self.has(Defect::FewBaggageMembers) {
            members.truncate(32);
        }
        if self.has(Defect::JoinsRepeatedKeys) {
            let last = members.iter().rposition(|member| member.starts_with(b"k="));
            let first = members.iter().position(|member| member.starts_with(b"k="));
            if let (Some(first), Some(last)) = (first, last.filter(|last| Some(*last) != first)) {
                let value = members[last][2..].to_vec();
                members[first].extend(value);
            }
        }
        Some(members)
    }

    fn baggage_member(&self, part: &[u8], pair: &[u8], equals: usize) -> Option<Option<Vec<u8>>> {
        let (key, value) = (&pair[..equals], &pair[equals + 1..]);
        let (key, value) = match self.has(Defect::KeepsSpaces) {
            true => (key.to_vec(), [b"%20", value].concat()),
            false => (trim(key).to_vec(), trim(value).to_vec()),
        };
        let key = if self.has(Defect::LowerCaseKeys) { key.to_ascii_lowercase() } else { key };
        let decoded = percent_decoded(&value);
        if self.has(Defect::FailsOnEscape) && decoded.is_none() {
            return None;
        }
        let decoded = decoded.unwrap_or_default();
        let value = match self.defect {
            Some(Defect::SplitsAtEveryEquals) => split(&value, b'=')[0].to_vec(),
            Some(Defect::DecodesTwice) => decoded,
            Some(Defect::DecodesControls) if decoded.iter().any(|b| *b < b' ') => decoded,
            Some(Defect::DropsNonUtf8) if String::from_utf8(decoded).is_err() => return Some(None),
            Some(Defect::PlusIsSpace) => value
                .iter()
                .map(|b| if *b == b'+' { " ".into() } else { char::from(*b).to_string() })
                .collect::<String>()
                .replace(' ', "%20")
                .into_bytes(),
            Some(Defect::EmptyValueIsNull) if value.is_empty() => b"null".to_vec(),
            _ => value,
        };
        let properties = if self.has(Defect::DropsProperties) { &b""[..] } else { &part[pair.len()..] };
        Some(Some([&key[..], b"=", &value, properties].concat()))
    }
}

/// `None` for an escape without two digits.
fn percent_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    Some(out)
}
