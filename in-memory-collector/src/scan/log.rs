//! Validates log records and finds their ids.

use super::envelope::{Batch, ITEM_DEPTH, walk};
use super::validate::validate;
use crate::protobuf::{MalformedBytes, Reader};
use crate::schema::LOG_RECORD;

#[derive(Clone, Copy, Debug)]
pub struct LogFacts<'a> {
    /// The encoded record.
    pub bytes: &'a [u8],
    /// Empty where the record belongs to no trace.
    pub trace_id: &'a [u8],
    pub scope: u32,
}

/// Validates an `ExportLogsServiceRequest`.
pub fn logs(body: &[u8]) -> Result<Batch<'_, LogFacts<'_>>, MalformedBytes> {
    walk(body, record).map_err(|malformed| malformed.relative_to(body))
}

fn record(bytes: &[u8], scope: u32) -> Result<LogFacts<'_>, MalformedBytes> {
    validate(&LOG_RECORD, bytes, ITEM_DEPTH)?;
    let mut facts = LogFacts { bytes, trace_id: &[], scope };
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        if key.number == 9 {
            facts.trace_id = reader.length_delimited()?;
        } else {
            reader.skip(key, ITEM_DEPTH)?;
        }
    }
    Ok(facts)
}
