//! Counts the items of metrics and profiles, which are validated and not kept.

use super::validate::validate;
use crate::protobuf::{MalformedBytes, RECURSION_LIMIT, Reader};
use crate::schema::{EXPORT_METRICS, EXPORT_PROFILES};
use crate::telemetry::attributes::fields;

/// Counts the data points of an `ExportMetricsServiceRequest`.
pub fn metrics(body: &[u8]) -> Result<u64, MalformedBytes> {
    validate(&EXPORT_METRICS, body, RECURSION_LIMIT).map_err(|malformed| malformed.relative_to(body))?;
    let metrics = fields(body, 1).flat_map(|group| fields(group, 2)).flat_map(|group| fields(group, 2));
    Ok(metrics.map(data_points).sum())
}

/// Counts the profiles of an `ExportProfilesServiceRequest`.
pub fn profiles(body: &[u8]) -> Result<u64, MalformedBytes> {
    validate(&EXPORT_PROFILES, body, RECURSION_LIMIT).map_err(|malformed| malformed.relative_to(body))?;
    let profiles = fields(body, 1).flat_map(|group| fields(group, 2)).flat_map(|group| fields(group, 2));
    Ok(profiles.count() as u64)
}

/// Counts the data points of one valid `Metric`, whose kinds are a `oneof`: another kind replaces, the same kind is
/// merged.
fn data_points(metric: &[u8]) -> u64 {
    let (mut kind, mut points) = (0, 0);
    let mut reader = Reader::new(metric);
    while let Ok(key) = reader.key() {
        if !matches!(key.number, 5 | 7 | 9 | 10 | 11) {
            if reader.skip(key, RECURSION_LIMIT).is_err() {
                break;
            }
            continue;
        }
        if kind != key.number {
            (kind, points) = (key.number, 0);
        }
        points += reader.length_delimited().map_or(0, |data| fields(data, 1).count() as u64);
    }
    points
}
