//! The propagation fields of one capture, read once: every value of every field, with the reason where one is
//! refused.

use std::collections::HashMap;
use std::sync::Arc;

use super::CarriedContext;
use crate::evidence::{Capture, Field, FieldKind, Protocol};
use crate::wire::baggage::{Baggage, BaggageEntry, within_limits};
use crate::wire::tracestate::{RawMember, TraceState};
use crate::wire::{Carrier, Format, Level, Refusal, TraceId, TraceParent, trim_ows};

/// The propagation fields of one capture.
#[derive(Clone, Debug, Default)]
pub struct CarriedFields {
    /// The format that the hop declares first: what is judged is read in it.
    pub format: Format,
    /// Each context of that format, in the order of the wire: its bytes, of several fields one after the other.
    pub copies: Vec<(Vec<u8>, Result<CarriedContext, Refusal>)>,
    /// The further formats that the hop declares, with what they carry.
    pub further: Vec<(Format, Result<Option<CarriedContext>, Refusal>)>,
    pub lists: Arc<Lists>,
    /// Lists of a message that stand there more than once with the same value.
    pub twice: Vec<ContextField>,
    /// Other formats that the fields' names show.
    pub others: Vec<Format>,
    /// The trace of the headers, where the body carries the context and they carry one too.
    pub beside_body: Option<TraceId>,
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

    /// Returns its name where the context is in this format: that of the field with the trace id.
    pub fn name_in(self, format: Format) -> &'static str {
        match self {
            ContextField::TraceParent => format.first_field(),
            ContextField::TraceState | ContextField::Baggage => self.name(),
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
    /// Reads a capture of a hop that declares these formats; there is always one.
    pub fn read(capture: &Capture, formats: &[Format], known: &mut KnownLists) -> CarriedFields {
        let (format, further) = match formats {
            [first, further @ ..] => (*first, further),
            [] => (Format::TraceContext, formats),
        };
        let copies = copies(capture, format);
        let further = further.iter().map(|format| (*format, context_in(capture, *format))).collect();
        let names = capture.context_fields().map(|field| field.name.as_slice());
        let mut others = Format::among(names);
        others.retain(|other| *other != format);
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
        let fields = capture.message.iter().flat_map(|_| capture.context_fields());
        let mut misfits: Vec<_> = fields.filter_map(|field| misfit(capture.protocol, field)).collect();
        if format != Format::TraceContext {
            misfits.retain(|(field, _)| *field == ContextField::Baggage);
        }
        let beside_body = beside_body(capture);
        CarriedFields { format, copies, further, lists, twice, others, beside_body, misfits }
    }

    /// Returns every context that a reader may take; several where the field is doubled.
    pub fn contexts(&self) -> impl Iterator<Item = &CarriedContext> + Clone {
        self.copies.iter().filter_map(|(_, read)| read.as_ref().ok())
    }

    pub fn first(&self) -> Option<&CarriedContext> {
        self.contexts().next()
    }

    /// Returns the context, where there is exactly one, identical lines counted once.
    pub fn context(&self) -> Option<&CarriedContext> {
        let first = self.copies.first()?;
        let one = self.copies.iter().all(|line| line.0 == first.0);
        if one && !self.is_uncertain() { first.1.as_ref().ok() } else { None }
    }

    /// Returns the fields with a single value that have it more than once.
    pub fn twice(&self) -> impl Iterator<Item = ContextField> {
        let context = (self.copies.len() > 1 && !self.differs()).then_some(ContextField::TraceParent);
        context.into_iter().chain(self.twice.iter().copied())
    }

    /// Returns whether some readers take the context and others do not.
    pub fn is_uncertain(&self) -> bool {
        self.misfits.iter().any(|(field, _)| *field == ContextField::TraceParent)
    }

    /// Returns whether there are several contexts that differ.
    pub fn differs(&self) -> bool {
        self.copies.windows(2).any(|two| two[0].0 != two[1].0)
    }
}

/// Returns each context of a format with its bytes.
fn copies(capture: &Capture, format: Format) -> Vec<(Vec<u8>, Result<CarriedContext, Refusal>)> {
    if format == Format::TraceContext {
        let mut copies = Vec::new();
        for line in lines(capture, ContextField::TraceParent) {
            let read = TraceParent::parse(&line, Level::Two).map(|parsed| CarriedContext::from(&parsed));
            copies.push((line, read));
        }
        return copies;
    }
    let carrier = carrier(capture);
    let mut copies = Vec::new();
    for (number, read) in format.extract_all(&carrier).into_iter().enumerate() {
        let context = read.map(|remote| CarriedContext::in_format(&remote, format));
        copies.push((shown(&carrier, format, number), context));
    }
    copies
}

/// Returns the trace of a `traceparent` header on a hop whose body carries the context.
fn beside_body(capture: &Capture) -> Option<TraceId> {
    let mut beside = capture.headers.iter().filter(|field| field.kind == FieldKind::BesideBody);
    let header = beside.find(|field| field.name.eq_ignore_ascii_case(b"traceparent"))?;
    let context = TraceParent::parse(trim_ows(header.value.as_deref()?), Level::Two).ok()?;
    Some(context.trace_id)
}

fn context_in(capture: &Capture, format: Format) -> Result<Option<CarriedContext>, Refusal> {
    let read = format.extract(&carrier(capture))?;
    Ok(read.map(|remote| CarriedContext::in_format(&remote, format)))
}

fn carrier(capture: &Capture) -> Carrier<'_> {
    let fields = capture.context_fields();
    Carrier::new(fields.filter_map(|field| Some((field.name.as_slice(), field.value.as_deref()?))))
}

