//! The reasons why an outcome is not allowed; their words are made here and nowhere else.

use std::fmt;
use std::time::Duration;

use super::response_defect::ResponseDefect;
use crate::conform::suite::{Across, ContextFlag, FieldDifference, SpanStatement};
use crate::wire::{ContextPart, Format, Reason};

/// One reason, and where in the bytes it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub kind: MismatchKind,
    /// The number of the call, of several, from 1.
    pub call: Option<usize>,
    pub difference: Option<Box<FieldDifference>>,
    /// The format that the call should carry, if it is not W3C Trace Context: its clause is quoted.
    pub format: Option<Format>,
    /// The next step for the author of the target, if it is known.
    pub advice: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MismatchKind {
    /// The target answered with an error, or without one where its steps fail.
    Answered(u16),
    /// The status of the answer, if there is one.
    NotRefused(Option<u16>),
    NoAnswer(Duration),
    BrokenOff(String),
    Ended {
        how: String,
        lines: Vec<String>,
    },
    NotCalledBack {
        number: usize,
        calls: usize,
        /// `None` where a message has no answer.
        status: Option<u16>,
    },
    Missing(&'static str),
    Repeated(&'static str, usize),
    /// The field, in lower case, and what is wrong with it.
    Malformed(&'static str, Reason),
    /// An id with fewer digits than a sender writes: the field, the part, and its digits.
    NotPadded(&'static str, ContextPart, usize),
    /// Two formats of one call carry different contexts: the formats, and the part that differs.
    Conflict(Format, Format, ContextPart),
    /// A field does not have the value that was demanded.
    FieldChanged(String),
    /// A field has lost a part of its value: the field, and the part.
    PartLost(String, String),
    /// A member of tracestate lacks an entry: the key, and the entry.
    EntryLost(String, String),
    /// A member of tracestate has an entry that it must not have: the key, and the entry.
    EntryKept(String, String),
    /// The left-most member of tracestate does not have this key.
    NotFirst(String),
    /// The call carries a field that the format excludes.
    Forbidden(String),
    /// A version other than 00.
    Version(u8),
    TraceIdChanged,
    /// The trace was continued where a new one must start.
    TraceIdKept,
    /// The new trace id is derived from the invalid one.
    TraceIdDerived,
    ParentIdKept,
    /// The parent id is a different one where no span stands between.
    ParentIdChanged,
    /// The flag, and whether it should be set.
    Flag(ContextFlag, bool),
    MemberLost(&'static str, String),
    MemberKept(&'static str, String),
    MemberAltered(&'static str, String),
    Reordered(&'static str),
    /// A member that the target added stands to the right of one that was sent.
    AddedBehind(&'static str, String),
    /// A member that the target must add is missing, or stands there more than once.
    NotAdded(&'static str, String),
    /// More members than a list may have.
    TooMany(&'static str, usize),
    Unexpected(String),
    NotUnchanged(String),
    /// A field of the answer behind a forwarder did not arrive unchanged.
    AnswerChanged(String),
    Across(Across, String),
    /// The context that the target returned in its answer.
    Response(ResponseDefect),
    /// A statement about spans, and the contradiction in words.
    Spans(SpanStatement, String),
    /// The vector that should have been continued was not, so this one proves nothing.
    TwinNotContinued(String),
}

impl From<MismatchKind> for Mismatch {
    fn from(kind: MismatchKind) -> Self {
        Mismatch { kind, call: None, difference: None, format: None, advice: None }
    }
}

impl Mismatch {
    pub(super) fn with(kind: MismatchKind, difference: FieldDifference) -> Self {
        Mismatch { difference: Some(Box::new(difference)), ..Mismatch::from(kind) }
    }

    pub(super) fn at_call(mut self, number: usize, calls: usize) -> Self {
        self.call = (calls > 1).then_some(number + 1);
        self
    }

    /// Returns the rule of the format that the call should carry, if it is not W3C Trace Context.
    pub fn format_rule(&self) -> Option<&'static str> {
        self.format.map(Format::clause)
    }

    /// Returns the last output lines of a target that ended.
    pub fn output(&self) -> &[String] {
        match &self.kind {
            MismatchKind::Ended { lines, .. } => lines,
            MismatchKind::Answered(..)
            | MismatchKind::NotRefused(..)
            | MismatchKind::NoAnswer(..)
            | MismatchKind::BrokenOff(..)
            | MismatchKind::NotCalledBack { .. }
            | MismatchKind::Missing(..)
            | MismatchKind::Repeated(..)
            | MismatchKind::Malformed(..)
            | MismatchKind::NotPadded(..)
            | MismatchKind::Conflict(..)
            | MismatchKind::FieldChanged(..)
            | MismatchKind::PartLost(..)
            | MismatchKind::EntryLost(..)
            | MismatchKind::EntryKept(..)
            | MismatchKind::NotFirst(..)
            | MismatchKind::Forbidden(..)
            | MismatchKind::Version(..)
            | MismatchKind::TraceIdChanged
            | MismatchKind::TraceIdKept
            | MismatchKind::TraceIdDerived
            | MismatchKind::ParentIdKept
            | MismatchKind::ParentIdChanged
            | MismatchKind::Flag(..)
            | MismatchKind::MemberLost(..)
            | MismatchKind::MemberKept(..)
            | MismatchKind::MemberAltered(..)
            | MismatchKind::Reordered(..)
            | MismatchKind::AddedBehind(..)
            | MismatchKind::TooMany(..)
            | MismatchKind::NotAdded(..)
            | MismatchKind::Unexpected(..)
            | MismatchKind::NotUnchanged(..)
            | MismatchKind::AnswerChanged(..)
            | MismatchKind::Across(..)
            | MismatchKind::Response(..)
            | MismatchKind::Spans(..)
            | MismatchKind::TwinNotContinued(..) => &[],
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(out)?;
        match self.call {
            Some(call) => write!(out, " (call {call})"),
            None => Ok(()),
        }
    }
}

impl MismatchKind {
    /// Returns a short stable name for programs.
    pub fn word(&self) -> &'static str {
        match self {
            MismatchKind::Answered(_) => "answered-with-error",
            MismatchKind::NotRefused(_) => "not-refused",
            MismatchKind::NoAnswer(_) => "no-answer",
            MismatchKind::BrokenOff(_) => "broken-off",
            MismatchKind::Ended { .. } => "target-ended",
            MismatchKind::NotCalledBack { .. } => "not-called-back",
            MismatchKind::Missing(_) => "missing",
            MismatchKind::Repeated(..) => "repeated",
            MismatchKind::Malformed(..) => "malformed",
            MismatchKind::NotPadded(..) => "not-padded",
            MismatchKind::Conflict(..) => "conflict",
            MismatchKind::FieldChanged(_) => "field-changed",
            MismatchKind::PartLost(..) => "part-lost",
            MismatchKind::EntryLost(..) => "entry-lost",
            MismatchKind::EntryKept(..) => "entry-kept",
            MismatchKind::NotFirst(_) => "not-first",
            MismatchKind::Forbidden(_) => "forbidden-field",
            MismatchKind::Version(_) => "version",
            MismatchKind::TraceIdChanged => "trace-id-changed",
            MismatchKind::TraceIdKept => "trace-id-kept",
            MismatchKind::TraceIdDerived => "trace-id-derived",
            MismatchKind::ParentIdKept => "parent-id-kept",
            MismatchKind::ParentIdChanged => "parent-id-changed",
            MismatchKind::Flag(..) => "flag",
            MismatchKind::MemberLost(..) => "member-lost",
            MismatchKind::MemberKept(..) => "member-kept",
            MismatchKind::MemberAltered(..) => "member-altered",
            MismatchKind::Reordered(_) => "reordered",
            MismatchKind::AddedBehind(..) => "added-behind",
            MismatchKind::TooMany(..) => "too-many-members",
            MismatchKind::NotAdded(..) => "not-added",
            MismatchKind::Unexpected(_) => "unexpected",
            MismatchKind::NotUnchanged(_) => "not-unchanged",
            MismatchKind::AnswerChanged(_) => "answer-changed",
            MismatchKind::Across(..) => "across",
            MismatchKind::Response(_) => "response",
            MismatchKind::Spans(..) => "telemetry",
            MismatchKind::TwinNotContinued(_) => "twin-not-continued",
        }
    }
}

impl fmt::Display for MismatchKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MismatchKind::Answered(_)
            | MismatchKind::NotRefused(_)
            | MismatchKind::NoAnswer(_)
            | MismatchKind::BrokenOff(_)
            | MismatchKind::Ended { .. }
            | MismatchKind::NotCalledBack { .. } => answer_words(self, out),
            MismatchKind::Missing(_)
            | MismatchKind::Repeated(..)
            | MismatchKind::Malformed(..)
            | MismatchKind::NotPadded(..)
            | MismatchKind::Conflict(..)
            | MismatchKind::PartLost(..)
            | MismatchKind::FieldChanged(_)
            | MismatchKind::Forbidden(_)
            | MismatchKind::Version(_) => field_words(self, out),
            MismatchKind::TraceIdChanged => {
                out.write_str("the trace was not continued: the trace id is a different one")
            }
            MismatchKind::TraceIdKept => out.write_str("the trace was continued where a new one must start"),
            MismatchKind::TraceIdDerived => {
                out.write_str("the new trace id is derived from the invalid one that was sent")
            }
            MismatchKind::ParentIdKept => {
                out.write_str("the call carries the parent id that the target received")
            }
            MismatchKind::ParentIdChanged => {
                out.write_str("the parent id is a different one, although no span is between")
            }
            MismatchKind::Flag(flag, expected) => flag_words(*flag, *expected, out),
            MismatchKind::MemberLost(..)
            | MismatchKind::MemberKept(..)
            | MismatchKind::MemberAltered(..)
            | MismatchKind::AddedBehind(..)
            | MismatchKind::Reordered(_)
            | MismatchKind::NotAdded(..)
            | MismatchKind::EntryLost(..)
            | MismatchKind::EntryKept(..)
            | MismatchKind::NotFirst(_)
            | MismatchKind::TooMany(..) => list_words(self, out),
            MismatchKind::Unexpected(field) => write!(out, "the call carries `{field}`, which was not sent"),
            MismatchKind::NotUnchanged(field) => write!(out, "`{field}` was not forwarded unchanged"),
            MismatchKind::AnswerChanged(field) => {
                write!(out, "`{field}` of the answer was not forwarded unchanged")
            }
            MismatchKind::Response(defect) => defect.fmt(out),
            MismatchKind::Across(across, seen) => across_words(*across, seen, out),
            MismatchKind::Spans(statement, seen) => write!(out, "{}: {seen}", statement.violation()),
            MismatchKind::TwinNotContinued(twin) => {
                write!(
                    out,
                    "a new trace proves nothing here: the valid context of `{twin}` was not continued either"
                )
            }
        }
    }
}

fn answer_words(kind: &MismatchKind, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        MismatchKind::Answered(status) => write!(out, "the target answered {status}"),
        MismatchKind::NotRefused(Some(status)) => {
            write!(out, "the target answered {status}, expected a status from 400 to 499")
        }
        MismatchKind::NotRefused(None) => {
            out.write_str("the target handled the message, expected it to refuse")
        }
        MismatchKind::NoAnswer(within) => {
            write!(out, "the target did not answer within {} s", within.as_secs_f32())
        }
        MismatchKind::BrokenOff(how) => write!(out, "the target gave no answer: {how}"),
        MismatchKind::Ended { how, .. } => {
            write!(out, "the target ended while it handled the request ({how})")
        }
        MismatchKind::NotCalledBack { number, calls, status } => {
            match status {
                Some(status) => write!(out, "the target answered {status}")?,
                None => out.write_str("the target got the message")?,
            }
            match calls {
                1 => out.write_str(" and did not call back"),
                calls => write!(out, " without call {} of {calls}", number + 1),
            }
        }
        other => unreachable!("{} is about what the target sent", other.word()),
    }
}

fn field_words(kind: &MismatchKind, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        MismatchKind::Missing(field) => write!(out, "the call carries no `{field}`"),
        MismatchKind::Repeated(field, count) => write!(out, "the call carries {count} `{field}` fields"),
        MismatchKind::Malformed(field, reason) => {
            write!(out, "the call carries an invalid `{field}`: {reason}")
        }
        MismatchKind::NotPadded(field, part, digits) => {
            let part = part.word();
            write!(out, "the {part} in `{field}` has {digits} digits: a sender pads it with zeros")
        }
        MismatchKind::Conflict(one, other, part) => {
            let (one, other) = (one.first_field(), other.first_field());
            write!(out, "`{one}` and `{other}` of one call differ in the {}", part.word())
        }
        MismatchKind::PartLost(field, part) => {
            write!(out, "`{field}` does not have `{part}` in its value")
        }
        MismatchKind::FieldChanged(field) => write!(out, "`{field}` does not have the expected value"),
        MismatchKind::Forbidden(field) => {
            write!(out, "the call carries `{field}`, which must not be sent")
        }
        MismatchKind::Version(version) => {
            write!(out, "the call carries a `traceparent` of version {version:02x}, expected 00")
        }
        other => unreachable!("{} is no mismatch of a field", other.word()),
    }
}

fn list_words(kind: &MismatchKind, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        MismatchKind::MemberLost(list, member) => {
            write!(out, "the `{list}` member `{member}` was dropped")
        }
        MismatchKind::MemberKept(list, member) => {
            write!(out, "the `{list}` member `{member}` was forwarded and must be dropped")
        }
        MismatchKind::MemberAltered(list, member) => {
            write!(out, "the `{list}` member `{member}` was changed")
        }
        MismatchKind::Reordered(list) => {
            write!(out, "the members of `{list}` were reordered or repeated")
        }
        MismatchKind::AddedBehind(list, member) => {
            write!(
                out,
                "the `{list}` member `{member}` was added after one that was sent; new members belong in front"
            )
        }
        MismatchKind::NotAdded(list, member) => {
            write!(out, "the `{list}` member `{member}` must be added once, and in its place")
        }
        MismatchKind::EntryLost(key, entry) => {
            write!(out, "the `tracestate` member `{key}` does not have the entry `{entry}`")
        }
        MismatchKind::EntryKept(key, entry) => {
            write!(out, "the `tracestate` member `{key}` has an entry `{entry}`, which it must not have")
        }
        MismatchKind::NotFirst(key) => {
            write!(out, "the `tracestate` member `{key}` was changed and does not stand first")
        }
        MismatchKind::TooMany(list, count) => {
            write!(out, "`{list}` has {count} members; the limit is 32")
        }
        other => unreachable!("{} is no mismatch of a list", other.word()),
    }
}

fn flag_words(flag: ContextFlag, expected: bool, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (flag, expected) {
        (ContextFlag::Undefined, _) => out.write_str("trace flags without a meaning are set"),
        (flag, true) => write!(out, "the {} flag is not set", flag.word()),
        (flag, false) => write!(out, "the {} flag is set", flag.word()),
    }
}

fn across_words(across: Across, seen: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    match across {
        Across::OneTraceARequest => write!(out, "the calls of one request are in several traces ({seen})"),
        Across::DistinctTraces => write!(out, "several requests are in one trace ({seen})"),
        Across::DistinctParents => write!(out, "a parent id was sent more than once ({seen})"),
        Across::OneDecision => write!(out, "the decision to sample differs for one trace id ({seen})"),
        Across::OneDecisionARequest => {
            write!(out, "the decision to sample differs between the calls of one request ({seen})")
        }
        Across::SampledShare => write!(out, "the share of sampled requests is not the ratio ({seen})"),
        Across::AsciiFields => write!(out, "a field has bytes that HTTP does not allow ({seen})"),
        Across::LowerCaseNames => write!(out, "a field name is not in lower case ({seen})"),
        Across::UniformTraceIds => {
            write!(out, "the random flag is set, but the trace ids do not look random ({seen})")
        }
    }
}
