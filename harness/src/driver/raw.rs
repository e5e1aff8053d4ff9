//! HTTP/1.1 written by hand, for requests that an HTTP library cannot express: names in any case, repeated lines,
//! unusual bytes.
//!
//! Each connection carries one request and is closed after it. Only bytes that would end a line are rejected;
//! `httparse` parses the head of the answer, and its body is skipped by the framing of RFC 9112 6.3.

use std::io;

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::outgoing::OutgoingRequest;
use super::route::DriveRoute;
use super::{DriverError, websocket};
use crate::descriptors;
use crate::evidence::{Answer, RawFields};

/// The maximum size of the head of an answer, or of the first line of a chunk.
const LONGEST_HEAD: usize = 64 << 10;
const MOST_FIELDS: usize = 256;

/// Checks that the request can be sent: values may have all bytes except for those that end a line.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    let broken = outgoing.headers.iter().find(|(name, value)| {
        name.is_empty() || name.contains(':') || ends_line(name.as_bytes()) || ends_line(value)
    });
    match broken {
        Some((name, _)) => Err(DriverError::Header {
            hop: route.hop_name.clone(),
            header: name.escape_debug().to_string(),
            why: "its name is empty or has a colon, or it has a line break",
        }),
        None => Ok(()),
    }
}

fn ends_line(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
}

pub(super) async fn send(route: &DriveRoute, outgoing: &OutgoingRequest) -> Answer {
    let connected = TcpStream::connect(route.address).await;
    match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
        Ok(stream) => answer(route, exchange(stream, route, outgoing).await),
        Err(error) => {
            descriptors::count_if_run_out(&error);
            Answer::Failed(route.unreachable(&error.to_string()))
        }
    }
}

#[cfg(feature = "tls")]
pub(super) async fn send_secured(
    route: &DriveRoute,
    outgoing: &OutgoingRequest,
    tls: &super::tls::Tls,
) -> Answer {
    match tls.connect(route.address).await {
        Ok(stream) => answer(route, exchange(stream, route, outgoing).await),
        Err(error) => Answer::Failed(route.unreachable(&error.to_string())),
    }
}

fn answer(route: &DriveRoute, answered: io::Result<u16>) -> Answer {
    match answered {
        Ok(status) => Answer::Http(status),
        Err(error) => Answer::Failed(route.broken_off(&error.to_string())),
    }
}

async fn exchange<S>(stream: S, route: &DriveRoute, outgoing: &OutgoingRequest) -> io::Result<u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = head(outgoing, &route.authority());
    if outgoing.upgrades {
        return upgraded(stream, &bytes, &outgoing.body).await;
    }
    bytes.extend_from_slice(&outgoing.body);
    let (status, _) = request(stream, &bytes, outgoing.method == "HEAD").await?;
    Ok(status)
}

/// Opens a WebSocket and sends a message over it, which is to come back. Returns the status of the handshake.
async fn upgraded<S>(mut stream: S, handshake: &[u8], message: &[u8]) -> io::Result<u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(handshake).await?;
    stream.flush().await?;
    let mut reader = Reader { stream, buffer: Vec::new(), fields: Vec::new() };
    let status = reader.answer(false).await?;
    if status == 101 {
        websocket::exchange(&mut reader.stream, reader.buffer, message).await?;
    }
    Ok(status)
}

/// Sends a whole request unchanged and returns the status and the fields of the final answer, after reading its body.
pub(crate) async fn request<S>(mut stream: S, bytes: &[u8], is_head: bool) -> io::Result<(u16, RawFields)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let written = match stream.write_all(bytes).await {
        Ok(()) => stream.flush().await,
        failed => failed,
    };
    // A service may answer and close before it has read everything; its answer counts.
    let mut reader = Reader { stream, buffer: Vec::new(), fields: Vec::new() };
    match reader.answer(is_head).await {
        Ok(status) => Ok((status, reader.fields)),
        Err(error) => written.and(Err(error)),
    }
}