/// Returns the value of a format's first field, and behind it its other fields with their names.
fn shown(carrier: &Carrier<'_>, format: Format, number: usize) -> Vec<u8> {
    let mut shown = Vec::new();
    for name in format.fields() {
        let Some(value) = carrier.value(name, number) else { continue };
        if !shown.is_empty() {
            shown.extend_from_slice(b"; ");
        }
        if *name != format.first_field() {
            shown.extend_from_slice(name.as_bytes());
            shown.extend_from_slice(b": ");
        }
        shown.extend_from_slice(value);
    }
    shown
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
        (FieldKind::Text | FieldKind::System | FieldKind::Json, _) => match &field.value {
            Some(value) if std::str::from_utf8(value).is_err() => Misfit::NotUtf8,
            Some(_) | None => return None,
        },
        (FieldKind::Bytes, Protocol::Sqs) => Misfit::BinaryAttribute,
        (FieldKind::Number, Protocol::Sqs) => Misfit::NumberAttribute,
        (FieldKind::Bytes, _) => Misfit::ByteArray,
        (FieldKind::Number, _) => Misfit::Number,
        (FieldKind::Null, _) => Misfit::Null,
        (FieldKind::Other | FieldKind::BesideBody, _) => Misfit::NotText,
    };
    Some((name, misfit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{CaptureEnd, CaptureMark};
    use crate::plan::TapIx;
    use crate::wire::Decision;

    fn capture(headers: &[(&str, &str)]) -> Capture {
        Capture {
            tap: TapIx(0),
            protocol: Protocol::Http1,
            connection: 0,
            stream: 0,
            begun_nanos: 0,
            ended_nanos: None,
            method: "GET".into(),
            path: "/".into(),
            headers: headers.iter().map(|(name, value)| Field::text(*name, *value)).collect(),
            trailers: Vec::new(),
            marked: CaptureMark::Absent,
            further_marks: Vec::new(),
            end: CaptureEnd::Open,
            message: None,
        }
    }

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn the_first_format_is_judged_and_the_further_ones_are_compared_with_it() {
        let b3 = format!("{TRACE}-{SPAN}-d");
        let seen = capture(&[("b3", &b3), ("X-Amzn-Trace-Id", "Root=1"), ("tracestate", "a=1")]);
        let formats = [Format::B3Single, Format::TraceContext, Format::XRay];
        let carried = CarriedFields::read(&seen, &formats, &mut KnownLists::default());
        let context = carried.context().unwrap();
        assert_eq!(
            (context.decision, context.debug(), context.random()),
            (Decision::Debug, Some(true), None)
        );
        assert!(context.flags.sampled() && !context.is_unsampled());
        assert_eq!(carried.further[0], (Format::TraceContext, Ok(None)));
        assert!(carried.further[1].1.is_err());
        assert_eq!(carried.others, [Format::TraceContext, Format::XRay]);
    }

    #[test]
    fn a_context_of_several_fields_is_shown_whole_and_each_copy_is_read() {
        let seen =
            capture(&[("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("x-b3-spanid", "1111111111111111")]);
        let carried = CarriedFields::read(&seen, &[Format::B3Multi], &mut KnownLists::default());
        let shown: Vec<_> = carried.copies.iter().map(|(bytes, _)| String::from_utf8_lossy(bytes)).collect();
        assert_eq!(
            shown,
            [format!("{TRACE}; x-b3-spanid: {SPAN}"), format!("{TRACE}; x-b3-spanid: 1111111111111111")]
        );
        assert!(carried.differs() && carried.context().is_none());
        assert_eq!(
            carried.contexts().map(|context| context.decision).collect::<Vec<_>>(),
            [Decision::Deferred; 2]
        );
    }

    #[test]
    fn a_hop_that_declares_nothing_is_read_as_w3c_trace_context() {
        let parent = format!("00-{TRACE}-{SPAN}-03");
        let seen = capture(&[("b3", "1"), ("traceparent", &parent)]);
        for formats in [&[][..], &[Format::TraceContext]] {
            let carried = CarriedFields::read(&seen, formats, &mut KnownLists::default());
            assert_eq!(carried.context().unwrap().random(), Some(true));
            assert_eq!(carried.others, [Format::B3Single]);
        }
    }
}
