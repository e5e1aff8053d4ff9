//! The fields that `--mask` names: their values are masked where a tap records them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::literals::{Extent, Literals, SHORTEST};
use super::shape::{Escapes, Shapes};
use crate::wire::trim_ows;

/// The most values that lines of services are searched for; beyond them no line is shown.
const SEARCHED: usize = 100_000;
/// Fields that carry members of baggage, one each, in older formats.
const BAGGAGE_PREFIXES: &[&str] = &["uberctx-", "ot-baggage-"];
/// Fields whose values are judged, and which hold nothing but ids.
const JUDGED: &[&str] = &["traceparent", "tracestate"];

/// A field whose values are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskedField {
    /// The values of `baggage`, not its keys.
    Baggage,
    /// A header of this name, in lower case.
    Header(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaskedFieldError {
    #[error("use `baggage`, or `header:NAME`")]
    Unknown,
    #[error("`{0}` cannot be masked: its value is what is judged")]
    Judged(String),
}

impl FromStr for MaskedField {
    type Err = MaskedFieldError;

    fn from_str(text: &str) -> Result<MaskedField, MaskedFieldError> {
        if text == "baggage" {
            return Ok(MaskedField::Baggage);
        }
        let name = text.strip_prefix("header:").unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "" => Err(MaskedFieldError::Unknown),
            "baggage" => Ok(MaskedField::Baggage),
            name if JUDGED.contains(&name) => Err(MaskedFieldError::Judged(name.to_owned())),
            _ => Ok(MaskedField::Header(name)),
        }
    }
}

impl fmt::Display for MaskedField {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaskedField::Baggage => out.write_str("baggage"),
            MaskedField::Header(name) => write!(out, "header:{name}"),
        }
    }
}

/// The masks of a run, which its cases share; clones are the same one. The default masks nothing.
#[derive(Clone, Default)]
pub struct FieldMask {
    shared: Option<Arc<SharedMask>>,
}

struct SharedMask {
    fields: Vec<MaskedField>,
    known: Mutex<KnownValues>,
}

#[derive(Default)]
struct KnownValues {
    shapes: Shapes,
    printed: Literals,
}

/// The form of a masked field's value.
enum FieldForm {
    BaggageList,
    Whole,
}

impl FieldMask {
    /// Creates the masks of these fields, with a key of their own.
    pub fn new(fields: Vec<MaskedField>) -> FieldMask {
        let shared = SharedMask { fields, known: Mutex::default() };
        FieldMask { shared: (!shared.fields.is_empty()).then(|| Arc::new(shared)) }
    }

    pub fn masks_baggage(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.fields.contains(&MaskedField::Baggage))
    }

    /// Returns the masked value of a field; `None` if the field is not masked.
    pub fn masked(&self, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let shared = self.shared.as_ref()?;
        let form = shared.form(name)?;
        let mut known = shared.known.lock();
        Some(match form {
            FieldForm::BaggageList => known.list(value),
            FieldForm::Whole => known.value(value, Escapes::None),
        })
    }

    /// Returns a line that a service printed, with masks in place of the values that were recorded.
    pub fn printed(&self, line: &str) -> String {
        let Some(shared) = &self.shared else { return line.to_owned() };
        let known = shared.known.lock();
        if known.printed.count() > SEARCHED {
            return format!("(not shown: more than {SEARCHED} values are masked)");
        }
        known.printed.replace(line).text
    }
}

impl SharedMask {
    fn form(&self, name: &[u8]) -> Option<FieldForm> {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        self.fields.iter().find_map(|field| match field {
            MaskedField::Baggage if name == "baggage" => Some(FieldForm::BaggageList),
            MaskedField::Baggage => {
                BAGGAGE_PREFIXES.iter().any(|prefix| name.starts_with(prefix)).then_some(FieldForm::Whole)
            }
            MaskedField::Header(header) => (*header == name).then_some(FieldForm::Whole),
        })
    }
}

