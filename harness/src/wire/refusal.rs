//! The reason why a parser rejects bytes: in words, with the clause of the standard and the position of the caret.

use std::fmt;
use std::ops::Range;

use super::ContextReason;

/// The error of a parser that rejects bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// The name of the field, in lower case.
    pub field: &'static str,
    /// The index of the field line, from 0; a traceparent has one line.
    pub line: usize,
    /// The bytes of that line under which to put the caret; empty where something is missing, possibly at the end.
    pub at: Range<usize>,
}

impl Refusal {
    /// Returns the rule of the standard in our words, with its link.
    pub fn clause(&self) -> &'static str {
        self.reason.clause()
    }

    /// Returns whether the standard allows the bytes, though they name no span that could be a parent: a decision that
    /// travels alone, a trace id without a span id.
    pub fn is_legal_without_parent(&self) -> bool {
        if let Reason::Context(reason) = self.reason { reason.is_legal_without_parent() } else { false }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(out)
    }
}

impl std::error::Error for Refusal {}

/// A part of a traceparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceParentPart {
    Version,
    TraceId,
    ParentId,
    Flags,
}

impl TraceParentPart {
    pub fn word(self) -> &'static str {
        match self {
            TraceParentPart::Version => "version",
            TraceParentPart::TraceId => "trace id",
            TraceParentPart::ParentId => "parent id",
            TraceParentPart::Flags => "trace flags",
        }
    }

    /// Returns its number of hex digits.
    pub fn digits(self) -> usize {
        match self {
            TraceParentPart::Version | TraceParentPart::Flags => 2,
            TraceParentPart::TraceId => 32,
            TraceParentPart::ParentId => 16,
        }
    }

    fn clause(self) -> &'static str {
        match self {
            TraceParentPart::Version => VERSION,
            TraceParentPart::TraceId => TRACE_ID,
            TraceParentPart::ParentId => PARENT_ID,
            TraceParentPart::Flags => FLAGS,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The value is empty, or white space only.
    Empty,
    /// The value ends before this part.
    Missing(TraceParentPart),
    Length(TraceParentPart, usize),
    UpperCase(TraceParentPart),
    NotHex(TraceParentPart),
    /// All digits are zero.
    Zero(TraceParentPart),
    /// Version `ff`.
    ForbiddenVersion,
    /// Bytes follow the flags of version 00.
    TrailingData,

    MemberWithoutEquals,
    KeyEmpty,
    /// The key begins with a character that is allowed only after the first.
    KeyStart,
    KeyCharacter,
    KeyTooLong(usize),
    /// Level 1: the tenant before `@` has more than 241 characters.
    TenantTooLong(usize),
    /// Level 1: the system after `@` has more than 14 characters.
    SystemTooLong(usize),
    /// Level 1: the system after `@` is missing or does not begin with a letter.
    SystemStart,
    ValueEmpty,
    ValueTooLong(usize),
    ValueCharacter,
    TooManyMembers(usize),

    /// A list of baggage cannot have empty members.
    BaggageMemberEmpty,
    BaggageWithoutEquals,
    BaggageKeyEmpty,
    BaggageKeyCharacter,
    BaggageValueCharacter,
    /// A `%` that two hex digits do not follow.
    BaggageEscape,
    BaggagePropertyEmpty,
    BaggagePropertyCharacter,

    /// Of a format other than W3C Trace Context.
    Context(ContextReason),
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Context(reason) => reason.fmt(out),
            Reason::Empty => out.write_str("the value is empty"),
            Reason::Missing(part) => {
                let (word, plural) = (part.word(), part.word().ends_with('s'));
                write!(out, "the {word} {} missing", if plural { "are" } else { "is" })
            }
            Reason::Length(part, found) => {
                let due = part.digits();
                write!(out, "the {} has {found} characters, expected {due}", part.word())
            }
            Reason::UpperCase(part) => write!(out, "the {} has upper-case hex digits", part.word()),
            Reason::NotHex(part) => write!(out, "the {} is not hex", part.word()),
            Reason::Zero(part) => write!(out, "the {} is all zeros", part.word()),
            Reason::KeyTooLong(found) => write!(out, "the key has {found} characters, the maximum is 256"),
            Reason::TenantTooLong(found) => {
                write!(out, "the key has {found} characters before `@`, the maximum at level 1 is 241")
            }
            Reason::SystemTooLong(found) => {
                write!(out, "the key has {found} characters after `@`, the maximum at level 1 is 14")
            }
            Reason::ValueTooLong(found) => {
                write!(out, "the value has {found} characters, the maximum is 256")
            }
            Reason::TooManyMembers(found) => write!(out, "the list has {found} members, the maximum is 32"),
            Reason::ForbiddenVersion => out.write_str("version `ff` is forbidden"),
            Reason::TrailingData => {
                out.write_str("bytes follow the trace flags, which version 00 does not allow")
            }
            Reason::MemberWithoutEquals | Reason::BaggageWithoutEquals => {
                out.write_str("the member has no `=`")
            }
            Reason::KeyEmpty | Reason::BaggageKeyEmpty => out.write_str("the member has no key"),
            Reason::KeyStart => out.write_str("the key begins with a character that is not allowed there"),
            Reason::KeyCharacter | Reason::BaggageKeyCharacter => {
                out.write_str("the key has a character that is not allowed")
            }
            Reason::SystemStart => out.write_str("the key has no letter after `@`, which level 1 requires"),
            Reason::ValueEmpty => out.write_str("the member has no value"),
            Reason::ValueCharacter | Reason::BaggageValueCharacter => {
                out.write_str("the value has a character that is not allowed")
            }
            Reason::BaggageMemberEmpty => out.write_str("a member of the list is empty"),
            Reason::BaggageEscape => out.write_str("a `%` is not followed by two hex digits"),
            Reason::BaggagePropertyEmpty => out.write_str("a property is empty"),
            Reason::BaggagePropertyCharacter => {
                out.write_str("a property has a character that is not allowed")
            }
        }
    }
}

