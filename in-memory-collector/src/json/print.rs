//! OTLP protobuf to OTLP/JSON, by the tables of `schema`: ids hexadecimal, 64-bit integers as strings, enums numbers.
//!
//! Singular fields that come twice in the encoding are printed once: the last scalar, the merged message.

use super::base64;
use crate::protobuf::{RECURSION_LIMIT, Reader, WireType};
use crate::schema::{Field, Kind, Message};
use crate::telemetry::id::hex;

/// Prints a valid message.
pub fn print(message: &'static Message, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    print_message(message, bytes, &mut out);
    out
}

fn print_message(message: &'static Message, bytes: &[u8], out: &mut String) {
    out.push('{');
    let mut first = true;
    for field in message.fields {
        let values = values(field, bytes);
        if values.is_empty() {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push('"');
        out.push_str(field.json.text);
        out.push_str("\":");
        if field.repeated {
            print_list(field, &values, out);
        } else {
            print_singular(field, &values, out);
        }
    }
    out.push('}');
}

fn print_list(field: &Field, values: &[Raw<'_>], out: &mut String) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        print_value(field.kind, *value, out);
    }
    out.push(']');
}

fn print_singular(field: &Field, values: &[Raw<'_>], out: &mut String) {
    let last = values[values.len() - 1];
    if values.len() == 1 || !matches!(field.kind, Kind::Message(_)) {
        return print_value(field.kind, last, out);
    }
    let merged: Vec<u8> = values.iter().flat_map(|value| value.bytes()).copied().collect();
    print_value(field.kind, Raw::Bytes(&merged), out);
}

#[derive(Clone, Copy)]
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Raw<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Raw::Bytes(bytes) => bytes,
            Raw::Number(_) => &[],
        }
    }

    fn number(self) -> u64 {
        match self {
            Raw::Number(number) => number,
            Raw::Bytes(_) => 0,
        }
    }
}

/// Returns all values of a field, in their order.
fn values<'a>(field: &Field, bytes: &'a [u8]) -> Vec<Raw<'a>> {
    let mut values = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Ok(key) = reader.key() {
        if key.number != field.number {
            if reader.skip(key, RECURSION_LIMIT).is_err() {
                break;
            }
        } else if key.wire == WireType::Length && field.kind.wire() != WireType::Length {
            let mut packed = Reader::new(reader.length_delimited().unwrap_or_default());
            while let Some(value) = raw(field.kind.wire(), &mut packed) {
                values.push(value);
            }
        } else if let Some(value) = raw(key.wire, &mut reader) {
            values.push(value);
        }
    }
    values
}

fn raw<'a>(wire: WireType, reader: &mut Reader<'a>) -> Option<Raw<'a>> {
    match wire {
        WireType::Varint => reader.varint().ok().map(Raw::Number),
        WireType::Fixed64 => reader.fixed64().ok().map(Raw::Number),
        WireType::Fixed32 => reader.fixed32().ok().map(|number| Raw::Number(u64::from(number))),
        _ => reader.length_delimited().ok().map(Raw::Bytes),
    }
}

fn print_value(kind: Kind, value: Raw<'_>, out: &mut String) {
    let number = value.number();
    match kind {
        Kind::Message(inner) => print_message(inner, value.bytes(), out),
        Kind::String => quote(&String::from_utf8_lossy(value.bytes()), out),
        Kind::Id => quote(&hex(value.bytes()), out),
        Kind::Bytes => quote(&base64::encode(value.bytes(), true), out),
        Kind::Bool => out.push_str(if number != 0 { "true" } else { "false" }),
        Kind::Int32 | Kind::Enum => out.push_str(&(number as i32).to_string()),
        Kind::Sint32 => {
            let number = number as u32;
            out.push_str(&((number >> 1) as i32 ^ -((number & 1) as i32)).to_string());
        }
        Kind::Uint32 | Kind::Fixed32 => out.push_str(&(number as u32).to_string()),
        Kind::Int64 | Kind::Sfixed64 => quote(&(number as i64).to_string(), out),
        Kind::Uint64 | Kind::Fixed64 => quote(&number.to_string(), out),
        Kind::Double => print_double(f64::from_bits(number), out),
    }
}

fn print_double(number: f64, out: &mut String) {
    if number.is_nan() {
        out.push_str("\"NaN\"");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        out.push_str(&format!("{number:?}"));
    }
}

/// Appends a JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..'\u{20}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}
