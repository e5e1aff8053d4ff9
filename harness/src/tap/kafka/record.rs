//! The captures of one record: header keys and values byte for byte, in their order, duplicates kept.

use std::ffi::CStr;
use std::ptr;
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::message::{BorrowedMessage, Message as _};

use crate::evidence::{
    CaptureMark, Field, FieldKind, Message, MessageDirection, MessageHead, Protocol, Recording,
};
use crate::tap::scene::Scene;
use crate::tap::search::in_message;

/// The part of a record that the tap keeps.
pub struct Record {
    topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Kept where it carries the context.
    body: Option<Vec<u8>>,
    fields: Vec<Field>,
    marked: CaptureMark,
    /// When it was made, by its producer or its broker, to the millisecond.
    pub made: Option<Duration>,
}

impl Record {
    pub fn new(scene: &Scene, message: &BorrowedMessage<'_>) -> Record {
        let fields = fields(message);
        let headers: Vec<(Vec<u8>, Vec<u8>)> = fields
            .iter()
            .map(|field| (field.name.clone(), field.value.clone().unwrap_or_default()))
            .collect();
        let body = message.payload().unwrap_or_default();
        let marked = in_message(&scene.plan.markers, scene.run, &headers, body);
        let (partition, offset) = (message.partition(), message.offset());
        let millis = message.timestamp().to_millis().and_then(|millis| u64::try_from(millis).ok());
        let made = millis.map(Duration::from_millis);
        let carries = scene.plan.carrier(Some(message.topic())).is_some();
        let body = carries.then(|| body.to_vec());
        Record { topic: message.topic().to_owned(), partition, offset, body, fields, marked, made }
    }

    pub fn published(&self, scene: &Scene) -> Recording {
        self.record(scene, Message::new(MessageDirection::Published, &*self.topic))
    }

    pub fn delivered(&self, scene: &Scene, group: &str) -> Recording {
        let message = Message::new(MessageDirection::Delivered, &*self.topic);
        self.record(scene, Message { reader: Some(group.to_owned()), ..message })
    }

    fn record(&self, scene: &Scene, message: Message) -> Recording {
        let recording = scene.writer.recorder.message(MessageHead {
            tap: scene.writer.tap,
            protocol: Protocol::Kafka,
            connection: 0,
            stream: u32::try_from(self.partition).unwrap_or_default(),
            message: Message { offset: Some((self.partition, self.offset)), ..message },
            fields: self.fields.clone(),
            kept: scene.writer.kept.clone(),
            marked: self.marked.clone(),
        });
        if let Some(body) = &self.body {
            scene.body_context(Some(&self.topic), body, &recording);
        }
        recording
    }
}

/// Returns the headers. `rdkafka` returns keys as text only and panics at others; on the wire they are bytes.
fn fields(message: &BorrowedMessage<'_>) -> Vec<Field> {
    let mut headers = ptr::null_mut();
    // SAFETY: the message lives as long as its borrow. The headers are its own: they live as long, and are not freed
    // here.
    let found = unsafe { bindings::rd_kafka_message_headers(message.ptr(), &mut headers) };
    if found != bindings::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Vec::new();
    }
    // SAFETY: as above.
    let count = unsafe { bindings::rd_kafka_header_cnt(headers) };
    (0..count).filter_map(|ix| field(headers, ix)).collect()
}

fn field(headers: *const bindings::rd_kafka_headers_t, ix: usize) -> Option<Field> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the caller's headers live; all three are written when there is such a header, and only then.
    let found = unsafe { bindings::rd_kafka_header_get_all(headers, ix, &mut name, &mut value, &mut length) };
    if found != bindings::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return None;
    }
    // SAFETY: a name ends with a zero byte.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes().to_vec();
    if value.is_null() {
        return Some(Field { name, value: None, kind: FieldKind::Null });
    }
    // SAFETY: the value has so many bytes.
    let value = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), length) };
    Some(Field { name, value: Some(value.to_vec()), kind: FieldKind::Text })
}
