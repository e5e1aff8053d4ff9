//! Validates spans and finds their ids and links. The hot path of the crate: one match per field, no allocation.

use super::attribute::key_value;
use super::envelope::{Batch, ITEM_DEPTH, expect, message, text, walk};
use super::validate::validate;
use crate::protobuf::{MalformedBytes, Reader, WireType};
use crate::schema::{EVENT, STATUS};

/// Ids are bytes as exported, of any length.
#[derive(Clone, Copy, Debug)]
pub struct SpanFacts<'a> {
    /// The encoded span.
    pub bytes: &'a [u8],
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
    pub parent_id: &'a [u8],
    /// The number of the request's links, after those of the spans before it.
    pub links: u32,
    pub scope: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct LinkFacts<'a> {
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
}

/// The spans of a request, and the links of all of them in their order.
pub type Traces<'a> = (Batch<'a, SpanFacts<'a>>, Vec<LinkFacts<'a>>);

/// Validates an `ExportTraceServiceRequest`.
pub fn traces(body: &[u8]) -> Result<Traces<'_>, MalformedBytes> {
    walk_spans::<false>(body)
}

/// Scans JSON that our own writer encoded: attributes, events and texts are not checked a second time.
pub fn written_traces(body: &[u8]) -> Result<Traces<'_>, MalformedBytes> {
    debug_assert!(traces(body).is_ok(), "the JSON reader writes valid protobuf");
    walk_spans::<true>(body)
}

fn walk_spans<const OURS: bool>(body: &[u8]) -> Result<Traces<'_>, MalformedBytes> {
    let mut links = Vec::new();
    let batch = walk(body, |bytes, scope| span::<OURS>(bytes, scope, &mut links));
    batch.map(|batch| (batch, links)).map_err(|malformed| malformed.relative_to(body))
}

fn span<'a, const OURS: bool>(
    bytes: &'a [u8],
    scope: u32,
    links: &mut Vec<LinkFacts<'a>>,
) -> Result<SpanFacts<'a>, MalformedBytes> {
    let mut facts =
        SpanFacts { bytes, trace_id: &[], span_id: &[], parent_id: &[], links: links.len() as u32, scope };
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        if let Some((attribute, after)) = short_attribute(reader.rest()) {
            if !OURS {
                key_value(attribute, ITEM_DEPTH - 1)?;
            }
            reader = Reader::new(after);
            continue;
        }
        let key = reader.key()?;
        match key.number {
            3 | 5 | 9 | 11 | 15 if OURS => drop(message(key, &mut reader)?),
            9 => key_value(message(key, &mut reader)?, ITEM_DEPTH - 1)?,
            1 => facts.trace_id = message(key, &mut reader)?,
            2 => facts.span_id = message(key, &mut reader)?,
            4 => facts.parent_id = message(key, &mut reader)?,
            3 | 5 => drop(text(key, &mut reader)?),
            6 | 10 | 12 | 14 => {
                expect(key, WireType::Varint, &reader)?;
                reader.varint()?;
            }
            7 | 8 => {
                expect(key, WireType::Fixed64, &reader)?;
                reader.take(8)?;
            }
            16 => {
                expect(key, WireType::Fixed32, &reader)?;
                reader.take(4)?;
            }
            11 => validate(&EVENT, message(key, &mut reader)?, ITEM_DEPTH - 1)?,
            13 => links.push(link(message(key, &mut reader)?)?),
            15 => validate(&STATUS, message(key, &mut reader)?, ITEM_DEPTH - 1)?,
            _ => reader.skip(key, ITEM_DEPTH)?,
        }
    }
    facts.links = links.len() as u32 - facts.links;
    Ok(facts)
}

/// Returns an attribute of less than 128 bytes and what follows it, if the rest of a span begins with one.
#[inline]
fn short_attribute(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    const ATTRIBUTE: u8 = 9 << 3 | 2;
    match rest {
        [ATTRIBUTE, length @ 0..0x80, rest @ ..] => rest.split_at_checked(usize::from(*length)),
        _ => None,
    }
}

fn link(bytes: &[u8]) -> Result<LinkFacts<'_>, MalformedBytes> {
    let mut facts = LinkFacts { trace_id: &[], span_id: &[] };
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        match key.number {
            1 => facts.trace_id = message(key, &mut reader)?,
            2 => facts.span_id = message(key, &mut reader)?,
            3 => drop(text(key, &mut reader)?),
            4 => key_value(message(key, &mut reader)?, ITEM_DEPTH - 2)?,
            5 => {
                expect(key, WireType::Varint, &reader)?;
                reader.varint()?;
            }
            6 => {
                expect(key, WireType::Fixed32, &reader)?;
                reader.take(4)?;
            }
            _ => reader.skip(key, ITEM_DEPTH - 1)?,
        }
    }
    Ok(facts)
}
