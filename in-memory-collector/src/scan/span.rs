//! Validates spans and finds their ids and links. The hot path of the crate: one match per field, no allocation.

use super::attribute::key_value;
use super::envelope::{Batch, ITEM_DEPTH, expect, message, text, walk};
use super::validate::validate;
use crate::protobuf::{Malformed, Reader, WireType};
use crate::schema::{EVENT, STATUS};

/// Ids are bytes as exported, of any length.
#[derive(Clone, Copy, Debug)]
pub struct SpanFacts<'a> {
    /// The encoded span.
    pub bytes: &'a [u8],
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
    pub parent_id: &'a [u8],
    /// How many of the request's links, after those of the spans before it.
    pub links: u32,
    pub scope: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct LinkFacts<'a> {
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
}

/// Validates an `ExportTraceServiceRequest`; the second value is the links of all spans, in their order.
pub fn traces(body: &[u8]) -> Result<(Batch<'_, SpanFacts<'_>>, Vec<LinkFacts<'_>>), Malformed> {
    let mut links = Vec::new();
    let batch = walk(body, |bytes, scope| span(bytes, scope, &mut links));
    batch.map(|batch| (batch, links)).map_err(|malformed| malformed.relative_to(body))
}

fn span<'a>(bytes: &'a [u8], scope: u32, links: &mut Vec<LinkFacts<'a>>) -> Result<SpanFacts<'a>, Malformed> {
    let mut facts =
        SpanFacts { bytes, trace_id: &[], span_id: &[], parent_id: &[], links: links.len() as u32, scope };
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        match key.number {
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

fn link(bytes: &[u8]) -> Result<LinkFacts<'_>, Malformed> {
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
