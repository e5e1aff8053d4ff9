//! Protobuf's wire format: reading with every check that a full decoder makes, and writing.

pub mod reader;
pub mod writer;

pub use reader::{Key, MalformedBytes, RECURSION_LIMIT, Reader, WireType, inner_depth, is_ascii, is_utf8};
pub use writer::{Writer, varint_width};
