//! Walks what traces and logs have in common: resources, in them scopes, in them items.
//!
//! A singular message that comes more than once is merged, as protobuf demands: the encodings are joined.

use std::borrow::Cow;

use super::validate::{string, validate};
use crate::protobuf::reader::What;
use crate::protobuf::{Key, MalformedBytes, RECURSION_LIMIT, Reader, WireType};
use crate::schema::{RESOURCE, SCOPE};

/// The levels left inside a span or log record: request, resource group and scope group are around it.
pub const ITEM_DEPTH: u32 = RECURSION_LIMIT - 3;

/// One request, taken apart. Items name their scope by its index, scopes their resource.
#[derive(Debug, Default)]
pub struct Batch<'a, Item> {
    pub resources: Vec<Part<'a>>,
    pub scopes: Vec<ScopePart<'a>>,
    pub items: Vec<Item>,
}

/// An encoded `Resource` or `InstrumentationScope` and the schema URL that stands beside it.
#[derive(Debug, Default)]
pub struct Part<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub schema_url: &'a [u8],
}

#[derive(Debug)]
pub struct ScopePart<'a> {
    pub resource: u32,
    pub part: Part<'a>,
}

impl<'a> Part<'a> {
    fn merge(&mut self, more: &'a [u8]) {
        if self.bytes.is_empty() {
            self.bytes = Cow::Borrowed(more);
        } else {
            self.bytes.to_mut().extend_from_slice(more);
        }
    }
}

/// Validates a request; `item` validates one span or record and says what it found. Its first argument is the
/// batch as far as it is known, its last the index of the scope.
pub fn walk<'a, Item>(
    body: &'a [u8],
    mut item: impl FnMut(&'a [u8], u32) -> Result<Item, MalformedBytes>,
) -> Result<Batch<'a, Item>, MalformedBytes> {
    let mut batch = Batch { resources: Vec::new(), scopes: Vec::new(), items: Vec::new() };
    let mut reader = Reader::new(body);
    while !reader.is_at_end() {
        let key = reader.key()?;
        if key.number == 1 {
            resource_group(message(key, &mut reader)?, &mut batch, &mut item)?;
        } else {
            reader.skip(key, RECURSION_LIMIT)?;
        }
    }
    Ok(batch)
}

fn resource_group<'a, Item>(
    bytes: &'a [u8],
    batch: &mut Batch<'a, Item>,
    item: &mut impl FnMut(&'a [u8], u32) -> Result<Item, MalformedBytes>,
) -> Result<(), MalformedBytes> {
    let index = batch.resources.len() as u32;
    batch.resources.push(Part::default());
    let mut part = Part::default();
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        match key.number {
            1 => {
                let resource = message(key, &mut reader)?;
                validate(&RESOURCE, resource, RECURSION_LIMIT - 2)?;
                part.merge(resource);
            }
            2 => scope_group(message(key, &mut reader)?, index, batch, item)?,
            3 => part.schema_url = text(key, &mut reader)?,
            _ => reader.skip(key, RECURSION_LIMIT - 1)?,
        }
    }
    batch.resources[index as usize] = part;
    Ok(())
}

fn scope_group<'a, Item>(
    bytes: &'a [u8],
    resource: u32,
    batch: &mut Batch<'a, Item>,
    item: &mut impl FnMut(&'a [u8], u32) -> Result<Item, MalformedBytes>,
) -> Result<(), MalformedBytes> {
    let index = batch.scopes.len() as u32;
    batch.scopes.push(ScopePart { resource, part: Part::default() });
    let mut part = Part::default();
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        match key.number {
            1 => {
                let scope = message(key, &mut reader)?;
                validate(&SCOPE, scope, RECURSION_LIMIT - 3)?;
                part.merge(scope);
            }
            2 => batch.items.push(item(message(key, &mut reader)?, index)?),
            3 => part.schema_url = text(key, &mut reader)?,
            _ => reader.skip(key, RECURSION_LIMIT - 2)?,
        }
    }
    batch.scopes[index as usize].part = part;
    Ok(())
}

/// Returns the bytes of a message or of `bytes`.
#[inline]
pub fn message<'a>(key: Key, reader: &mut Reader<'a>) -> Result<&'a [u8], MalformedBytes> {
    expect(key, WireType::Length, reader)?;
    reader.length_delimited()
}

#[inline]
pub fn text<'a>(key: Key, reader: &mut Reader<'a>) -> Result<&'a [u8], MalformedBytes> {
    expect(key, WireType::Length, reader)?;
    string(reader)
}

#[inline]
pub fn expect(key: Key, wire: WireType, reader: &Reader<'_>) -> Result<(), MalformedBytes> {
    if key.wire == wire { Ok(()) } else { Err(reader.fault(What::WrongWireType)) }
}