fn head(outgoing: &OutgoingRequest, authority: &str) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", outgoing.method, outgoing.target).into_bytes();
    if !outgoing.has("host") {
        push_line(&mut head, "Host", authority.as_bytes());
    }
    for (name, value) in &outgoing.headers {
        push_line(&mut head, name, value);
    }
    let framed = outgoing.has("content-length") || outgoing.has("transfer-encoding");
    if !framed && !outgoing.upgrades && (!outgoing.body.is_empty() || outgoing.method == "POST") {
        push_line(&mut head, "Content-Length", outgoing.body.len().to_string().as_bytes());
    }
    if !outgoing.has("connection") {
        push_line(&mut head, "Connection", b"close");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn push_line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// The framing of the body of an answer.
enum Framing {
    None,
    Length(u64),
    Chunks,
    UntilClose,
}

struct Reader<S> {
    stream: S,
    buffer: Vec<u8>,
    /// The fields of the head that was read last.
    fields: RawFields,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    /// Reads the final answer with its body, and returns its status.
    async fn answer(&mut self, to_head: bool) -> io::Result<u16> {
        loop {
            let (status, framing) = self.head(to_head).await?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            match framing {
                Framing::None => {}
                Framing::Length(length) => self.skip(length).await?,
                Framing::Chunks => self.skip_chunks().await?,
                Framing::UntilClose => {
                    while self.fill().await? {
                        self.buffer.clear();
                    }
                }
            }
            return Ok(status);
        }
    }

    async fn head(&mut self, to_head: bool) -> io::Result<(u16, Framing)> {
        loop {
            if let Some((read, status, framing)) = parse_head(&self.buffer, to_head, &mut self.fields)? {
                self.buffer.drain(..read);
                return Ok((status, framing));
            }
            self.need("the head of the answer is too long").await?;
        }
    }

    /// Skips chunks, then trailers, then an empty line (RFC 9112 7.1).
    async fn skip_chunks(&mut self) -> io::Result<()> {
        loop {
            let parsed = httparse::parse_chunk_size(&self.buffer)
                .map_err(|_| garbled("a chunk of the answer is invalid"))?;
            match parsed {
                Status::Partial => self.need("the size of a chunk of the answer is too long").await?,
                Status::Complete((read, 0)) => {
                    self.buffer.drain(..read);
                    return self.skip_trailers().await;
                }
                Status::Complete((read, length)) => {
                    self.buffer.drain(..read);
                    self.skip(length.saturating_add(2)).await?;
                }
            }
        }
    }

    async fn skip_trailers(&mut self) -> io::Result<()> {
        loop {
            match self.buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let empty = self.buffer[..end].trim_ascii().is_empty();
                    self.buffer.drain(..=end);
                    if empty {
                        return Ok(());
                    }
                }
                None => self.need("the trailers of the answer are too long").await?,
            }
        }
    }

    async fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        loop {
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            self.buffer.drain(..here);
            left -= here as u64;
            if left == 0 {
                return Ok(());
            }
            self.need("the body of the answer is incomplete").await?;
        }
    }

    /// Reads more bytes; an error at the end of the stream, or if too many bytes are buffered already.
    async fn need(&mut self, too_long: &'static str) -> io::Result<()> {
        if self.buffer.len() > LONGEST_HEAD {
            return Err(garbled(too_long));
        }
        if self.fill().await? { Ok(()) } else { Err(garbled("the connection was closed")) }
    }

    /// Reads more bytes; returns false at the end of the stream.
    async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(4096);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}

/// Parses the fields, and returns the size of the head, its status and the framing of the body; `None` while the head
/// is incomplete.
fn parse_head(
    bytes: &[u8],
    to_head: bool,
    parsed: &mut RawFields,
) -> io::Result<Option<(usize, u16, Framing)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Err(_) => Err(garbled("the answer is not HTTP")),
        Ok(Status::Partial) => Ok(None),
        Ok(Status::Complete(read)) => {
            let status = response.code.unwrap_or_default();
            let framing = framing(status, response.headers, to_head);
            let pairs = response.headers.iter();
            *parsed = pairs.map(|field| (field.name.as_bytes().to_vec(), field.value.to_vec())).collect();
            Ok(Some((read, status, framing)))
        }
    }
}

/// Returns the framing of a body (RFC 9112 6.3).
fn framing(status: u16, fields: &[httparse::Header<'_>], to_head: bool) -> Framing {
    if to_head || status < 200 || status == 204 || status == 304 {
        return Framing::None;
    }
    if value(fields, "transfer-encoding")
        .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"))
    {
        return Framing::Chunks;
    }
    match value(fields, "content-length").and_then(|length| length.trim().parse().ok()) {
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    }
}

fn value<'a>(fields: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(field.value).ok()
}

fn garbled(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
