//! Reads both directions of an HTTP/2 connection beside the stream (RFC 9113), and with it gRPC.
//!
//! It takes no part in the connection: no settings, no flow control, no answers. Only where a hop declares `host:` are
//! the requests' header blocks rewritten; all other frames stay as they are.

use std::collections::HashMap;
use std::sync::Arc;

use super::call_recording::CallRecording;
use super::read_error::{ReadError, WAITING_LIMIT};
use super::scene::Scene;
use crate::evidence::RawFields;
use crate::evidence::{Head, Protocol};

mod block;
mod error_code;
mod frame;
mod hpack;
mod huffman;

use block::{Block, Blocks};
use frame::{
    CONTINUATION, DATA, END_STREAM, FrameHead, FrameReader, GOAWAY, HEADERS, PUSH_PROMISE, Piece, RST_STREAM,
    SETTINGS, write_headers,
};
use hpack::Decoder;

/// The characters of method and path that messages show.
const SHOWN: usize = 100;
/// The first bytes of a client (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug)]
pub struct Http2 {
    scene: Arc<Scene>,
    connection: u32,
    preface: usize,
    requests: Direction,
    answers: Direction,
    calls: HashMap<u32, CallRecording>,
    /// The highest stream that the sender opened.
    highest: u32,
    /// The error with which the receiver announced the end.
    goaway: Option<&'static str>,
    last_request: Option<String>,
}

/// The state of one direction.
#[derive(Debug)]
struct Direction {
    name: &'static str,
    frames: FrameReader,
    blocks: Blocks,
    hpack: Decoder,
    begun: bool,
    /// Bytes of a header block that are held back, in case it cannot be rewritten.
    held: Vec<u8>,
}

impl Direction {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            frames: FrameReader::default(),
            blocks: Blocks::default(),
            hpack: Decoder::new(),
            begun: false,
            held: Vec::new(),
        }
    }

    fn begin(&mut self, head: &FrameHead) -> Result<(), ReadError> {
        if !self.begun && head.kind != SETTINGS {
            return Err(ReadError::NotHttp2(self.name));
        }
        self.begun = true;
        self.blocks.check(head)
    }

    /// Returns the block that this frame completes, and its fields.
    fn fields(&mut self, head: &FrameHead, payload: &[u8]) -> Result<Option<(Block, RawFields)>, ReadError> {
        let Some(block) = self.blocks.add(head, payload)? else { return Ok(None) };
        let fields = self.hpack.decode(&block.bytes)?;
        Ok(Some((block, fields)))
    }
}

impl Http2 {
    pub fn new(scene: Arc<Scene>, connection: u32) -> Self {
        Self {
            scene,
            connection,
            preface: 0,
            requests: Direction::new("sender"),
            answers: Direction::new("receiver"),
            calls: HashMap::new(),
            highest: 0,
            goaway: None,
            last_request: None,
        }
    }

    /// Returns a connection after `101 Switching Protocols`: the request for the upgrade is stream 1.
    pub fn upgraded(scene: Arc<Scene>, connection: u32, call: CallRecording) -> Self {
        let mut http2 = Self::new(scene, connection);
        http2.calls.insert(1, call);
        http2.highest = 1;
        http2
    }

