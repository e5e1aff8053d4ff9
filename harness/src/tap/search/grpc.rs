//! The search through the messages of a gRPC request, one after the other (gRPC over HTTP/2,
//! "Length-Prefixed-Message").
//!
//! It keeps at most the first 64 KiB of one message, and does not decompress. Messages are bytes here: no schema is
//! known, so markers that name a member of the body are not found.

use super::{COPIED, find};
use crate::evidence::CaptureMark;
use crate::plan::Mark;

/// The compressed-flag and the length before each message.
const PREFIX: usize = 5;

#[derive(Debug)]
pub struct MessageSearch {
    key: Vec<u8>,
    /// Found in the path, which counts only when no declared marker has one.
    path: Option<Mark>,
    prefix: [u8; PREFIX],
    filled: usize,
    /// The bytes of the message that are still to come.
    left: u64,
    copied: Vec<u8>,
    longer: bool,
    /// The number of the message, from 1.
    number: u64,
}

impl MessageSearch {
    pub fn new(key: Vec<u8>, path: Option<Mark>) -> Self {
        Self {
            key,
            path,
            prefix: [0; PREFIX],
            filled: 0,
            left: 0,
            copied: Vec::new(),
            longer: false,
            number: 1,
        }
    }

    /// Searches more of the stream; passes the result of each message that is complete now to `found`.
    pub fn read(&mut self, bytes: &[u8], found: &mut dyn FnMut(CaptureMark)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = if self.filled < PREFIX { self.read_prefix(rest) } else { self.read_message(rest) };
            rest = &rest[taken..];
            if self.filled == PREFIX && self.left == 0 {
                self.complete(found);
            }
        }
    }

    /// Ends the search: the rest of an incomplete message does not come.
    pub fn finish(&mut self, found: &mut dyn FnMut(CaptureMark)) {
        if self.filled > 0 {
            self.complete(found);
        }
    }

    fn read_prefix(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(PREFIX - self.filled);
        self.prefix[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == PREFIX {
            let [_, a, b, c, d] = self.prefix;
            self.left = u64::from(u32::from_be_bytes([a, b, c, d]));
        }
        taken
    }

    fn read_message(&mut self, bytes: &[u8]) -> usize {
        let taken = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let copied = taken.min(COPIED - self.copied.len());
        self.copied.extend_from_slice(&bytes[..copied]);
        self.longer |= copied < taken;
        self.left -= taken as u64;
        taken
    }

    fn complete(&mut self, found: &mut dyn FnMut(CaptureMark)) {
        if let Some(mark) = self.result() {
            found(mark);
        }
        self.filled = 0;
        self.copied.clear();
        self.longer = false;
        self.number += 1;
    }

    fn result(&mut self) -> Option<CaptureMark> {
        if let Some(mark) = self.path.take().or_else(|| find(&self.key, &self.copied)) {
            return Some(CaptureMark::By(mark));
        }
        let number = self.number;
        if self.prefix[0] != 0 && !self.copied.is_empty() {
            return Some(CaptureMark::Unreadable(format!("gRPC message {number} is compressed")));
        }
        if self.longer {
            let why = format!("the first 64 KiB of gRPC message {number} have no mark");
            return Some(CaptureMark::Unreadable(why));
        }
        None
    }
}
