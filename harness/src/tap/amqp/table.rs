//! A table of headers in the order of the wire, duplicates kept, with RabbitMQ's interpretation of the types.
//!
//! AMQP 0-9-1 section 4.2.5.5 and RabbitMQ's errata differ: `s` is a 16-bit integer, not a short string, and `l` and
//! `L` are both signed. Nested tables and arrays are kept as bytes.

use super::cursor::Cursor;
use crate::evidence::{Field, FieldKind};

const ENDS_EARLY: &str = "its table of headers ends in the middle of a value";
const UNKNOWN: &str = "its table of headers has a value of a type that RabbitMQ does not know";

#[derive(Clone, Copy, Debug)]
pub struct TableEntry<'a> {
    pub name: &'a [u8],
    pub value: TableValue<'a>,
}

/// The type and bytes of a value, without the length before them.
#[derive(Clone, Copy, Debug)]
pub struct TableValue<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
}

/// Parses the entries of a table, given without its length.
pub fn entries(table: &[u8]) -> Result<Vec<TableEntry<'_>>, &'static str> {
    let mut cursor = Cursor(table);
    let mut entries = Vec::new();
    while !cursor.is_empty() {
        let name = cursor.short_bytes().ok_or(ENDS_EARLY)?;
        entries.push(TableEntry { name, value: TableValue::read(&mut cursor)? });
    }
    Ok(entries)
}

/// Returns the first queue from which a message was dead-lettered (RabbitMQ, "Dead Letter Exchanges"): a header of
/// brokers since 3.7, else the last entry of `x-death`, which is the oldest.
pub fn first_death(entries: &[TableEntry<'_>]) -> Option<String> {
    let first = value(entries, b"x-first-death-queue", b'S').or_else(|| oldest_death(entries));
    first.map(|queue| String::from_utf8_lossy(queue).into_owned())
}

fn oldest_death<'a>(entries: &[TableEntry<'a>]) -> Option<&'a [u8]> {
    let mut array = Cursor(value(entries, b"x-death", b'A')?);
    let mut oldest = None;
    while !array.is_empty() {
        oldest = Some(TableValue::read(&mut array).ok()?);
    }
    let death = self::entries(oldest.filter(|death| death.kind == b'F')?.bytes).ok()?;
    death.iter().find(|entry| entry.name == b"queue").map(|entry| entry.value.bytes)
}

fn value<'a>(entries: &[TableEntry<'a>], name: &[u8], kind: u8) -> Option<&'a [u8]> {
    let found = entries.iter().find(|entry| entry.name == name && entry.value.kind == kind);
    found.map(|entry| entry.value.bytes)
}

impl TableEntry<'_> {
    pub fn field(&self) -> Field {
        let (kind, value) = self.value.read_as();
        Field { name: self.name.to_vec(), value: Some(value), kind }
    }
}

impl<'a> TableValue<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, &'static str> {
        let kind = cursor.octet().ok_or(ENDS_EARLY)?;
        let bytes = match kind {
            b'V' => Some(&[][..]),
            b't' | b'b' | b'B' => cursor.take(1),
            b's' | b'U' | b'u' => cursor.take(2),
            b'I' | b'i' | b'f' => cursor.take(4),
            b'D' => cursor.take(5),
            b'l' | b'L' | b'd' | b'T' => cursor.take(8),
            b'S' | b'x' | b'A' | b'F' => cursor.long_bytes(),
            _ => return Err(UNKNOWN),
        };
        Ok(TableValue { kind, bytes: bytes.ok_or(ENDS_EARLY)? })
    }

    fn read_as(&self) -> (FieldKind, Vec<u8>) {
        match self.kind {
            b'S' => (FieldKind::Text, self.bytes.to_vec()),
            b'x' => (FieldKind::Bytes, self.bytes.to_vec()),
            b'V' => (FieldKind::Null, Vec::new()),
            b't' => (FieldKind::Other, if self.bytes == [0] { b"false".to_vec() } else { b"true".to_vec() }),
            b'T' => (FieldKind::Other, self.unsigned().to_string().into_bytes()),
            _ => match self.number() {
                Some(text) => (FieldKind::Number, text.into_bytes()),
                None => (FieldKind::Other, self.bytes.to_vec()),
            },
        }
    }

    fn number(&self) -> Option<String> {
        match (self.kind, self.bytes) {
            (b'b', &[a]) => Some(i8::from_be_bytes([a]).to_string()),
            (b'B', &[a]) => Some(a.to_string()),
            (b's' | b'U', &[a, b]) => Some(i16::from_be_bytes([a, b]).to_string()),
            (b'u', &[a, b]) => Some(u16::from_be_bytes([a, b]).to_string()),
            (b'I', &[a, b, c, d]) => Some(i32::from_be_bytes([a, b, c, d]).to_string()),
            (b'i', &[_, _, _, _]) => Some(self.unsigned().to_string()),
            (b'l' | b'L', bytes) => Some(i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            (b'f', &[a, b, c, d]) => Some(f32::from_be_bytes([a, b, c, d]).to_string()),
            (b'd', bytes) => Some(f64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            _ => None,
        }
    }

    fn unsigned(&self) -> u64 {
        self.bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}