impl Reason {
    pub fn clause(self) -> &'static str {
        match self {
            Reason::Context(reason) => reason.clause(),
            Reason::Empty | Reason::Missing(_) | Reason::TrailingData => FORMAT,
            Reason::ForbiddenVersion => VERSION,
            Reason::Length(part, _) | Reason::UpperCase(part) | Reason::NotHex(part) | Reason::Zero(part) => {
                part.clause()
            }
            Reason::KeyEmpty
            | Reason::KeyStart
            | Reason::KeyCharacter
            | Reason::KeyTooLong(_)
            | Reason::TenantTooLong(_)
            | Reason::SystemTooLong(_)
            | Reason::SystemStart => KEY,
            Reason::ValueEmpty | Reason::ValueTooLong(_) | Reason::ValueCharacter => VALUE,
            Reason::MemberWithoutEquals | Reason::TooManyMembers(_) => LIST,
            Reason::BaggageMemberEmpty | Reason::BaggageWithoutEquals => BAGGAGE,
            Reason::BaggageKeyEmpty | Reason::BaggageKeyCharacter => BAGGAGE_KEY,
            Reason::BaggageValueCharacter | Reason::BaggageEscape => BAGGAGE_VALUE,
            Reason::BaggagePropertyEmpty | Reason::BaggagePropertyCharacter => BAGGAGE_PROPERTY,
        }
    }
}

const FORMAT: &str = "a traceparent of version 00 is version, trace id, parent id and flags, separated by `-`, \
    exactly 55 characters (https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values)";
const VERSION: &str = "the version is two lower-case hex digits, and `ff` is forbidden \
    (https://www.w3.org/TR/trace-context-2/#version)";
const TRACE_ID: &str = "the trace id is 32 lower-case hex digits, not all zero, or the header is ignored \
    (https://www.w3.org/TR/trace-context-2/#trace-id)";
const PARENT_ID: &str = "the parent id is 16 lower-case hex digits, not all zero, or the header is ignored \
    (https://www.w3.org/TR/trace-context-2/#parent-id)";
const FLAGS: &str = "the trace flags are two lower-case hex digits \
    (https://www.w3.org/TR/trace-context-2/#trace-flags)";
const LIST: &str = "tracestate is a list of at most 32 members, each a key, `=` and a value \
    (https://www.w3.org/TR/trace-context-2/#list)";
const KEY: &str = "a tracestate key has at most 256 of a-z, 0-9, `_`, `-`, `*`, `/` and `@`, and begins with a letter \
    or digit; level 1 is stricter (https://www.w3.org/TR/trace-context-2/#key)";
const VALUE: &str = "a tracestate value has 1 to 256 printable ASCII characters without `,` and `=`, and does not end with \
    a space \
    (https://www.w3.org/TR/trace-context-2/#value)";
const BAGGAGE: &str = "baggage is a list of members, each a key, `=` and a value, optionally followed by `;` and properties \
    (https://www.w3.org/TR/baggage/#definition)";
const BAGGAGE_KEY: &str = "a baggage key is a token (RFC 9110 5.6.2) (https://www.w3.org/TR/baggage/#key)";
const BAGGAGE_VALUE: &str = "a baggage value is printable ASCII without space, `\"`, `,`, `;` and `\\`; other bytes and \
    `%` itself are percent-encoded (https://www.w3.org/TR/baggage/#value)";
const BAGGAGE_PROPERTY: &str = "a baggage property is a token, or a token, `=` and a value \
    (https://www.w3.org/TR/baggage/#property)";
