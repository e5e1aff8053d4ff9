//! Follows a body of HTTP/1.1 to its end without keeping it (RFC 9112 sections 6 and 7).

use super::fields::parse_trailers;
use super::section::Section;
use crate::evidence::RawFields;
use crate::tap::read_error::ReadError;

/// A chunk's size line with its extensions.
const SIZE_LINE_LIMIT: usize = 16 * 1024;

#[derive(Debug)]
pub enum Body {
    Length(u64),
    Chunks(ChunkReader),
    /// Until the connection ends.
    UntilEnd,
}

#[derive(Debug)]
pub struct ChunkReader {
    of: &'static str,
    at: ChunkState,
    trailers: RawFields,
}

#[derive(Debug)]
enum ChunkState {
    Size(Vec<u8>),
    Data(u64),
    /// The line end after a chunk's data.
    DataEnd,
    Trailers(Section),
    End,
}

impl Body {
    pub fn length(length: u64) -> Self {
        Body::Length(length)
    }

    pub fn chunked(of: &'static str) -> Self {
        Body::Chunks(ChunkReader { of, at: ChunkState::Size(Vec::new()), trailers: RawFields::new() })
    }

    pub fn is_complete(&self) -> bool {
        match self {
            Body::Length(left) => *left == 0,
            Body::Chunks(chunks) => matches!(chunks.at, ChunkState::End),
            Body::UntilEnd => false,
        }
    }

    /// Reads what belongs to the body and passes its content to `data`; returns the number of bytes read.
    pub fn read(&mut self, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> Result<usize, ReadError> {
        match self {
            Body::UntilEnd => {
                data(bytes);
                Ok(bytes.len())
            }
            Body::Length(left) => Ok(take(left, bytes, data)),
            Body::Chunks(chunks) => chunks.read(bytes, data),
        }
    }

    pub fn into_trailers(self) -> RawFields {
        match self {
            Body::Chunks(chunks) => chunks.trailers,
            Body::Length(_) | Body::UntilEnd => RawFields::new(),
        }
    }
}

impl ChunkReader {
    fn read(&mut self, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> Result<usize, ReadError> {
        let mut used = 0;
        while used < bytes.len() && !matches!(self.at, ChunkState::End) {
            used += self.step(&bytes[used..], data)?;
        }
        Ok(used)
    }

    fn step(&mut self, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> Result<usize, ReadError> {
        match &mut self.at {
            ChunkState::Size(line) => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let taken = end.map_or(bytes.len(), |at| at + 1);
                line.extend_from_slice(&bytes[..taken]);
                if line.len() > SIZE_LINE_LIMIT {
                    return Err(ReadError::Chunk(self.of));
                }
                if end.is_some() {
                    self.at = match chunk_size(line).ok_or(ReadError::Chunk(self.of))? {
                        0 => ChunkState::Trailers(Section::trailers()),
                        size => ChunkState::Data(size),
                    };
                }
                Ok(taken)
            }
            ChunkState::Data(left) => {
                let taken = take(left, bytes, data);
                if *left == 0 {
                    self.at = ChunkState::DataEnd;
                }
                Ok(taken)
            }
            ChunkState::DataEnd => match bytes[0] {
                b'\r' => Ok(1),
                b'\n' => {
                    self.at = ChunkState::Size(Vec::new());
                    Ok(1)
                }
                _ => Err(ReadError::Chunk(self.of)),
            },
            ChunkState::Trailers(section) => {
                let (taken, complete) = section.read(bytes)?;
                if complete {
                    self.trailers = parse_trailers(&section.bytes)?;
                    self.at = ChunkState::End;
                }
                Ok(taken)
            }
            ChunkState::End => Ok(0),
        }
    }
}

fn take(left: &mut u64, bytes: &[u8], data: &mut dyn FnMut(&[u8])) -> usize {
    let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    data(&bytes[..taken]);
    *left -= taken as u64;
    taken
}

/// Parses the size in a chunk's first line; extensions after `;` are skipped.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let text = std::str::from_utf8(size).ok()?;
    if text.starts_with('+') {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}
