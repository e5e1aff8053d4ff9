//! Attributes and their values, all of them and in their order: a key that comes twice is kept twice.
//!
//! Clause: `common.proto`. Since OTLP 1.9 any value may be an attribute's, also an empty one and nested ones; what a
//! repeated key means is left open there, so it is shown here (`Attributes::repeated_keys`).

use crate::protobuf::{RECURSION_LIMIT, Reader};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The exporter set none of the variants.
    Empty,
    String(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Array(Vec<Value>),
    Map(Attributes),
    Bytes(Vec<u8>),
    /// An index into the string table of a profile; has no meaning in other signals.
    StringIndex(i32),
}

impl Value {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Value)>);

impl Attributes {
    /// Returns the value of the first attribute with this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Returns the first attribute with this key, if it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys that come more than once, each named once.
    pub fn repeated_keys(&self) -> Vec<&str> {
        let mut repeated = Vec::new();
        for (index, (key, _)) in self.0.iter().enumerate() {
            let earlier = self.0[..index].iter().filter(|(other, _)| other == key).count();
            if earlier == 1 {
                repeated.push(key.as_str());
            }
        }
        repeated
    }

    /// Decodes the fields `number` of a valid message, each of which is a `KeyValue`.
    pub(crate) fn decode(message: &[u8], number: u32) -> Self {
        Self(fields(message, number).map(key_value).collect())
    }
}

/// Returns the payloads of the length-delimited fields `number` of a valid message.
pub(crate) fn fields(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(message);
    std::iter::from_fn(move || {
        while let Ok(key) = reader.key() {
            if key.number == number {
                return reader.length_delimited().ok();
            }
            reader.skip(key, RECURSION_LIMIT).ok()?;
        }
        None
    })
}

/// Returns the text of a valid message.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key_value(bytes: &[u8]) -> (String, Value) {
    let key = fields(bytes, 1).last().map(text).unwrap_or_default();
    let mut parts = fields(bytes, 2);
    let value = match (parts.next(), parts.next()) {
        (None, _) => Value::Empty,
        (Some(only), None) => value(only),
        (Some(first), Some(second)) => {
            let merged: Vec<u8> = [first, second].into_iter().chain(parts).flatten().copied().collect();
            value(&merged)
        }
    };
    (key, value)
}

/// Decodes a valid `AnyValue`. The last variant wins; a list that comes again is continued.
pub(crate) fn value(bytes: &[u8]) -> Value {
    let mut value = Value::Empty;
    let mut reader = Reader::new(bytes);
    while let Ok(key) = reader.key() {
        let next = match key.number {
            1 => reader.length_delimited().map(|bytes| Value::String(text(bytes))),
            2 => reader.varint().map(|number| Value::Bool(number != 0)),
            3 => reader.varint().map(|number| Value::Int(number as i64)),
            4 => reader.fixed64().map(|bits| Value::Double(f64::from_bits(bits))),
            5 => reader.length_delimited().map(|list| array(value_of(&mut value), list)),
            6 => reader.length_delimited().map(|list| map(value_of(&mut value), list)),
            7 => reader.length_delimited().map(|bytes| Value::Bytes(bytes.to_vec())),
            8 => reader.varint().map(|number| Value::StringIndex(number as i32)),
            _ => match reader.skip(key, RECURSION_LIMIT) {
                Ok(()) => continue,
                Err(malformed) => Err(malformed),
            },
        };
        match next {
            Ok(next) => value = next,
            Err(_) => break,
        }
    }
    value
}

fn value_of(value: &mut Value) -> Value {
    std::mem::replace(value, Value::Empty)
}

fn array(before: Value, list: &[u8]) -> Value {
    let mut values = if let Value::Array(values) = before { values } else { Vec::new() };
    values.extend(fields(list, 1).map(value));
    Value::Array(values)
}

fn map(before: Value, list: &[u8]) -> Value {
    let mut pairs = if let Value::Map(pairs) = before { pairs } else { Attributes::default() };
    pairs.0.extend(fields(list, 1).map(key_value));
    Value::Map(pairs)
}
