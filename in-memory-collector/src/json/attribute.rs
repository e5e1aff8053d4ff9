//! Reads one attribute in the shape that nearly all have on the wire: `{"key":"…","value":{"stringValue":"…"}}` without
//! white space, or with an integer or a bool for its value. Three quarters of a span's text are such.
//!
//! What looks different is no fault here: it is left to the reader that goes by the tables.

use super::short::{Plain, decimal, plain};
use crate::protobuf::{WireType, Writer, varint_width};

/// The wire type of what has its length before it.
const LENGTH: u8 = 2;

/// The number of messages that are nested in each other here: the attribute and its value.
pub const LEVELS: u32 = 2;

#[derive(Debug)]
pub struct Attribute<'a> {
    key: Plain<'a>,
    value: Value<'a>,
}

#[derive(Debug)]
enum Value<'a> {
    Text(Plain<'a>),
    Bool(bool),
    Integer(u64),
}

/// Parses the attribute that the text begins with, and the text after it.
#[inline]
pub fn attribute(text: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let text = text.strip_prefix(br#"{"key":""#)?;
    let key = plain(text);
    let text = text[key.length..].strip_prefix(br#"","value":{""#)?;
    let (value, text) = if let Some(text) = text.strip_prefix(br#"stringValue":""#) {
        let string = plain(text);
        (Value::Text(string), text[string.length..].strip_prefix(b"\"}}")?)
    } else if let Some(text) = text.strip_prefix(br#"intValue":"#) {
        integer(text)?
    } else {
        let text = text.strip_prefix(br#"boolValue":"#)?;
        match text.strip_prefix(b"true}}") {
            Some(text) => (Value::Bool(true), text),
            None => (Value::Bool(false), text.strip_prefix(b"false}}")?),
        }
    };
    Some((Attribute { key, value }, text))
}

/// Parses an integer with or without quotes, and the end of the value and the attribute.
fn integer(text: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (digits, end) = match text.strip_prefix(b"\"") {
        Some(digits) => (digits, &b"\"}}"[..]),
        None => (text, &b"}}"[..]),
    };
    let (number, length) = decimal(digits)?;
    i64::try_from(number).ok()?;
    Some((Value::Integer(number), digits[length..].strip_prefix(end)?))
}

/// The most bytes of a key or of a text that `write_short` takes, and what it may write.
const SHORT: usize = 48;
const ROOM: usize = 2 * SHORT + 12;

impl Attribute<'_> {
    /// Writes the attribute as the field `number`, which is below 16, of the message around it.
    #[inline]
    pub fn write(&self, number: u32, writer: &mut Writer) {
        if self.write_short(number, writer).is_none() {
            self.write_long(number, writer);
        }
    }

    /// Writes the attribute if all lengths take one byte each and enough text follows the key and the value: whole
    /// blocks are copied then, and the surplus is overwritten.
    #[inline]
    fn write_short(&self, number: u32, writer: &mut Writer) -> Option<()> {
        let key = self.key.rest.first_chunk::<SHORT>()?;
        let length = self.key.length;
        if length > SHORT {
            return None;
        }
        let out = writer.room::<ROOM>();
        out[4..4 + SHORT].copy_from_slice(key);
        let rest = out[4 + length..].first_chunk_mut::<{ SHORT + 4 }>()?;
        let value_size = match self.value {
            Value::Text(string) => {
                let text = string.rest.first_chunk::<SHORT>()?;
                if string.length > SHORT {
                    return None;
                }
                rest[4..].copy_from_slice(text);
                rest[2..4].copy_from_slice(&[LENGTH | 1 << 3, string.length as u8]);
                2 + string.length
            }
            Value::Bool(truth) => {
                rest[2..4].copy_from_slice(&[2 << 3, u8::from(truth)]);
                2
            }
            Value::Integer(number @ 0..0x80) => {
                rest[2..4].copy_from_slice(&[3 << 3, number as u8]);
                2
            }
            Value::Integer(number @ 0x80..0x4000) => {
                rest[2..5].copy_from_slice(&[3 << 3, number as u8 | 0x80, (number >> 7) as u8]);
                3
            }
            Value::Integer(_) => return None,
        };
        rest[..2].copy_from_slice(&[LENGTH | 2 << 3, value_size as u8]);
        let size = length + value_size + 4;
        out[..4].copy_from_slice(&[LENGTH | (number << 3) as u8, size as u8, LENGTH | 1 << 3, length as u8]);
        writer.advance(2 + size);
        Some(())
    }

    fn write_long(&self, number: u32, writer: &mut Writer) {
        let key_size = delimited_size(self.key.length);
        let value_size = match self.value {
            Value::Text(string) => delimited_size(string.length),
            Value::Bool(_) => 2,
            Value::Integer(number) => 1 + usize::from(varint_width(number)),
        };
        writer.key(number, WireType::Length);
        writer.varint((key_size + delimited_size(value_size)) as u64);
        writer.length_delimited_within(1, self.key.rest, self.key.length);
        writer.key(2, WireType::Length);
        writer.varint(value_size as u64);
        match self.value {
            Value::Text(string) => writer.length_delimited_within(1, string.rest, string.length),
            Value::Bool(truth) => {
                writer.key(2, WireType::Varint);
                writer.varint(u64::from(truth));
            }
            Value::Integer(number) => {
                writer.key(3, WireType::Varint);
                writer.varint(number);
            }
        }
    }
}

/// Returns the size of a field below 16 with so many bytes: its key, its length and its content.
#[inline]
fn delimited_size(length: usize) -> usize {
    1 + usize::from(varint_width(length as u64)) + length
}

#[cfg(test)]
mod tests {
    use super::super::read::read;
    use super::*;
    use crate::schema::RESOURCE;

    /// Returns the attribute alone, and as the table-driven reader parses it, which white space forces.
    fn both(text: &str) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let short = |follows: &str| {
            let text = format!("{text}{follows}");
            let (attribute, _) =
                attribute(text.as_bytes()).filter(|(_, after)| *after == follows.as_bytes())?;
            let mut writer = Writer::default();
            attribute.write(1, &mut writer);
            Some(writer.into_bytes())
        };
        let alone = short("");
        // In blocks, if it is short enough.
        assert_eq!(short(&" ".repeat(2 * SHORT)), alone, "{text}");
        let long = read(&RESOURCE, format!(r#"{{"attributes":[ {text}]}}"#).as_bytes());
        (alone, long.ok())
    }

    #[test]
    fn the_shapes_that_nearly_all_have_are_read_as_the_tables_read_them() {
        let long = "x".repeat(200);
        for value in [
            r#""stringValue":"""#,
            r#""stringValue":"ä""#,
            &format!(r#""stringValue":"{}""#, &long[..SHORT]),
            &format!(r#""stringValue":"{}""#, &long[..=SHORT]),
            &format!(r#""stringValue":"{long}""#),
            r#""intValue":0"#,
            r#""intValue":"127""#,
            r#""intValue":"128""#,
            r#""intValue":16383"#,
            r#""intValue":16384"#,
            r#""intValue":9223372036854775807"#,
            r#""boolValue":true"#,
            r#""boolValue":false"#,
        ] {
            for key in ["", "k", &long[..SHORT], &long[..=SHORT], &long] {
                let (short, long) = both(&format!(r#"{{"key":"{key}","value":{{{value}}}}}"#));
                assert_eq!(short, long, "{value}");
                assert!(short.is_some(), "{value}");
            }
        }
    }

    #[test]
    fn whatever_is_changed_in_them_the_tables_agree_or_are_asked() {
        let mut taken = 0;
        for text in [
            r#"{"key":"a","value":{"stringValue":"b"}}"#,
            r#"{"key":"a","value":{"intValue":"12"}}"#,
            r#"{"key":"a","value":{"intValue":12}}"#,
            r#"{"key":"a","value":{"boolValue":true}}"#,
        ] {
            for at in 0..text.len() {
                for other in
                    [r#"""#, r"\", "0", "9", ".", "e", "-", " ", "\n", "{", "}", ",", ":", "", "V", "ä"]
                {
                    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    let (short, long) = both(&changed);
                    taken += usize::from(short.is_some());
                    assert!(short.is_none() || short == long, "{changed}");
                }
            }
        }
        assert!(taken > 20, "{taken}");
    }
}
