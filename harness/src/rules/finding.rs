//! A rule's complaint: plain data, ready for any report.

use std::ops::Range;

use super::details::Details;
use crate::breaks::{Class, Side};
use crate::scenario::Expectation;
use crate::source::Place;

/// One finding per hop, class and side.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that complains.
    pub rule: Expectation,
    /// The kind of the break.
    pub class: Class,
    /// The side that broke it.
    pub side: Side,
    /// True: the witnesses do not suffice for a fail; the verdict is inconclusive.
    pub inconclusive: bool,
    /// Id of the hop, or of all hops that share the cause, the first one first; empty for a node's own affair.
    pub hops: Vec<String>,
    /// The place of the (first) hop's relation, or of the expectation, in the scenario file.
    pub place: Place,
    /// The node whose side it is on.
    pub node: Option<String>,
    /// The number of crossings that it hit.
    pub hit: u32,
    /// The number of crossings that were looked at.
    pub of: u32,
    /// The values of the example, as the JSON report has them.
    #[doc(hidden)]
    pub details: Details,
    /// One sentence, lower case, no full stop: what happened, with which request.
    pub message: String,
    /// The bytes on both sides, in the order in which they crossed.
    pub lines: Vec<Line>,
    /// The value that was due, in words or bytes.
    pub expected: String,
    /// The value that was seen in its place.
    pub actual: String,
    /// The rule of the standard in our words, with its clause and link.
    pub clause: &'static str,
    /// Steps to try next.
    pub try_next: Vec<String>,
    /// The witness that would have shown more.
    pub missing_witness: Option<String>,
    /// Remarks that belong to the finding and are not findings of their own.
    pub inside: Vec<String>,
    /// The stimulus of the smallest example, counted from 1.
    pub example: Option<u32>,
    /// The other stimuli that show the same.
    pub others: Vec<u32>,
    /// The fields of the request or message that it is about, in alphabetical order; none for a finding about spans.
    pub fields: Vec<String>,
    /// Hex digits of scenario, case, hop, class, side and fields; diffs are keyed on it.
    pub fingerprint: String,
    /// The reason that a baseline gives for accepting it.
    pub known: Option<String>,
    /// The last day on which a baseline accepted it; that day has passed.
    pub accepted_until: Option<String>,
}

/// One line of bytes with what stands under the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The witness: "from `shop`, on the wire", "SERVER span of `billing`".
    pub label: String,
    /// Printable: bytes outside 0x20 to 0x7e are written `\xNN`.
    pub text: String,
    /// Byte range in `text`.
    pub caret: Option<Range<usize>>,
    /// The value that the caret points out.
    pub caption: String,
}

/// A remark that is not a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// Id of the hop that it is about, if it is about one.
    pub hop: Option<String>,
    /// One sentence, lower case, no full stop.
    pub text: String,
    /// The number of crossings on which it was seen.
    pub seen: u32,
    /// It is about the SDK of a service, not about the service; reports write it behind the findings.
    pub of_sdk: bool,
}
