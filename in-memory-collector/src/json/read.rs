//! OTLP/JSON to OTLP protobuf, by the tables of `schema`.
//!
//! `null` means unset, except in a list, where ProtoJSON has no meaning for it. A member that comes twice is written
//! twice, so that the last one wins as it does in protobuf.

use super::base64;
use super::lexer::{Lexer, NESTING_LIMIT, Read, Unreadable};
use super::number;
use crate::protobuf::{WireType, Writer};
use crate::schema::{Field, Kind, Message};
use crate::telemetry::id::hex_digit;

/// Reads a whole message.
pub fn read(message: &'static Message, text: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let text = std::str::from_utf8(text).map_err(|fault| Unreadable {
        what: "text that is not UTF-8",
        key: String::new(),
        at: fault.valid_up_to(),
    })?;
    let mut reader = JsonReader { lexer: Lexer::new(text), writer: Writer::with_capacity(text.len() / 2) };
    reader.message(message, NESTING_LIMIT)?;
    reader.lexer.end()?;
    Ok(reader.writer.into_bytes())
}

struct JsonReader<'a> {
    lexer: Lexer<'a>,
    writer: Writer,
}

impl JsonReader<'_> {
    fn message(&mut self, message: &'static Message, depth: u32) -> Read<()> {
        self.lexer.expect(b'{', "no object")?;
        let Some(depth) = depth.checked_sub(1) else {
            return self.lexer.fault("more than 100 messages inside each other");
        };
        if self.lexer.eat(b'}') {
            return Ok(());
        }
        loop {
            let key = self.lexer.string()?;
            self.lexer.expect(b':', "no colon after a key")?;
            match message.by_json_name(&key) {
                None => self.lexer.skip(depth),
                Some(_) if self.lexer.peek() == Some(b'n') => self.null(),
                Some(field) if field.repeated => self.list(field, depth),
                Some(field) => self.value(field, depth),
            }
            .map_err(|fault| named(fault, message, &key))?;
            if !self.lexer.another(b'}')? {
                return Ok(());
            }
        }
    }

    fn null(&mut self) -> Read<()> {
        if self.lexer.literal("null") { Ok(()) } else { self.lexer.fault("no value") }
    }

    fn list(&mut self, field: &'static Field, depth: u32) -> Read<()> {
        self.lexer.expect(b'[', "no list")?;
        if self.lexer.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(field, depth)?;
            if !self.lexer.another(b']')? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, field: &'static Field, depth: u32) -> Read<()> {
        match field.kind {
            Kind::Message(inner) => {
                let begun = self.writer.begin(field.number);
                self.message(inner, depth)?;
                self.writer.end(begun);
            }
            Kind::String => {
                let string = self.lexer.string()?;
                self.writer.length_delimited(field.number, string.as_bytes());
            }
            Kind::Id => self.id(field.number)?,
            Kind::Bytes => {
                let string = self.lexer.string()?;
                match base64::decode(&string) {
                    Some(bytes) => self.writer.length_delimited(field.number, &bytes),
                    None => return self.lexer.fault("a string that is not base64"),
                }
            }
            Kind::Bool => {
                let truth = self.lexer.literal("true");
                if !truth && !self.lexer.literal("false") {
                    return self.lexer.fault("neither `true` nor `false`");
                }
                self.writer.key(field.number, WireType::Varint);
                self.writer.varint(u64::from(truth));
            }
            Kind::Double => {
                let bits = self.double()?.to_le_bytes();
                self.writer.key(field.number, WireType::Fixed64);
                self.writer.raw(&bits);
            }
            _ => self.integer(field)?,
        }
        Ok(())
    }

    fn id(&mut self, number: u32) -> Read<()> {
        let digits = self.lexer.string()?;
        if !digits.len().is_multiple_of(2) {
            return self.lexer.fault("an id with an odd number of digits");
        }
        let begun = self.writer.begin(number);
        for pair in digits.as_bytes().chunks_exact(2) {
            let (Some(high), Some(low)) = (hex_digit(pair[0]), hex_digit(pair[1])) else {
                return self.lexer.fault("an id that is not hexadecimal");
            };
            self.writer.push(high << 4 | low);
        }
        self.writer.end(begun);
        Ok(())
    }

    fn double(&mut self) -> Read<f64> {
        let number = if self.lexer.peek() == Some(b'"') {
            match &*self.lexer.string()? {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                text => number::double(text),
            }
        } else {
            number::double(self.lexer.number()?)
        };
        number.map_or_else(|| self.lexer.fault("a number that is not a double"), Ok)
    }

    fn integer(&mut self, field: &'static Field) -> Read<()> {
        let is_string = self.lexer.peek() == Some(b'"');
        if is_string && matches!(field.kind, Kind::Enum) {
            return self.lexer.fault("an enum that is not written as a number");
        }
        let value = if is_string {
            number::integer(&self.lexer.string()?)
        } else {
            number::integer(self.lexer.number()?)
        };
        let bits = value.and_then(|value| in_range(field.kind, value));
        let Some(bits) = bits else { return self.lexer.fault("a number that its field cannot hold") };
        let wire = field.kind.wire();
        self.writer.key(field.number, wire);
        match wire {
            WireType::Fixed32 => self.writer.raw(&(bits as u32).to_le_bytes()),
            WireType::Fixed64 => self.writer.raw(&bits.to_le_bytes()),
            _ => self.writer.varint(bits),
        }
        Ok(())
    }
}

/// The bits that go on the wire.
fn in_range(kind: Kind, value: i128) -> Option<u64> {
    match kind {
        Kind::Int32 | Kind::Enum => i32::try_from(value).ok().map(|value| i64::from(value) as u64),
        Kind::Sint32 => {
            i32::try_from(value).ok().map(|value| u64::from(((value << 1) ^ (value >> 31)) as u32))
        }
        Kind::Uint32 | Kind::Fixed32 => u32::try_from(value).ok().map(u64::from),
        Kind::Int64 | Kind::Sfixed64 => i64::try_from(value).ok().map(|value| value as u64),
        _ => u64::try_from(value).ok(),
    }
}

fn named(mut fault: Unreadable, message: &Message, key: &str) -> Unreadable {
    if fault.key.is_empty() {
        fault.key = format!("{}.{key}", message.name);
    }
    fault
}
