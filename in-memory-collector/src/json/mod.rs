//! OTLP/JSON: read into OTLP protobuf, so that everything after it is one path, and printed from it.
//!
//! Clause: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding> and the ProtoJSON format it rests on.
//! Ids are hexadecimal, enums are numbers, keys are lowerCamelCase, unknown keys are ignored.

pub mod attribute;
pub mod base64;
pub mod lexer;
pub mod number;
pub mod print;
pub mod read;
pub mod short;
