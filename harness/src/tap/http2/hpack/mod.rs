//! Header compression of HTTP/2 as a reader beside the stream needs it (RFC 7541).
//!
//! The table's size follows the updates in the blocks alone: an encoder must announce every change there (section 4.2),
//! so the settings that allowed it need not be known. It is bounded: a list larger than `LIST_LIMIT` is rejected.

use std::collections::VecDeque;

use super::huffman;
use crate::evidence::RawFields;
use crate::tap::read_error::ReadError;

/// The largest decoded list; a small block may name a large entry many times.
const LIST_LIMIT: usize = 1024 * 1024;
/// The largest dynamic table that is followed.
const TABLE_LIMIT: usize = 1024 * 1024;
/// The size of an entry besides its bytes (section 4.1).
const ENTRY_OVERHEAD: usize = 32;
/// The size before any update (RFC 9113 section 6.5.2).
const INITIAL_SIZE: usize = 4096;

#[derive(Debug)]
pub struct Decoder {
    /// Newest first.
    table: VecDeque<(Vec<u8>, Vec<u8>)>,
    size: usize,
    limit: usize,
}

impl Decoder {
    pub fn new() -> Self {
        Self { table: VecDeque::new(), size: 0, limit: INITIAL_SIZE }
    }

    /// Decodes a whole header block.
    pub fn decode(&mut self, block: &[u8]) -> Result<RawFields, ReadError> {
        let mut block = Block { rest: block };
        let (mut fields, mut size) = (RawFields::new(), 0);
        while let Some(first) = block.rest.first().copied() {
            let field = match first {
                0x80.. => self.entry(block.integer(7)?)?.to_owned(),
                0x40.. => {
                    let field = self.literal(&mut block, 6)?;
                    self.add(field.clone());
                    field
                }
                0x20.. => {
                    self.resize(block.integer(5)?)?;
                    continue;
                }
                _ => self.literal(&mut block, 4)?,
            };
            size += field.0.len() + field.1.len() + ENTRY_OVERHEAD;
            if size > LIST_LIMIT {
                return Err(ReadError::TooLong);
            }
            fields.push(field);
        }
        Ok(fields)
    }

    fn literal(&self, block: &mut Block<'_>, prefix: u32) -> Result<(Vec<u8>, Vec<u8>), ReadError> {
        let name = match block.integer(prefix)? {
            0 => block.string()?,
            index => self.entry(index)?.0.to_vec(),
        };
        Ok((name, block.string()?))
    }

    fn entry(&self, index: usize) -> Result<Pair<'_>, ReadError> {
        let at = index.checked_sub(1).ok_or(ReadError::Hpack("index 0"))?;
        if let Some((name, value)) = STATIC.get(at) {
            return Ok(Pair(name.as_bytes(), value.as_bytes()));
        }
        let entry = self.table.get(at - STATIC.len());
        entry
            .map(|(name, value)| Pair(name, value))
            .ok_or(ReadError::Hpack("an index beyond the dynamic table"))
    }

    fn add(&mut self, entry: (Vec<u8>, Vec<u8>)) {
        self.size += size_of(&entry);
        self.table.push_front(entry);
        self.evict();
    }

    fn resize(&mut self, limit: usize) -> Result<(), ReadError> {
        if limit > TABLE_LIMIT {
            return Err(ReadError::Hpack("a dynamic table of more than 1 MiB"));
        }
        self.limit = limit;
        self.evict();
        Ok(())
    }

    fn evict(&mut self) {
        while self.size > self.limit {
            let Some(oldest) = self.table.pop_back() else { break };
            self.size -= size_of(&oldest);
        }
    }
}

struct Pair<'a>(&'a [u8], &'a [u8]);

impl Pair<'_> {
    fn to_owned(&self) -> (Vec<u8>, Vec<u8>) {
        (self.0.to_vec(), self.1.to_vec())
    }
}

fn size_of(entry: &(Vec<u8>, Vec<u8>)) -> usize {
    entry.0.len() + entry.1.len() + ENTRY_OVERHEAD
}

/// The rest of a block.
struct Block<'a> {
    rest: &'a [u8],
}

impl<'a> Block<'a> {
    fn byte(&mut self) -> Result<u8, ReadError> {
        let (first, rest) = self.rest.split_first().ok_or(ReadError::Hpack("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads an integer whose first byte has `prefix` bits for it (section 5.1).
    fn integer(&mut self, prefix: u32) -> Result<usize, ReadError> {
        let most = (1usize << prefix) - 1;
        let mut value = usize::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ReadError::Hpack("an integer is too long"))
    }

    /// Reads a string, plain or in the Huffman code (section 5.2).
    fn string(&mut self) -> Result<Vec<u8>, ReadError> {
        let coded = self.rest.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.integer(7)?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(ReadError::Hpack("it ends too early"))?;
        self.rest = rest;
        if !coded {
            return Ok(text.to_vec());
        }
        huffman::decode(text).ok_or(ReadError::Hpack("a string is not in the Huffman code"))
    }
}

/// Encodes fields as literals that no table keeps, so that nothing depends on what was encoded before.
///
/// The block sets the dynamic table's size to 0 first, which every limit allows.
pub fn encode_plainly(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut block = vec![0x20];
    for (name, value) in fields {
        block.push(0x00);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

fn push_length(block: &mut Vec<u8>, length: usize) {
    let Some(mut left) = length.checked_sub(127) else {
        return block.push(u8::try_from(length).expect("less than 127"));
    };
    block.push(127);
    while left >= 128 {
        block.push(u8::try_from(left % 128).expect("less than 128") | 0x80);
        left /= 128;
    }
    block.push(u8::try_from(left).expect("less than 128"));
}

/// RFC 7541 appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests;
