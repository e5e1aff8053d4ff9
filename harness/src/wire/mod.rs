//! Propagation formats: parses bytes into fields and prints them, with the reason when bytes are rejected.
//!
//! Nothing here knows scenarios, captures or verdicts. Parsers take bytes as they were on the wire, never panic and
//! return the position at which they stopped. They expect values without surrounding white space, which belongs to the
//! carrier: see [`trim_ows`].

mod b3;
pub mod baggage;
pub mod base64;
pub mod carrier;
pub mod context;
pub mod context_refusal;
pub mod datadog;
pub mod decision;
pub mod formats;
mod google;
pub mod grpc_trace_bin;
pub mod hex;
pub mod ids;
pub mod jaeger;
pub mod ot_trace;
pub mod percent;
mod propagation;
pub mod refusal;
pub mod traceparent;
pub mod tracestate;
mod value_part;
pub mod x_ray;

pub use baggage::Baggage;
pub use carrier::Carrier;
pub use context::RemoteContext;
pub use context_refusal::{ContextPart, ContextReason, PartDefect};
pub use decision::Decision;
pub use formats::Format;
pub use ids::{Flags, SpanId, TraceId};
pub use refusal::{Reason, Refusal};
pub use traceparent::TraceParent;
pub use tracestate::TraceState;

/// A level of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// <https://www.w3.org/TR/trace-context-1/>
    One,
    /// <https://www.w3.org/TR/trace-context-2/>: the random flag, and wider keys in tracestate.
    Two,
}

/// Returns `value` without the spaces and tabs around it, which are no part of a field's value (RFC 9110 5.5).
pub fn trim_ows(value: &[u8]) -> &[u8] {
    let start = value.iter().take_while(|byte| is_ows(**byte)).count();
    let tail = value[start..].iter().rev().take_while(|byte| is_ows(**byte)).count();
    &value[start..value.len() - tail]
}

fn is_ows(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A member of a comma-separated list: its bytes, trimmed, and their position.
#[derive(Clone, Copy, Debug)]
struct ListMember<'a> {
    line: usize,
    start: usize,
    bytes: &'a [u8],
}

/// Returns the members of a list that spans several `lines`, in their order (RFC 9110 5.3), empty ones included.
fn list_members<'a>(lines: &[&'a [u8]]) -> Vec<ListMember<'a>> {
    let mut members = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        let mut from = 0;
        for part in text.split(|byte| *byte == b',') {
            let blank = part.iter().take_while(|byte| is_ows(**byte)).count();
            members.push(ListMember { line, start: from + blank, bytes: trim_ows(part) });
            from += part.len() + 1;
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_spaces_and_tabs_at_the_ends_are_trimmed() {
        assert_eq!(trim_ows(b" \t a b\t "), b"a b");
        assert_eq!(trim_ows(b" \t "), b"");
        assert_eq!(trim_ows(b"\na\r"), b"\na\r");
    }

    #[test]
    fn list_members_know_their_line_and_start() {
        let members = list_members(&[b" a , b", b"", b"c"]);
        let seen: Vec<_> = members.iter().map(|m| (m.line, m.start, m.bytes)).collect();
        let expected: [(usize, usize, &[u8]); 4] = [(0, 1, b"a"), (0, 5, b"b"), (1, 0, b""), (2, 0, b"c")];
        assert_eq!(seen, expected);
    }
}