impl KnownValues {
    /// Masks the values of a list of members, and of their properties; keys and delimiters stay.
    fn list(&mut self, list: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(list.len());
        for (at, member) in list.split(|byte| *byte == b',').enumerate() {
            masked.extend((at > 0).then_some(b','));
            for (at, part) in member.split(|byte| *byte == b';').enumerate() {
                masked.extend((at > 0).then_some(b';'));
                // A property may be a key alone; a member without `=` is taken as a value.
                let from = match part.iter().position(|byte| *byte == b'=') {
                    Some(equals) => equals + 1,
                    None if at > 0 => part.len(),
                    None => 0,
                };
                let (key, value) = part.split_at(from);
                let trimmed = trim_ows(value);
                let blank = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                masked.extend_from_slice(key);
                masked.extend_from_slice(&value[..blank]);
                masked.extend(self.value(trimmed, Escapes::Percent));
                masked.extend_from_slice(&value[blank + trimmed.len()..]);
            }
        }
        masked
    }

    fn value(&mut self, value: &[u8], escapes: Escapes) -> Vec<u8> {
        let masked = self.shapes.mask(value, escapes);
        if self.printed.count() <= SEARCHED {
            for (plain, mask) in [(value, &masked.wire), (&masked.plain, &masked.decoded)] {
                if plain.len() >= SHORTEST && std::str::from_utf8(plain).is_ok() {
                    self.printed.add(plain, mask, Extent::ShortAsWord);
                }
            }
        }
        masked.wire
    }
}

/// Omits the values.
impl fmt::Debug for FieldMask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.shared.as_ref().map(|shared| &shared.fields);
        out.debug_tuple("FieldMask").field(&fields).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(fields: &[&str]) -> FieldMask {
        FieldMask::new(fields.iter().map(|field| field.parse().unwrap()).collect())
    }

    #[test]
    fn baggage_keeps_its_keys_and_delimiters_and_none_of_its_values() {
        let mask = mask(&["baggage"]);
        let list = b"tenant=blue; level=gold;flag , user = alice%20smith,alone,,tenant=blue";
        let masked = String::from_utf8(mask.masked(b"Baggage", list).unwrap()).unwrap();
        assert_eq!(masked.len(), list.len());
        for value in ["blue", "gold", "alice", "smith", "alone"] {
            assert!(!masked.contains(value), "{masked}");
        }
        let members: Vec<&str> = masked.split(',').collect();
        assert!(members[0].starts_with("tenant=*") && members[0].contains("; level=*"), "{masked}");
        assert!(members[0].ends_with(";flag ") && members[1].starts_with(" user = *"), "{masked}");
        assert!(members[3].is_empty() && members[4] == &members[0][..11], "{masked}");
        assert_eq!(mask.masked(b"x-tenant", b"blue"), None);
        assert_ne!(mask.masked(b"uberctx-tenant", b"blue"), None);
    }

    #[test]
    fn a_header_is_masked_by_its_name_in_any_case_and_wherever_a_service_prints_it() {
        let mask = mask(&["header:X-Tenant"]);
        let masked = String::from_utf8(mask.masked(b"x-tenant", b"blue-house").unwrap()).unwrap();
        assert_eq!(mask.printed("tenant blue-house, house"), format!("tenant {masked}, house"));
        assert_eq!(mask.printed("a bluebird"), "a bluebird");
        assert_eq!(FieldMask::default().printed("blue-house"), "blue-house");
    }

    #[test]
    fn only_what_is_not_judged_can_be_masked() {
        assert_eq!("header:baggage".parse(), Ok(MaskedField::Baggage));
        for (text, error) in [
            ("header:TraceParent", MaskedFieldError::Judged("traceparent".into())),
            ("header:", MaskedFieldError::Unknown),
            ("x-tenant", MaskedFieldError::Unknown),
        ] {
            assert_eq!(text.parse::<MaskedField>(), Err(error));
        }
    }
}
