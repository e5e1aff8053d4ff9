//! The propagation fields of one capture, read once: every value of every field, with the reason where one is
//! refused.

use std::collections::HashMap;
use std::sync::Arc;

use crate::evidence::{Capture, Field, FieldKind, Protocol};
use crate::wire::baggage::{Baggage, BaggageEntry, within_limits};
use crate::wire::tracestate::{RawMember, TraceState};
use crate::wire::{Format, Level, Refusal, TraceParent, trim_ows};

/// The propagation fields of one capture.
#[derive(Clone, Debug, Default)]
pub struct CarriedFields {
    /// Each `traceparent` line, in the order of the wire.
    pub traceparents: Vec<(Vec<u8>, Result<TraceParent, Refusal>)>,
    pub lists: Arc<Lists>,
    /// Lists of a message that stand there more than once with the same value.
    pub twice: Vec<ContextField>,
    /// Other formats that the fields' names show.
    pub others: Vec<Format>,
    /// Propagation fields of a message in a form that its readers do not take.
    pub misfits: Vec<(ContextField, Misfit)>,
}

/// A field of the context as W3C Trace Context and W3C Baggage name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContextField {
    TraceParent,
    TraceState,
    Baggage,
}

impl ContextField {
    pub const ALL: [ContextField; 3] =
        [ContextField::TraceParent, ContextField::TraceState, ContextField::Baggage];

    /// Returns its name in lower case, as it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ContextField::TraceParent => "traceparent",
            ContextField::TraceState => "tracestate",
            ContextField::Baggage => "baggage",
        }
    }
}

/// The reason for which the readers of a transport do not take a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Its key is written in another case, and keys of messages are compared byte for byte.
    Key(Vec<u8>),
    NotUtf8,
    /// SQS: a Binary attribute.
    BinaryAttribute,
    /// SQS: a Number attribute.
    NumberAttribute,
    /// AMQP: a byte array.
    ByteArray,
    /// AMQP: a number.
    Number,
    Null,
    NotText,
}

/// The two lists that go beside the context.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub tracestate_lines: Vec<Vec<u8>>,
    /// Shared with what is expected of the crossings after it.
    pub members: Arc<[RawMember]>,
    /// Strict reading of the list fails, or it is longer than what everybody must propagate.
    pub tracestate_open: bool,
    pub tracestate_refusal: Option<Refusal>,
    pub baggage_lines: Vec<Vec<u8>>,
    pub entries: Arc<[BaggageEntry]>,
    pub baggage_open: bool,
    pub baggage_refusal: Option<Refusal>,
}

impl Lists {
    pub fn read(tracestate_lines: Vec<Vec<u8>>, baggage_lines: Vec<Vec<u8>>) -> Lists {
        let members = TraceState::members_of(slices(&tracestate_lines));
        // At the level that allows more: what a node of level 1 may drop is decided where its list is judged.
        let strict = TraceState::parse(slices(&tracestate_lines), Level::Two);
        let doubled = strict.as_ref().is_ok_and(|list| list.duplicates().next().is_some());
        let bytes: usize = tracestate_lines.iter().map(|line| line.len() + 1).sum();
        let tracestate_open = strict.is_err() || doubled || bytes > TRACESTATE_BYTES + 1;
        let tracestate_refusal = TraceState::parse(slices(&tracestate_lines), Level::Two).err();
        let entries = Baggage::entries_of(slices(&baggage_lines));
        let strict = Baggage::parse(slices(&baggage_lines));
        let baggage_open =
            !baggage_lines.is_empty() && (strict.is_err() || !within_limits(slices(&baggage_lines)));
        let baggage_refusal = if baggage_lines.is_empty() { None } else { strict.err() };
        Lists {
            tracestate_lines,
            members: members.into(),
            tracestate_open,
            tracestate_refusal,
            baggage_lines,
            entries: entries.into(),
            baggage_open,
            baggage_refusal,
        }
    }
}

/// The bytes of a tracestate that everybody should propagate (W3C Trace Context, 3.3.1.5 of level 1).
const TRACESTATE_BYTES: usize = 512;

fn slices(lines: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    lines.iter().map(Vec::as_slice)
}

/// Lists that were read before: from hop to hop, and often from request to request, they are the same.
#[derive(Debug, Default)]
pub struct KnownLists(HashMap<ListLines, Arc<Lists>>);

/// Lines of tracestate and of baggage.
type ListLines = (Vec<Vec<u8>>, Vec<Vec<u8>>);

