//! Field lines of HTTP/1.1 heads and trailer sections (RFC 9112 section 5), in the order of the wire.

use httparse::{EMPTY_HEADER, Header, Status};

use crate::evidence::RawFields;
use crate::tap::read_error::ReadError;

/// Parses a trailer section with its empty line.
pub fn parse_trailers(section: &[u8]) -> Result<RawFields, ReadError> {
    let mut room = room_for(section);
    match httparse::parse_headers(section, &mut room) {
        Ok(Status::Complete((_, fields))) => Ok(fields_of(fields)),
        Ok(Status::Partial) => Err(ReadError::NotHttp("trailer section", httparse::Error::NewLine)),
        Err(error) => Err(ReadError::NotHttp("trailer section", error)),
    }
}

/// Returns as many places as there can be field lines.
pub fn room_for(head: &[u8]) -> Vec<Header<'_>> {
    vec![EMPTY_HEADER; head.iter().filter(|byte| **byte == b'\n').count()]
}

/// Copies the lines that `httparse` found.
pub fn fields_of(fields: &[Header<'_>]) -> RawFields {
    fields.iter().map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec())).collect()
}
