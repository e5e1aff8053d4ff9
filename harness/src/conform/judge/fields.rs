//! Fields of a message as bytes: their values, their formats, and the first difference between two of them.

use crate::evidence::RawFields;
use crate::wire::{Format, trim_ows, x_ray};

/// Returns the values of a field, whatever the case of its name.
pub(super) fn values<'a>(fields: &'a RawFields, name: &str) -> Vec<&'a [u8]> {
    let named = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| trim_ows(value)).collect()
}

/// Returns the name under which these fields have a field: over SQS that of X-Ray is a system attribute.
pub(super) fn carried_as<'a>(fields: &RawFields, name: &'a str) -> &'a str {
    if name == x_ray::HEADER
        && values(fields, name).is_empty()
        && !values(fields, x_ray::SQS_ATTRIBUTE).is_empty()
    {
        return x_ray::SQS_ATTRIBUTE;
    }
    name
}

/// Returns the first byte that differs, as a range of `actual`.
pub(super) fn first_difference(expected: &[u8], actual: &[u8]) -> std::ops::Range<usize> {
    let same = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
    same..(same + 1).min(actual.len()).max(same)
}

/// Returns the first field that carries a context in a format other than these, in lower case.
pub(super) fn of_other_formats(fields: &RawFields, formats: &[Format]) -> Option<String> {
    for (name, _) in fields {
        if Format::of_field(name).is_some_and(|format| !formats.contains(&format)) {
            return Some(String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned());
        }
    }
    None
}
