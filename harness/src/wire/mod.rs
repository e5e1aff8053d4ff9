//! Propagation formats: bytes to fields and back, with the reason when bytes are refused.
//!
//! Nothing here knows of scenarios, captures or verdicts. Parsers take bytes as they stood on the wire, never
//! panic and say where in the bytes they stopped. White space around a value is the carrier's affair: see
//! `trim_ows`.

pub mod baggage;
pub mod formats;
pub mod ids;
pub mod refusal;
pub mod traceparent;
pub mod tracestate;

pub use baggage::Baggage;
pub use formats::Format;
pub use ids::{Flags, SpanId, TraceId};
pub use refusal::{Reason, Refusal};
pub use traceparent::TraceParent;
pub use tracestate::TraceState;

/// The level of W3C Trace Context that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// <https://www.w3.org/TR/trace-context-1/>
    One,
    /// <https://www.w3.org/TR/trace-context-2/>: the random flag, and wider keys in tracestate.
    Two,
}

/// `value` without the spaces and tabs around it, which RFC 9110 5.5 keeps out of a field's value.
pub fn trim_ows(value: &[u8]) -> &[u8] {
    let ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().take_while(|byte| ows(byte)).count();
    let tail = value[start..].iter().rev().take_while(|byte| ows(byte)).count();
    &value[start..value.len() - tail]
}

/// A member of a comma-separated list: its bytes, trimmed, and where they stand.
#[derive(Clone, Copy, Debug)]
struct ListMember<'a> {
    line: usize,
    start: usize,
    bytes: &'a [u8],
}

/// The members of a list that is spread over `lines`, in their order (RFC 9110 5.3); empty ones too.
fn list_members<'a>(lines: &[&'a [u8]]) -> Vec<ListMember<'a>> {
    let mut members = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        let mut from = 0;
        for part in text.split(|byte| *byte == b',') {
            let blank = part.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
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
