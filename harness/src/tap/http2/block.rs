//! Joins header blocks from HEADERS, PUSH_PROMISE and CONTINUATION frames (RFC 9113 sections 6.2,
//! 6.6, 6.10).

use super::frame::{CONTINUATION, END_HEADERS, END_STREAM, FrameHead, PADDED, PRIORITY, PUSH_PROMISE};
use crate::tap::read_error::{ReadError, SECTION_LIMIT};

/// Five bytes of dependency and weight.
const PRIORITY_LENGTH: usize = 5;
const PROMISED_LENGTH: usize = 4;

/// A header block, its frames joined.
#[derive(Debug)]
pub struct Block {
    pub stream: u32,
    pub end_stream: bool,
    /// It announces a stream of the server's own; it is not an answer.
    pub promise: bool,
    /// Flags of the frame that began it.
    pub flags: u8,
    pub priority: Vec<u8>,
    pub bytes: Vec<u8>,
}

/// Blocks of one direction.
#[derive(Debug, Default)]
pub struct Blocks {
    open: Option<Block>,
}

impl Blocks {
    /// Fails when a frame comes between the frames of one block.
    pub fn check(&self, head: &FrameHead) -> Result<(), ReadError> {
        let continues = head.kind == CONTINUATION;
        match &self.open {
            Some(block) if continues && head.stream == block.stream => Ok(()),
            Some(_) => Err(ReadError::Frame("a header block is interrupted")),
            None if continues => Err(ReadError::Frame("CONTINUATION without a header block")),
            None => Ok(()),
        }
    }

    /// Adds a frame with a part of a block; returns the block if it is complete now.
    pub fn add(&mut self, head: &FrameHead, payload: &[u8]) -> Result<Option<Block>, ReadError> {
        let mut block = match self.open.take() {
            Some(mut block) => {
                block.bytes.extend_from_slice(payload);
                block
            }
            None => begin(head, payload)?,
        };
        if block.bytes.len() > SECTION_LIMIT {
            return Err(ReadError::TooLong);
        }
        if head.has(END_HEADERS) {
            block.bytes.shrink_to_fit();
            return Ok(Some(block));
        }
        self.open = Some(block);
        Ok(None)
    }
}

fn begin(head: &FrameHead, payload: &[u8]) -> Result<Block, ReadError> {
    let too_short = ReadError::Frame("a frame is shorter than its fields");
    let mut rest = payload;
    if head.has(PADDED) {
        let (padding, after) = rest.split_first().ok_or(ReadError::Frame("no length of the padding"))?;
        let end = after.len().checked_sub(usize::from(*padding));
        rest = &after[..end.ok_or(ReadError::Frame("the padding is longer than its frame"))?];
    }
    let promise = head.kind == PUSH_PROMISE;
    let prefix = if promise {
        PROMISED_LENGTH
    } else if head.has(PRIORITY) {
        PRIORITY_LENGTH
    } else {
        0
    };
    let Some((prefix, bytes)) = rest.split_at_checked(prefix) else { return Err(too_short) };
    Ok(Block {
        stream: head.stream,
        end_stream: head.has(END_STREAM) && !promise,
        promise,
        flags: head.flags,
        priority: prefix.to_vec(),
        bytes: bytes.to_vec(),
    })
}
