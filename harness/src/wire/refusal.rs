//! Why bytes were refused: the reason in words, the clause that says so, and where the caret goes.

use std::fmt;
use std::ops::Range;

/// What a parser says of bytes that it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// Which of the field lines, from 0; a traceparent has one.
    pub line: usize,
    /// The bytes of that line to put a caret under; empty, and perhaps at the very end, where something is
    /// missing.
    pub at: Range<usize>,
}

impl Refusal {
    /// The rule of the standard in our words, and its link.
    pub fn clause(&self) -> &'static str {
        self.reason.clause()
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

    /// How many hex digits it has.
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
    /// Nothing there, or nothing but white space.
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
    /// Something stands behind the flags of version 00.
    TrailingData,

    MemberWithoutEquals,
    KeyEmpty,
    /// The key begins with a character that may only stand further on.
    KeyStart,
    KeyCharacter,
    KeyTooLong(usize),
    /// Level 1: the tenant before `@` has more than 241 characters.
    TenantTooLong(usize),
    /// Level 1: the system behind `@` has more than 14 characters.
    SystemTooLong(usize),
    /// Level 1: the system behind `@` is missing or begins with something other than a letter.
    SystemStart,
    ValueEmpty,
    ValueTooLong(usize),
    ValueCharacter,
    TooManyMembers(usize),

    /// Baggage has no room for members of nothing.
    BaggageMemberEmpty,
    BaggageWithoutEquals,
    BaggageKeyEmpty,
    BaggageKeyCharacter,
    BaggageValueCharacter,
    /// A `%` without two hex digits behind it.
    BaggageEscape,
    BaggagePropertyEmpty,
    BaggagePropertyCharacter,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Empty => out.write_str("the value is empty"),
            Reason::Missing(part) => write!(out, "the {} is missing", part.word()),
            Reason::Length(part, found) => {
                let due = part.digits();
                write!(out, "the {} has {found} characters and not {due}", part.word())
            }
            Reason::UpperCase(part) => write!(out, "the {} is written in upper-case hex", part.word()),
            Reason::NotHex(part) => write!(out, "the {} is not hex", part.word()),
            Reason::Zero(part) => write!(out, "the {} is all zero", part.word()),
            Reason::KeyTooLong(found) => write!(out, "the key has {found} characters, and 256 is the most"),
            Reason::TenantTooLong(found) => {
                write!(out, "the key has {found} characters before `@`, and 241 is the most at level 1")
            }
            Reason::SystemTooLong(found) => {
                write!(out, "the key has {found} characters behind `@`, and 14 is the most at level 1")
            }
            Reason::ValueTooLong(found) => {
                write!(out, "the value has {found} characters, and 256 is the most")
            }
            Reason::TooManyMembers(found) => write!(out, "the list has {found} members, and 32 is the most"),
            Reason::ForbiddenVersion => out.write_str("version `ff` is forbidden"),
            Reason::TrailingData => {
                out.write_str("something stands behind the trace flags, which version 00 has no room for")
            }
            Reason::MemberWithoutEquals | Reason::BaggageWithoutEquals => {
                out.write_str("the member has no `=`")
            }
            Reason::KeyEmpty | Reason::BaggageKeyEmpty => out.write_str("the member has no key"),
            Reason::KeyStart => out.write_str("the key begins with a character that no key begins with"),
            Reason::KeyCharacter | Reason::BaggageKeyCharacter => {
                out.write_str("the key has a character that keys have not")
            }
            Reason::SystemStart => out.write_str("the key has no letter behind `@`, as level 1 asks"),
            Reason::ValueEmpty => out.write_str("the member has no value"),
            Reason::ValueCharacter | Reason::BaggageValueCharacter => {
                out.write_str("the value has a character that values have not")
            }
            Reason::BaggageMemberEmpty => out.write_str("a member of the list is empty"),
            Reason::BaggageEscape => out.write_str("a `%` is not followed by two hex digits"),
            Reason::BaggagePropertyEmpty => out.write_str("a property is empty"),
            Reason::BaggagePropertyCharacter => {
                out.write_str("a property has a character that properties have not")
            }
        }
    }
}

impl Reason {
    pub fn clause(self) -> &'static str {
        match self {
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

const FORMAT: &str = "a traceparent of version 00 is version, trace id, parent id and flags with a `-` between, \
    55 characters and no more (https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values)";
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
const KEY: &str = "a tracestate key is at most 256 of a-z, 0-9, `_`, `-`, `*`, `/` and `@`, a letter or digit first; \
    level 1 has a narrower form (https://www.w3.org/TR/trace-context-2/#key)";
const VALUE: &str = "a tracestate value is 1 to 256 printable ASCII characters without `,` and `=`, not a space last \
    (https://www.w3.org/TR/trace-context-2/#value)";
const BAGGAGE: &str = "baggage is a list of members, each a key, `=`, a value and perhaps properties behind `;` \
    (https://www.w3.org/TR/baggage/#definition)";
const BAGGAGE_KEY: &str =
    "a baggage key is a token as RFC 9110 5.6.2 has it (https://www.w3.org/TR/baggage/#key)";
const BAGGAGE_VALUE: &str = "a baggage value is printable ASCII without space, `\"`, `,`, `;` and `\\`; all else, and \
    `%` itself, is percent-encoded (https://www.w3.org/TR/baggage/#value)";
const BAGGAGE_PROPERTY: &str = "a baggage property is a token, or a token, `=` and a value \
    (https://www.w3.org/TR/baggage/#property)";
