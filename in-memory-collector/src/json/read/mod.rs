//! OTLP/JSON to OTLP protobuf, by the tables of `schema`.
//!
//! `null` means unset, except in a list, where ProtoJSON has no meaning for it. A member that comes twice is written
//! twice, so that the last one wins as it does in protobuf.

use super::attribute;
use super::base64;
use super::lexer::{Lexer, NESTING_LIMIT, Read, Unreadable};
use super::number;
use super::short::bytes_of_hex;
use crate::protobuf::{WireType, Writer, varint_width};
use crate::schema::{Field, KEY_VALUE, Kind, Message};

/// Reads a whole message.
pub fn read(message: &'static Message, text: &[u8]) -> Read<Vec<u8>> {
    let writer = Writer::with_capacity(text.len() / 2);
    let mut reader = JsonReader { lexer: Lexer::new(text), writer, widths: [0; 128] };
    reader.message(message, NESTING_LIMIT)?;
    reader.lexer.end()?;
    Ok(reader.writer.into_bytes())
}

const NO_COLON: &str = "no colon after a key";
const NO_HEX: &str = "an id that is not hexadecimal";

struct JsonReader<'a> {
    lexer: Lexer<'a>,
    writer: Writer,
    /// The number of bytes that the length of the last message took, by field and depth, which predicts the next. Two
    /// may share a place, since a wrong guess costs a move and nothing else.
    widths: [u8; 128],
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
        let mut likely = 0;
        loop {
            match self.lexer.short_key(message, likely) {
                Some(index) => {
                    likely = index + 1;
                    let field = &message.fields[index];
                    self.member(field, depth).map_err(|fault| named(fault, message, field.json.text))?;
                }
                None => {
                    let key = self.lexer.string()?;
                    self.lexer.expect(b':', NO_COLON)?;
                    match message.by_json_name(&key) {
                        Some(field) => self.member(field, depth),
                        None => self.lexer.skip(depth),
                    }
                    .map_err(|fault| named(fault, message, &key))?;
                }
            }
            if !self.lexer.another(b'}')? {
                return Ok(());
            }
        }
    }

    #[inline]
    fn member(&mut self, field: &'static Field, depth: u32) -> Read<()> {
        if self.lexer.peek() == Some(b'n') {
            self.null()
        } else if field.repeated {
            self.list(field, depth)
        } else {
            self.value(field, depth)
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
        // Those are numbered below 16 wherever they are.
        let attributes = depth >= attribute::LEVELS
            && field.number < 16
            && matches!(field.kind, Kind::Message(inner) if std::ptr::eq(inner, &KEY_VALUE));
        loop {
            match attributes.then(|| self.lexer.short_attribute()).flatten() {
                Some(attribute) => attribute.write(field.number, &mut self.writer),
                None => self.value(field, depth)?,
            }
            if !self.lexer.another(b']')? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, field: &'static Field, depth: u32) -> Read<()> {
        match field.kind {
            Kind::Message(inner) => self.inner_message(field.number, inner, depth)?,
            Kind::String => match self.lexer.short_string() {
                Some(plain) => self.writer.length_delimited_within(field.number, plain.rest, plain.length),
                None => {
                    let string = self.lexer.string()?;
                    self.writer.length_delimited(field.number, string.as_bytes());
                }
            },
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

    fn inner_message(&mut self, number: u32, message: &'static Message, depth: u32) -> Read<()> {
        let place = (depth as usize * 16 + number as usize) % self.widths.len();
        let width = match self.widths[place] {
            // Of JSON like this, three sevenths are left in protobuf.
            0 => varint_width(self.lexer.left() as u64 * 3 / 7),
            width => width,
        };
        let begun = self.writer.begin_wide(number, width);
        self.message(message, depth)?;
        self.widths[place] = self.writer.end(begun);
        Ok(())
    }

    fn id(&mut self, number: u32) -> Read<()> {
        match self.lexer.short_string() {
            Some(plain) => self.hexadecimal(number, plain.bytes()),
            None => {
                let digits = self.lexer.string()?;
                self.hexadecimal(number, digits.as_bytes())
            }
        }
    }

    fn hexadecimal(&mut self, number: u32, digits: &[u8]) -> Read<()> {
        if !digits.len().is_multiple_of(2) {
            return self.lexer.fault("an id with an odd number of digits");
        }
        self.writer.key(number, WireType::Length);
        self.writer.varint(digits.len() as u64 / 2);
        let (eights, rest) = digits.as_chunks::<8>();
        for eight in eights {
            let Some(bytes) = bytes_of_hex(*eight) else { return self.lexer.fault(NO_HEX) };
            *self.writer.room() = bytes;
            self.writer.advance(bytes.len());
        }
        if rest.is_empty() {
            return Ok(());
        }
        let mut eight = [b'0'; 8];
        eight[..rest.len()].copy_from_slice(rest);
        let Some(bytes) = bytes_of_hex(eight) else { return self.lexer.fault(NO_HEX) };
        self.writer.raw(&bytes[..rest.len() / 2]);
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
        let bits = match self.lexer.short_integer() {
            // Every kind holds these, and all but one put them on the wire as they are.
            Some(value @ 0..=0x7fff_ffff) if !matches!(field.kind, Kind::Sint32) => Some(value),
            Some(value) => in_range(field.kind, i128::from(value)),
            None if is_string => in_range_of_text(field.kind, &self.lexer.string()?),
            None => in_range_of_text(field.kind, self.lexer.number()?),
        };
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

fn in_range_of_text(kind: Kind, text: &str) -> Option<u64> {
    number::integer(text).and_then(|value| in_range(kind, value))
}

/// Returns the bits that go on the wire.
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

#[cold]
fn named(mut fault: Box<Unreadable>, message: &Message, key: &str) -> Box<Unreadable> {
    if fault.key.is_empty() {
        fault.key = format!("{}.{key}", message.name);
    }
    fault
}

#[cfg(test)]
mod tests;
