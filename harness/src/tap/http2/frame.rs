//! Cuts one direction of an HTTP/2 connection into frames (RFC 9113 sections 4 and 6).
//!
//! Content of DATA is passed on piece by piece as it arrives; only frames that the tap must understand are collected.

use crate::tap::read_error::{ReadError, SECTION_LIMIT};

pub const HEAD_LENGTH: usize = 9;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
pub const PADDED: u8 = 0x8;
pub const PRIORITY: u8 = 0x20;

/// A GOAWAY's debug text is not kept.
const GOAWAY_KEPT: usize = 8;

#[derive(Clone, Copy, Debug)]
pub struct FrameHead {
    pub length: usize,
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
}

impl FrameHead {
    fn parse(raw: [u8; HEAD_LENGTH]) -> Self {
        let [a, b, c, kind, flags, w, x, y, z] = raw;
        let length = u32::from_be_bytes([0, a, b, c]);
        let stream = u32::from_be_bytes([w, x, y, z]) & 0x7fff_ffff;
        Self { length: usize::try_from(length).unwrap_or(usize::MAX), kind, flags, stream }
    }

    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Returns whether it carries a part of a header block of a request.
    pub fn is_headers(&self) -> bool {
        matches!(self.kind, HEADERS | CONTINUATION)
    }

    /// Returns the number of payload bytes that are kept.
    fn kept(&self) -> Result<usize, ReadError> {
        match self.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION if self.length > SECTION_LIMIT => Err(ReadError::TooLong),
            HEADERS | PUSH_PROMISE | CONTINUATION => Ok(self.length),
            RST_STREAM if self.length != 4 => Err(ReadError::Frame("RST_STREAM is not four bytes")),
            RST_STREAM => Ok(4),
            GOAWAY => Ok(GOAWAY_KEPT),
            _ => Ok(0),
        }
    }
}

/// The meaning of the next bytes.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A frame begins.
    Begin(FrameHead),
    /// Content of a DATA frame, without its padding.
    Data(u32, &'a [u8]),
    /// A part of something that is ignored, or is being collected.
    Other,
}

#[derive(Debug, Default)]
pub struct FrameReader {
    head: [u8; HEAD_LENGTH],
    filled: usize,
    within: Option<OpenFrame>,
}

#[derive(Debug)]
struct OpenFrame {
    head: FrameHead,
    left: usize,
    kept: Vec<u8>,
    keep: usize,
    /// Of DATA: the length of the padding, once it is known.
    padding: Option<usize>,
}

impl FrameReader {
    /// Reads some of `bytes`, which are not empty; returns their number and meaning. Call `finished` after each.
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Piece<'a>), ReadError> {
        let Some(within) = &mut self.within else { return self.read_head(bytes) };
        let (used, data) = within.read(bytes)?;
        Ok((used, data.map_or(Piece::Other, |data| Piece::Data(within.head.stream, data))))
    }

    fn read_head<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Piece<'a>), ReadError> {
        let used = bytes.len().min(HEAD_LENGTH - self.filled);
        self.head[self.filled..self.filled + used].copy_from_slice(&bytes[..used]);
        self.filled += used;
        if self.filled < HEAD_LENGTH {
            return Ok((used, Piece::Other));
        }
        let head = FrameHead::parse(self.head);
        let keep = head.kept()?;
        let padding = (!head.has(PADDED)).then_some(0);
        self.filled = 0;
        self.within = Some(OpenFrame { head, left: head.length, kept: Vec::new(), keep, padding });
        Ok((used, Piece::Begin(head)))
    }

    /// Returns the bytes of a frame's head that is not complete.
    pub fn partial_head(&self) -> &[u8] {
        &self.head[..self.filled]
    }

    /// Returns the frame that the next bytes belong to.
    pub fn current(&self) -> Option<&FrameHead> {
        self.within.as_ref().map(|within| &within.head)
    }

    /// Returns the frame that is complete now, with the part of its payload that is kept.
    pub fn finished(&mut self) -> Option<(FrameHead, Vec<u8>)> {
        let within = self.within.take_if(|within| within.left == 0)?;
        Some((within.head, within.kept))
    }
}

impl OpenFrame {
    fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<(usize, Option<&'a [u8]>), ReadError> {
        let taken = &bytes[..bytes.len().min(self.left)];
        if self.head.kind != DATA {
            let keep = taken.len().min(self.keep.saturating_sub(self.kept.len()));
            self.kept.extend_from_slice(&taken[..keep]);
            self.left -= taken.len();
            return Ok((taken.len(), None));
        }
        let Some(padding) = self.padding else {
            let Some(padding) = taken.first() else {
                return Err(ReadError::Frame("DATA without its padding"));
            };
            self.left -= 1;
            if usize::from(*padding) > self.left {
                return Err(ReadError::Frame("the padding is longer than its frame"));
            }
            self.padding = Some(usize::from(*padding));
            return Ok((1, None));
        };
        let content = taken.len().min(self.left.saturating_sub(padding));
        if content == 0 {
            self.left -= taken.len();
            return Ok((taken.len(), None));
        }
        self.left -= content;
        Ok((content, Some(&taken[..content])))
    }
}

/// Writes a HEADERS frame, and CONTINUATION frames where one is not enough, with this block.
pub fn write_headers(out: &mut Vec<u8>, stream: u32, flags: u8, priority: &[u8], block: &[u8]) {
    // The size that every receiver accepts (RFC 9113 section 4.2).
    const LARGEST: usize = 16_384;
    let first = block.len().min(LARGEST - priority.len());
    let (mut part, mut rest) = block.split_at(first);
    let mut kind = HEADERS;
    let mut prefix = priority;
    let mut flags = flags & (END_STREAM | PRIORITY);
    loop {
        let last = if rest.is_empty() { END_HEADERS } else { 0 };
        let length = u32::try_from(prefix.len() + part.len()).expect("at most 16384").to_be_bytes();
        out.extend_from_slice(&length[1..]);
        out.extend_from_slice(&[kind, flags | last]);
        out.extend_from_slice(&stream.to_be_bytes());
        out.extend_from_slice(prefix);
        out.extend_from_slice(part);
        if last != 0 {
            return;
        }
        (part, rest) = rest.split_at(rest.len().min(LARGEST));
        (kind, flags, prefix) = (CONTINUATION, 0, &[]);
    }
}
