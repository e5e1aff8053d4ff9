//! Fields of a message as bytes: their values, and the first difference between two of them.

use crate::evidence::RawFields;
use crate::wire::trim_ows;

/// Returns the values of a field, whatever the case of its name.
pub(super) fn values<'a>(fields: &'a RawFields, name: &str) -> Vec<&'a [u8]> {
    let named = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| trim_ows(value)).collect()
}

/// Returns the first byte that differs, as a range of `actual`.
pub(super) fn first_difference(expected: &[u8], actual: &[u8]) -> std::ops::Range<usize> {
    let same = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
    same..(same + 1).min(actual.len()).max(same)
}
