//! The content behind `basic.publish`, `basic.deliver`, `basic.get-ok` and `basic.return`: one header frame, then the
//! body in as many frames as it likes (AMQP 0-9-1 sections 2.3.5.2 and 4.2.6).
//!
//! Of a body no more is kept than marks are looked for in.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::cursor::Cursor;
use super::method::BASIC;
use super::table;
use crate::evidence::{CaptureMark, Field};
use crate::tap::refused::Refused;
use crate::tap::scene::Scene;
use crate::tap::search;

/// 64 KiB, and one more to show that there is more.
const KEPT: usize = 64 * 1024 + 1;

/// What is there of a content so far, and what it belongs to.
#[derive(Debug)]
pub struct Arriving<O> {
    pub of: O,
    content: Option<Content>,
    left: u64,
}

#[derive(Debug)]
pub struct Content {
    size: u64,
    body: Vec<u8>,
    /// Or why they cannot be read.
    pub properties: Result<Properties, &'static str>,
}

/// Of the fourteen properties those that matter.
#[derive(Debug, Default)]
pub struct Properties {
    pub headers: Vec<Field>,
    pub message_id: Option<String>,
    /// The queue out of which it was dead-lettered first.
    pub moved_from: Option<String>,
    encoding: Option<Vec<u8>>,
}

impl<O> Arriving<O> {
    pub fn new(of: O) -> Self {
        Arriving { of, content: None, left: 0 }
    }

    pub fn header(&mut self, payload: &[u8]) -> Result<(), Refused> {
        if self.content.is_some() {
            return Err(Refused::AmqpFrame("a content has two headers"));
        }
        let short = || Refused::AmqpFrame("a content header is shorter than its fields");
        let mut cursor = Cursor(payload);
        let class = cursor.short().ok_or_else(short)?;
        cursor.short().ok_or_else(short)?;
        let size = cursor.long_long().ok_or_else(short)?;
        if class != BASIC {
            return Err(Refused::AmqpFrame("a content is not of the class `basic`"));
        }
        self.left = size;
        self.content = Some(Content { size, body: Vec::new(), properties: Properties::read(cursor) });
        Ok(())
    }

    pub fn body(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let Some(content) = &mut self.content else {
            return Err(Refused::AmqpFrame("a body comes before its header"));
        };
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(count);
        self.left = left.ok_or(Refused::AmqpFrame("a body is longer than its header says"))?;
        let kept = bytes.len().min(KEPT - content.body.len());
        content.body.extend_from_slice(&bytes[..kept]);
        Ok(())
    }

    pub fn is_complete(&self) -> bool {
        self.content.is_some() && self.left == 0
    }

    /// To be asked once it is complete.
    pub fn into_parts(self) -> (O, Content) {
        (self.of, self.content.expect("a complete content has a header"))
    }
}

impl Content {
    /// The same for a message that the broker gives back.
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.size, &self.body).hash(&mut hasher);
        for field in self.properties.iter().flat_map(|properties| &properties.headers) {
            (&field.name, &field.value).hash(&mut hasher);
        }
        hasher.finish()
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
    /// Flags in words of fifteen, the lowest bit of each says that one more follows, then what they announce.
    fn read(mut from: Cursor<'_>) -> Result<Properties, &'static str> {
        const SHORT: &str = "its properties are shorter than their flags say";
        let flags = from.short().ok_or(SHORT)?;
        let mut more = flags & 1 == 1;
        while more {
            more = from.short().ok_or(SHORT)? & 1 == 1;
        }
        let mut read = Properties::default();
        // From the highest bit on; behind `message-id` nothing matters.
        let has = |bit: u16| flags >> bit & 1 == 1;
        if has(15) {
            from.short_bytes().ok_or(SHORT)?;
        }
        if has(14) {
            read.encoding = Some(from.short_bytes().ok_or(SHORT)?.to_vec());
        }
        if has(13) {
            let entries = table::entries(from.long_bytes().ok_or(SHORT)?)?;
            read.moved_from = table::first_death(&entries);
            read.headers = entries.iter().map(table::Entry::field).collect();
        }
        // delivery-mode, priority
        for _ in (11..=12).filter(|bit| has(*bit)) {
            from.octet().ok_or(SHORT)?;
        }
        // correlation-id, reply-to, expiration
        for _ in (8..=10).filter(|bit| has(*bit)) {
            from.short_bytes().ok_or(SHORT)?;
        }
        if has(7) {
            read.message_id = Some(from.short_text().ok_or(SHORT)?);
        }
        Ok(read)
    }
}