    /// Reads more of what the sender sent; `out` collects the bytes to forward instead.
    pub fn request(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<(), ReadError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.request_step(rest, out) {
                Ok(used) => rest = &rest[used..],
                Err(refused) => {
                    if let Some(out) = out {
                        out.append(&mut self.let_go());
                        out.extend_from_slice(rest);
                    }
                    return Err(refused);
                }
            }
        }
        Ok(())
    }

    fn request_step(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<usize, ReadError> {
        if let Some(expected) = PREFACE.get(self.preface) {
            if bytes[0] != *expected {
                return Err(ReadError::NotHttp2("sender"));
            }
            self.preface += 1;
            if let Some(out) = out {
                out.push(bytes[0]);
            }
            return Ok(1);
        }
        let (used, piece) = self.requests.frames.read(bytes)?;
        match piece {
            Piece::Begin(head) => self.requests.begin(&head)?,
            Piece::Data(stream, data) => {
                if let Some(call) = self.calls.get_mut(&stream) {
                    call.request_body(data);
                }
            }
            Piece::Other => {}
        }
        if out.is_some() {
            self.requests.held.extend_from_slice(&bytes[..used]);
            let undecided = !self.requests.frames.partial_head().is_empty();
            let held = self.requests.frames.current().is_some_and(FrameHead::is_headers) || undecided;
            if let (false, Some(out)) = (held, out.as_mut()) {
                out.append(&mut self.requests.held);
            }
        }
        if let Some((head, payload)) = self.requests.frames.finished() {
            self.request_frame(&head, &payload, out)?;
        }
        Ok(used)
    }

    fn request_frame(
        &mut self,
        head: &FrameHead,
        payload: &[u8],
        out: &mut Option<Vec<u8>>,
    ) -> Result<(), ReadError> {
        match head.kind {
            HEADERS | CONTINUATION => {
                if let Some((block, mut fields)) = self.requests.fields(head, payload)? {
                    if let Some(out) = out {
                        self.requests.held.clear();
                        rewrite(&mut fields, self.scene.plan.host.as_deref());
                        let block_bytes = hpack::encode_plainly(&fields);
                        write_headers(out, block.stream, block.flags, &block.priority, &block_bytes);
                    }
                    self.request_headers(&block, fields)?;
                }
            }
            DATA if head.has(END_STREAM) => {
                if let Some(call) = self.calls.get_mut(&head.stream) {
                    call.request_complete();
                }
            }
            RST_STREAM => self.reset("sender", head.stream, payload),
            _ => {}
        }
        Ok(())
    }

    fn request_headers(&mut self, block: &Block, fields: RawFields) -> Result<(), ReadError> {
        if let Some(call) = self.calls.get_mut(&block.stream) {
            call.request_trailers(fields);
        } else if block.stream > self.highest {
            if self.calls.len() >= WAITING_LIMIT {
                return Err(ReadError::TooMany);
            }
            self.highest = block.stream;
            let head = self.head(block.stream, fields);
            let path = head.target.split(['?', '#']).next().unwrap_or_default();
            self.last_request = Some(format!("{} {path}", head.method).chars().take(SHOWN).collect());
            let call = CallRecording::begin(&self.scene, head);
            self.calls.insert(block.stream, call);
        }
        if let (true, Some(call)) = (block.end_stream, self.calls.get_mut(&block.stream)) {
            call.request_complete();
        }
        Ok(())
    }

    fn head(&self, stream: u32, fields: RawFields) -> Head {
        let method = text(&fields, b":method").unwrap_or_default();
        let target = text(&fields, b":path").or_else(|| text(&fields, b":authority")).unwrap_or_default();
        Head {
            tap: self.scene.writer.tap,
            protocol: Protocol::Http2,
            connection: self.connection,
            stream,
            method,
            target,
            headers: fields.into_iter().filter(|(name, _)| !name.starts_with(b":")).collect(),
            kept: self.scene.writer.kept.clone(),
        }
    }

    /// Reads more of what the receiver sent.
    pub fn answer(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (used, piece) = self.answers.frames.read(rest)?;
            rest = &rest[used..];
            if let Piece::Begin(head) = piece {
                self.answers.begin(&head)?;
            }
            if let Some((head, payload)) = self.answers.frames.finished() {
                self.answer_frame(&head, &payload)?;
            }
        }
        Ok(())
    }

    fn answer_frame(&mut self, head: &FrameHead, payload: &[u8]) -> Result<(), ReadError> {
        match head.kind {
            HEADERS | CONTINUATION | PUSH_PROMISE => {
                if let Some((block, fields)) = self.answers.fields(head, payload)?
                    && !block.promise
                {
                    self.answer_headers(&block, &fields);
                }
            }
            DATA if head.has(END_STREAM) => self.answered(head.stream),
            RST_STREAM => self.reset("receiver", head.stream, payload),
            GOAWAY => self.goaway(payload),
            _ => {}
        }
        Ok(())
    }

    fn answer_headers(&mut self, block: &Block, fields: &RawFields) {
        let Some(call) = self.calls.get_mut(&block.stream) else { return };
        let status = fields.iter().find(|(name, _)| name == b":status");
        let status = status.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
        match status {
            Some(100..=199) => return,
            Some(status) => call.status(status),
            None => {}
        }
        call.answer_fields(fields);
        if block.end_stream {
            self.answered(block.stream);
        }
    }

    fn answered(&mut self, stream: u32) {
        if let Some(call) = self.calls.remove(&stream) {
            call.answered();
        }
    }

    fn reset(&mut self, who: &str, stream: u32, payload: &[u8]) {
        if let Some(call) = self.calls.remove(&stream) {
            call.broken(&format!("the {who} reset the stream with {}", error_code::name(payload)));
        }
    }

    /// Ends the streams above the last one that the receiver accepted: they are not answered (RFC 9113 section 6.8).
    fn goaway(&mut self, payload: &[u8]) {
        let Some((last, code)) = payload.split_first_chunk::<4>() else { return };
        let last = u32::from_be_bytes(*last) & 0x7fff_ffff;
        let name = error_code::name(code);
        if name != error_code::NO_ERROR {
            self.goaway = Some(name);
        }
        for (_, call) in self.calls.extract_if(|stream, _| *stream > last) {
            call.broken(&format!("the receiver refused the stream with GOAWAY {name}"));
        }
    }

    /// Returns the part of a header block that was held back until it is complete.
    pub fn let_go(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.requests.held)
    }

    /// Returns the error of the receiver's GOAWAY, if it sent one with an error.
    pub fn goaway_error(&self) -> Option<&'static str> {
        self.goaway
    }

    /// Returns method and path of the request that was read last.
    pub fn last_request(&self) -> Option<&str> {
        self.last_request.as_deref()
    }

    /// Returns the calls without a complete answer.
    pub fn into_calls(self) -> impl Iterator<Item = CallRecording> {
        self.calls.into_values()
    }
}

fn text(fields: &RawFields, name: &[u8]) -> Option<String> {
    let field = fields.iter().find(|(given, _)| given == name);
    field.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
}

/// Replaces `:authority`, or `host` where there is no `:authority`.
fn rewrite(fields: &mut RawFields, host: Option<&str>) {
    let Some(host) = host else { return };
    for (_, value) in fields.iter_mut().filter(|(name, _)| name == b":authority" || name == b"host") {
        *value = host.as_bytes().to_vec();
    }
}
