//! The messages of OTLP as tables: one source for the validating scan, the JSON reader and the JSON printer.
//!
//! Enums are open: a number that is not known is kept.
//! Clause: opentelemetry-proto v1, the `.proto` files; `profiles` is in development and follows the same release.

mod logs;
mod metrics;
mod name;
mod profiles;
mod shared;
mod traces;

pub use logs::{EXPORT_LOGS, LOG_RECORD};
pub use metrics::EXPORT_METRICS;
pub use name::{AT_ONCE, Name};
pub use profiles::EXPORT_PROFILES;
pub use shared::{KEY_VALUE, RESOURCE, SCOPE};
pub use traces::{EVENT, EXPORT_TRACES, SPAN, STATUS};

#[derive(Debug)]
pub struct Message {
    pub name: &'static str,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub number: u32,
    /// The name in JSON, lowerCamelCase.
    pub json: Name,
    pub kind: Kind,
    pub repeated: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    String,
    Bytes,
    /// Bytes that OTLP/JSON writes as hexadecimal.
    Id,
    Bool,
    Int32,
    /// On the wire an `Int32`; OTLP/JSON takes the number only, never the name.
    Enum,
    Sint32,
    Uint32,
    Int64,
    Uint64,
    Fixed32,
    Fixed64,
    Sfixed64,
    Double,
    Message(&'static Message),
}

impl Message {
    pub fn by_number(&self, number: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }

    pub fn by_json_name(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.json.text == name)
    }
}

const fn one(number: u32, json: &'static str, kind: Kind) -> Field {
    Field { number, json: Name::new(json), kind, repeated: false }
}

const fn many(number: u32, json: &'static str, kind: Kind) -> Field {
    Field { number, json: Name::new(json), kind, repeated: true }
}
