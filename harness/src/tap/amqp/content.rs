//! The content behind `basic.publish`, `basic.deliver`, `basic.get-ok` and `basic.return`: one header frame, then the
//! body in any number of frames (AMQP 0-9-1 sections 2.3.5.2 and 4.2.6).
//!
//! Only the part of a body that is searched for marks is kept.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::cursor::Cursor;
use super::method::BASIC;
use super::table;
use crate::evidence::{CaptureMark, Field};
use crate::tap::read_error::ReadError;
use crate::tap::scene::Scene;
use crate::tap::search;

/// 64 KiB, and one more to show that there is more.
const KEPT: usize = 64 * 1024 + 1;

/// The part of a content that has arrived, and the method that it belongs to.
#[derive(Debug)]
pub struct PartialContent<O> {
    pub of: O,
    content: Option<Content>,
    left: u64,
}

#[derive(Debug)]
pub struct Content {
    size: u64,
    body: Vec<u8>,
    /// An error where they cannot be read.
    pub properties: Result<Properties, &'static str>,
}

/// The properties that matter, of fourteen.
#[derive(Debug, Default)]
pub struct Properties {
    pub headers: Vec<Field>,
    pub message_id: Option<String>,
    /// The queue from which it was dead-lettered first.
    pub moved_from: Option<String>,
    encoding: Option<Vec<u8>>,
}

impl<O> PartialContent<O> {
    pub fn new(of: O) -> Self {
        PartialContent { of, content: None, left: 0 }
    }

    pub fn header(&mut self, payload: &[u8]) -> Result<(), ReadError> {
        if self.content.is_some() {
            return Err(ReadError::AmqpFrame("a content has two headers"));
        }
        let mut cursor = Cursor(payload);
        let (Some(class), Some(_), Some(size)) = (cursor.short(), cursor.short(), cursor.long_long()) else {
            return Err(ReadError::AmqpFrame("a content header is shorter than its fields"));
        };
        if class != BASIC {
            return Err(ReadError::AmqpFrame("a content is not of the class `basic`"));
        }
        self.left = size;
        self.content = Some(Content { size, body: Vec::new(), properties: Properties::read(cursor) });
        Ok(())
    }

    pub fn body(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let Some(content) = &mut self.content else {
            return Err(ReadError::AmqpFrame("a body came before its header"));
        };
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(count);
        self.left = left.ok_or(ReadError::AmqpFrame("a body is longer than its header declares"))?;
        let kept = bytes.len().min(KEPT - content.body.len());
        content.body.extend_from_slice(&bytes[..kept]);
        Ok(())
    }

    pub fn is_complete(&self) -> bool {
        self.content.is_some() && self.left == 0
    }

    /// Returns method and content, once it is complete.
    pub fn into_parts(self) -> (O, Content) {
        (self.of, self.content.expect("a complete content has a header"))
    }
}

impl Content {
    /// Returns a hash that is the same for a message that the broker returns.
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.size, &self.body).hash(&mut hasher);
        for field in self.properties.iter().flat_map(|properties| &properties.headers) {
            (&field.name, &field.value).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Returns the body, unless it is longer than what is kept.
    pub fn whole_body(&mut self) -> Option<Vec<u8>> {
        (self.body.len() < KEPT).then(|| std::mem::take(&mut self.body))
    }

    pub fn marked(&self, scene: &Scene) -> CaptureMark {
        let Ok(properties) = &self.properties else { return CaptureMark::Absent };
        let headers = properties.headers.iter().map(|field| {
            let value = field.value.clone().unwrap_or_default();
            (field.name.clone(), value)
        });
        let encoding = properties.encoding.iter();
        let encoding = encoding.map(|encoding| (b"content-encoding".to_vec(), encoding.clone()));
        let headers: Vec<_> = headers.chain(encoding).collect();
        search::in_message(&scene.plan.markers, scene.run, &headers, &self.body)
    }
}

impl Properties {
    /// Parses flags in words of fifteen, of which the lowest bit announces another word, and then the properties.
    fn read(mut from: Cursor<'_>) -> Result<Properties, &'static str> {
        const SHORT: &str = "its properties are shorter than their flags declare";
        let flags = from.short().ok_or(SHORT)?;
        let mut more = flags & 1 == 1;
        while more {
            more = from.short().ok_or(SHORT)? & 1 == 1;
        }
        let mut read = Properties::default();
        // From the highest bit on; nothing after `message-id` matters.
        if has(flags, 15) {
            from.short_bytes().ok_or(SHORT)?;
        }
        if has(flags, 14) {
            read.encoding = Some(from.short_bytes().ok_or(SHORT)?.to_vec());
        }
        if has(flags, 13) {
            let entries = table::entries(from.long_bytes().ok_or(SHORT)?)?;
            read.moved_from = table::first_death(&entries);
            read.headers = entries.iter().map(table::TableEntry::field).collect();
        }
        // delivery-mode, priority
        for _ in (11..=12).filter(|bit| has(flags, *bit)) {
            from.octet().ok_or(SHORT)?;
        }
        // correlation-id, reply-to, expiration
        for _ in (8..=10).filter(|bit| has(flags, *bit)) {
            from.short_bytes().ok_or(SHORT)?;
        }
        if has(flags, 7) {
            read.message_id = Some(from.short_text().ok_or(SHORT)?);
        }
        Ok(read)
    }
}

fn has(flags: u16, bit: u16) -> bool {
    flags >> bit & 1 == 1
}
