//! Cuts one direction of an AMQP connection into frames (AMQP 0-9-1 sections 2.3.5 and 4.2.3).
//!
//! Bodies are passed on piece by piece as they arrive; methods and content headers are collected. The negotiated frame
//! size is not checked: the broker does that.

use crate::tap::read_error::ReadError;

/// Type, channel and size before each payload.
const HEAD_LENGTH: usize = 7;
const FRAME_END: u8 = 0xce;
/// The largest method or content header that is read; RabbitMQ's frames are 128 KiB by default.
const COLLECTED: usize = 1024 * 1024;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// The meaning of the next bytes, with the channel.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The payload of a complete frame.
    Method(u16, Vec<u8>),
    /// The payload of a complete frame.
    Header(u16, Vec<u8>),
    /// Some bytes of a body.
    Body(u16, &'a [u8]),
    /// A part of something that is ignored, or is being collected.
    Other,
}

#[derive(Debug, Default)]
pub struct FrameReader {
    head: [u8; HEAD_LENGTH],
    filled: usize,
    within: Option<OpenFrame>,
}

/// A frame whose head was read.
#[derive(Debug)]
struct OpenFrame {
    kind: u8,
    channel: u16,
    /// Of the payload; the end octet comes after.
    left: usize,
    collected: Vec<u8>,
}

impl FrameReader {
    /// Reads some of `bytes`, which are not empty; returns their number and meaning.
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Piece<'a>), ReadError> {
        let Some(within) = &mut self.within else { return self.read_head(bytes) };
        if within.left > 0 {
            let payload = &bytes[..bytes.len().min(within.left)];
            within.left -= payload.len();
            if within.kind == BODY {
                return Ok((payload.len(), Piece::Body(within.channel, payload)));
            }
            within.collected.extend_from_slice(payload);
            return Ok((payload.len(), Piece::Other));
        }
        if bytes[0] != FRAME_END {
            return Err(ReadError::AmqpFrame("its last octet is not CE"));
        }
        let piece = match within.kind {
            METHOD => Piece::Method(within.channel, std::mem::take(&mut within.collected)),
            HEADER => Piece::Header(within.channel, std::mem::take(&mut within.collected)),
            _ => Piece::Other,
        };
        self.within = None;
        Ok((1, piece))
    }

    fn read_head<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Piece<'a>), ReadError> {
        let used = bytes.len().min(HEAD_LENGTH - self.filled);
        self.head[self.filled..self.filled + used].copy_from_slice(&bytes[..used]);
        self.filled += used;
        if self.filled == HEAD_LENGTH {
            self.filled = 0;
            self.within = Some(OpenFrame::begin(self.head)?);
        }
        Ok((used, Piece::Other))
    }

    /// Returns whether the bytes so far end in the middle of a frame.
    pub fn is_within(&self) -> bool {
        self.filled > 0 || self.within.is_some()
    }
}

impl OpenFrame {
    fn begin(raw: [u8; HEAD_LENGTH]) -> Result<OpenFrame, ReadError> {
        let [kind, a, b, size @ ..] = raw;
        let left = usize::try_from(u32::from_be_bytes(size)).map_err(|_| ReadError::AmqpTooLong)?;
        match kind {
            METHOD | HEADER | HEARTBEAT if left > COLLECTED => Err(ReadError::AmqpTooLong),
            METHOD | HEADER | HEARTBEAT | BODY => {
                Ok(OpenFrame { kind, channel: u16::from_be_bytes([a, b]), left, collected: Vec::new() })
            }
            _ => Err(ReadError::AmqpFrame("its type is not method, header, body or heartbeat")),
        }
    }
}
