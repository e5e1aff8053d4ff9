//! Validates a message by its table. The exact way, and the slow one: spans and attributes have shorter ways.

use crate::protobuf::reader::What;
use crate::protobuf::{Key, MalformedBytes, Reader, WireType, inner_depth, is_utf8};
use crate::schema::{Field, Kind, Message};

/// Validates a message; `depth` is the number of levels that may still be nested in it.
pub fn validate(message: &'static Message, bytes: &[u8], depth: u32) -> Result<(), MalformedBytes> {
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        let key = reader.key()?;
        match message.by_number(key.number) {
            Some(field) => validate_field(field, key, &mut reader, depth)?,
            None => reader.skip(key, depth)?,
        }
    }
    Ok(())
}

fn validate_field(
    field: &Field,
    key: Key,
    reader: &mut Reader<'_>,
    depth: u32,
) -> Result<(), MalformedBytes> {
    let wire = field.kind.wire();
    if key.wire == WireType::Length && field.repeated && wire != WireType::Length {
        let mut packed = Reader::new(reader.length_delimited()?);
        while !packed.is_at_end() {
            scalar(wire, &mut packed)?;
        }
        return Ok(());
    }
    if key.wire != wire {
        return Err(reader.fault(What::WrongWireType));
    }
    match field.kind {
        Kind::Message(inner) => {
            let left = inner_depth(depth, reader.rest())?;
            validate(inner, reader.length_delimited()?, left)
        }
        Kind::String => string(reader).map(drop),
        Kind::Bytes | Kind::Id => reader.length_delimited().map(drop),
        _ => scalar(wire, reader),
    }
}

fn scalar(wire: WireType, reader: &mut Reader<'_>) -> Result<(), MalformedBytes> {
    match wire {
        WireType::Fixed64 => reader.take(8).map(drop),
        WireType::Fixed32 => reader.take(4).map(drop),
        _ => reader.varint().map(drop),
    }
}

/// Reads a length and a string, as bytes that are known to be UTF-8.
#[inline]
pub fn string<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], MalformedBytes> {
    let bytes = reader.length_delimited()?;
    if is_utf8(bytes) { Ok(bytes) } else { Err(MalformedBytes::new(What::Utf8, bytes)) }
}

impl Kind {
    pub fn wire(self) -> WireType {
        match self {
            Kind::String | Kind::Bytes | Kind::Id | Kind::Message(_) => WireType::Length,
            Kind::Fixed32 => WireType::Fixed32,
            Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => WireType::Fixed64,
            _ => WireType::Varint,
        }
    }
}