impl KnownLists {
    fn read(&mut self, tracestate: Vec<Vec<u8>>, baggage: Vec<Vec<u8>>) -> Arc<Lists> {
        let lines = (tracestate, baggage);
        if let Some(known) = self.0.get(&lines) {
            return known.clone();
        }
        let lists = Arc::new(Lists::read(lines.0.clone(), lines.1.clone()));
        self.0.insert(lines, lists.clone());
        lists
    }
}

impl CarriedFields {
    pub fn read(capture: &Capture, known: &mut KnownLists) -> CarriedFields {
        let mut traceparents = Vec::new();
        for line in lines(capture, ContextField::TraceParent) {
            let read = TraceParent::parse(&line, Level::Two);
            traceparents.push((line, read));
        }
        let names = capture.headers.iter().map(|field| field.name.as_slice());
        let others = Format::others_among(names);
        let mut twice = Vec::new();
        let [tracestate, baggage] = [ContextField::TraceState, ContextField::Baggage].map(|name| {
            let mut lines = lines(capture, name);
            // A header of a message is a single value: the same once more adds nothing to it.
            if capture.message.is_some() && lines.len() > 1 && is_one(&lines) {
                twice.push(name);
                lines.truncate(1);
            }
            lines
        });
        let lists = known.read(tracestate, baggage);
        let fields = capture.message.iter().flat_map(|_| &capture.headers);
        let misfits = fields.filter_map(|field| misfit(capture.protocol, field)).collect();
        CarriedFields { traceparents, lists, twice, others, misfits }
    }

    /// Returns every context that a reader may take; several where the field is doubled.
    pub fn contexts(&self) -> impl Iterator<Item = &TraceParent> + Clone {
        self.traceparents.iter().filter_map(|(_, read)| read.as_ref().ok())
    }

    pub fn first(&self) -> Option<&TraceParent> {
        self.contexts().next()
    }

    /// Returns the context, where there is exactly one, identical lines counted once.
    pub fn context(&self) -> Option<&TraceParent> {
        let first = self.traceparents.first()?;
        let one = self.traceparents.iter().all(|line| line.0 == first.0);
        if one && !self.is_uncertain() { first.1.as_ref().ok() } else { None }
    }

    /// Returns the fields with a single value that have it more than once.
    pub fn twice(&self) -> impl Iterator<Item = ContextField> {
        let context = (self.traceparents.len() > 1 && !self.differs()).then_some(ContextField::TraceParent);
        context.into_iter().chain(self.twice.iter().copied())
    }

    /// Returns whether some readers take the `traceparent` and others do not.
    pub fn is_uncertain(&self) -> bool {
        self.misfits.iter().any(|(field, _)| *field == ContextField::TraceParent)
    }

    /// Returns whether there are several `traceparent` lines that differ.
    pub fn differs(&self) -> bool {
        self.traceparents.windows(2).any(|two| two[0].0 != two[1].0)
    }
}

/// Returns the values of a field without the white space around them.
fn lines(capture: &Capture, field: ContextField) -> Vec<Vec<u8>> {
    capture.values(field.name()).map(|value| trim_ows(value).to_vec()).collect()
}

fn is_one(lines: &[Vec<u8>]) -> bool {
    lines.windows(2).all(|two| two[0] == two[1])
}

/// Returns what the readers of a transport do not take: keys of messages are bytes, so upper case is another key;
/// values are text (Kafka: UTF-8; AMQP: long strings; SQS: String attributes).
fn misfit(protocol: Protocol, field: &Field) -> Option<(ContextField, Misfit)> {
    let known = ContextField::ALL.into_iter();
    let name = known.into_iter().find(|name| name.name().as_bytes().eq_ignore_ascii_case(&field.name))?;
    if field.name != name.name().as_bytes() {
        return Some((name, Misfit::Key(field.name.clone())));
    }
    let misfit = match (field.kind, protocol) {
        (FieldKind::Text | FieldKind::System, _) => match &field.value {
            Some(value) if std::str::from_utf8(value).is_err() => Misfit::NotUtf8,
            Some(_) | None => return None,
        },
        (FieldKind::Bytes, Protocol::Sqs) => Misfit::BinaryAttribute,
        (FieldKind::Number, Protocol::Sqs) => Misfit::NumberAttribute,
        (FieldKind::Bytes, _) => Misfit::ByteArray,
        (FieldKind::Number, _) => Misfit::Number,
        (FieldKind::Null, _) => Misfit::Null,
        (FieldKind::Other, _) => Misfit::NotText,
    };
    Some((name, misfit))
}
