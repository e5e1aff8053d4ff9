//! The sampling threshold of each span against the randomness of its trace.
//!
//! <https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/#decision-algorithm>: a span with the
//! threshold `th` was kept because its randomness, the entry `rv` or the right-most seven bytes of the trace id, is at
//! least as large.

use super::{Contradiction, ExportedSpan};

/// The digits of a randomness, and of a threshold in full.
const DIGITS: usize = 14;

/// Returns the first span that contradicts it.
pub(super) fn check(spans: &[&ExportedSpan]) -> Result<(), Contradiction> {
    let mut common: Option<u64> = None;
    for span in spans {
        let explicit = entry(span, "rv").filter(|digits| digits.len() == DIGITS).and_then(number);
        let randomness = explicit.unwrap_or_else(|| low_bits(&span.trace_id));
        let first = *common.get_or_insert(randomness);
        if first != randomness {
            return Err(Contradiction(format!(
                "the span {} has the randomness {randomness:014x}, another span of its trace {first:014x}",
                span.words()
            )));
        }
        let threshold = entry(span, "th")
            .filter(|digits| digits.len() <= DIGITS)
            .and_then(|digits| Some((digits, number(digits)? << (4 * (DIGITS - digits.len())))));
        if let Some((digits, threshold)) = threshold
            && randomness < threshold
        {
            return Err(Contradiction(format!(
                "the span {} has the threshold {digits} and the randomness {randomness:014x}",
                span.words()
            )));
        }
    }
    Ok(())
}

/// Returns an entry of the member `ot`.
fn entry<'a>(span: &'a ExportedSpan, key: &str) -> Option<&'a str> {
    let member = span.trace_state.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    member.split(';').find_map(|entry| entry.strip_prefix(key)?.strip_prefix(':'))
}

fn number(digits: &str) -> Option<u64> {
    let is_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex { u64::from_str_radix(digits, 16).ok() } else { None }
}

fn low_bits(trace_id: &[u8]) -> u64 {
    let start = trace_id.len().saturating_sub(DIGITS / 2);
    trace_id[start..].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}
