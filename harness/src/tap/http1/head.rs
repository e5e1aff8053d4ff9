//! Heads of HTTP/1.1 messages and the length of what follows them (RFC 9112 sections 3, 4 and 6).
//!
//! Field lines are kept as they are; `httparse` removes only the white space around a value. What it rejects (folded
//! lines, control bytes) is rejected here, because a reader that guesses would see different requests from the
//! receiver.

use std::ops::Range;

use httparse::{Request, Response, Status};

use super::body::Body;
use super::fields::{fields_of, room_for};
use crate::evidence::RawFields;
use crate::tap::read_error::ReadError;

#[derive(Debug)]
pub struct RequestHead {
    pub method: String,
    pub target: String,
    pub fields: RawFields,
    /// The range of the value of the `Host` line.
    pub host: Option<Range<usize>>,
}

#[derive(Debug)]
pub struct AnswerHead {
    pub status: u16,
    pub fields: RawFields,
    http10: bool,
}

impl RequestHead {
    /// Parses a complete head.
    pub fn parse(head: &[u8]) -> Result<Self, ReadError> {
        let mut room = room_for(head);
        let mut request = Request::new(&mut room);
        let status = request.parse(head).map_err(|error| ReadError::NotHttp("request", error))?;
        let (Status::Complete(_), Some(method), Some(target)) = (status, request.method, request.path) else {
            return Err(ReadError::NotHttp("request", httparse::Error::NewLine));
        };
        let host = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("host"));
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            host: host.and_then(|field| place_of(field.value, head)),
            fields: fields_of(request.headers),
        })
    }

    /// Returns the body that follows the head. A request without a length has no body.
    pub fn body(&self) -> Result<Body, ReadError> {
        let codings = codings(&self.fields);
        if codings.last().is_some_and(|coding| coding == "chunked") {
            return Ok(Body::chunked("request"));
        }
        if !codings.is_empty() {
            return Err(ReadError::Length("request", "its last transfer coding is not chunked"));
        }
        Ok(Body::length(length(&self.fields, "request")?.unwrap_or(0)))
    }

    pub fn is(&self, method: &str) -> bool {
        self.method == method
    }
}

impl AnswerHead {
    /// Parses a complete head.
    pub fn parse(head: &[u8]) -> Result<Self, ReadError> {
        let mut room = room_for(head);
        let mut response = Response::new(&mut room);
        let status = response.parse(head).map_err(|error| ReadError::NotHttp("answer", error))?;
        let (Status::Complete(_), Some(code)) = (status, response.code) else {
            return Err(ReadError::NotHttp("answer", httparse::Error::NewLine));
        };
        let http10 = response.version == Some(0);
        Ok(Self { status: code, fields: fields_of(response.headers), http10 })
    }

    /// Returns the body that follows the head of an answer to a request that is not HEAD or CONNECT (RFC 9112 section
    /// 6.3).
    pub fn body(&self) -> Result<Body, ReadError> {
        if matches!(self.status, 100..=199 | 204 | 304) {
            return Ok(Body::length(0));
        }
        let codings = codings(&self.fields);
        if codings.last().is_some_and(|coding| coding == "chunked") && !self.http10 {
            return Ok(Body::chunked("answer"));
        }
        let length = if codings.is_empty() { length(&self.fields, "answer")? } else { None };
        Ok(length.map_or(Body::UntilEnd, Body::length))
    }

    /// Returns whether the fields name the protocol that the connection changes to.
    pub fn upgrades_to(&self, protocol: &str) -> bool {
        let mut upgrades = self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
        upgrades.any(|(_, value)| value.eq_ignore_ascii_case(protocol.as_bytes()))
    }
}

/// Returns method and path of a head, valid or not, for messages: without the query, and at most 100 bytes of it.
pub fn request_line(head: &[u8]) -> String {
    const SHOWN: usize = 100;
    let line = head.trim_ascii_start().split(|byte| matches!(byte, b'\r' | b'\n' | b'?')).next();
    let line = line.unwrap_or_default();
    let line = line.strip_suffix(b" HTTP/1.1").unwrap_or(line);
    line[..line.len().min(SHOWN)].escape_ascii().to_string()
}

/// Returns the range of `value` in `head`; `None` for an empty value.
fn place_of(value: &[u8], head: &[u8]) -> Option<Range<usize>> {
    let start = (value.as_ptr() as usize).checked_sub(head.as_ptr() as usize)?;
    (start + value.len() <= head.len() && !value.is_empty()).then_some(start..start + value.len())
}

/// Returns the transfer codings in the order in which they were applied, in lower case.
fn codings(fields: &RawFields) -> Vec<String> {
    let lines = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding"));
    let lines = lines.map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase());
    let codings =
        lines.flat_map(|line| line.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>());
    codings.filter(|coding| !coding.is_empty()).collect()
}

/// Parses a decimal number: `str::parse` alone accepts a sign too.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.iter().all(u8::is_ascii_digit) { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// Returns the content length. Several equal lengths are one; different ones are a request smuggling attempt.
fn length(fields: &RawFields, of: &'static str) -> Result<Option<u64>, ReadError> {
    let mut length = None;
    for (_, value) in fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length")) {
        for part in value.split(|byte| *byte == b',') {
            let digits = part.trim_ascii();
            let Some(given) = number(digits) else {
                return Err(ReadError::Length(of, "its length is not a number"));
            };
            if length.is_some_and(|length| length != given) {
                return Err(ReadError::Length(of, "it has two lengths that differ"));
            }
            length = Some(given);
        }
    }
    Ok(length)
}
