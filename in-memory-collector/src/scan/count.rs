//! Counts the items of metrics and profiles, which are validated and not kept.

use super::validate::validate;
use crate::protobuf::{Malformed, RECURSION_LIMIT, Reader};
use crate::schema::{EXPORT_METRICS, EXPORT_PROFILES};

/// The data points of an `ExportMetricsServiceRequest`.
pub fn metrics(body: &[u8]) -> Result<u64, Malformed> {
    validate(&EXPORT_METRICS, body, RECURSION_LIMIT).map_err(|malformed| malformed.relative_to(body))?;
    Ok(count(body, &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]]))
}

/// The profiles of an `ExportProfilesServiceRequest`.
pub fn profiles(body: &[u8]) -> Result<u64, Malformed> {
    validate(&EXPORT_PROFILES, body, RECURSION_LIMIT).map_err(|malformed| malformed.relative_to(body))?;
    Ok(count(body, &[&[1], &[2], &[2]]))
}

/// How many fields are reached by a path of field numbers; each step may name several. The bytes are valid.
fn count(bytes: &[u8], path: &[&[u32]]) -> u64 {
    let Some((numbers, path)) = path.split_first() else { return 1 };
    let mut found = 0;
    let mut reader = Reader::new(bytes);
    while let Ok(key) = reader.key() {
        if numbers.contains(&key.number) {
            found += reader.length_delimited().map_or(0, |inner| count(inner, path));
        } else if reader.skip(key, RECURSION_LIMIT).is_err() {
            break;
        }
    }
    found
}
