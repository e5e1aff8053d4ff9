//! One request or message as a tap saw it: raw bytes, order and duplicates kept.

use crate::plan::{Mark, TapIx};

/// Index into `Evidence::captures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureIx(pub usize);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub tap: TapIx,
    pub protocol: Protocol,
    /// Counts the connections of one tap, from 0.
    pub connection: u32,
    /// HTTP/2 stream id; for HTTP/1.1 the number of the request on its connection, from 0.
    pub stream: u32,
    /// Since the start of the case; when the head was complete.
    pub begun_nanos: u64,
    /// When the answer was complete, or the request ended otherwise.
    pub ended_nanos: Option<u64>,
    pub method: String,
    /// The path without its query; what is not UTF-8 is shown as U+FFFD.
    pub path: String,
    /// Field lines as they stood on the wire; on HTTP/2 without the pseudo-header fields.
    pub headers: Vec<Field>,
    pub trailers: Vec<Field>,
    pub marked: CaptureMark,
    pub end: CaptureEnd,
    /// What only a message has; `None` for a call.
    pub message: Option<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
    Kafka,
    Amqp,
    Sqs,
}

/// A message on its way to a broker, or from there to whom it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub direction: MessageDirection,
    /// The topic or queue; for what is published to RabbitMQ the exchange, empty for the default one.
    pub destination: String,
    /// RabbitMQ.
    pub routing_key: Option<String>,
    /// Who reads, where several read the same: the Kafka consumer group.
    pub reader: Option<String>,
    /// SQS: the id that the broker gave it. RabbitMQ: the `message-id` property.
    pub id: Option<String>,
    /// Kafka: partition and offset.
    pub offset: Option<(i32, i64)>,
    /// Which delivery this is as the broker counts it, from 1; RabbitMQ only tells the first from all others.
    pub deliveries: u32,
    /// RabbitMQ: the queue out of which it was dead-lettered first.
    pub moved_from: Option<String>,
    /// Messages that came in one answer share this number.
    pub receive: Option<u64>,
    /// Published, and not taken: why, as the broker says it.
    pub refused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDirection {
    Published,
    Delivered,
}

impl MessageDirection {
    pub fn word(self) -> &'static str {
        match self {
            MessageDirection::Published => "published",
            MessageDirection::Delivered => "delivered",
        }
    }
}

impl Message {
    pub fn new(direction: MessageDirection, destination: impl Into<String>) -> Message {
        Message {
            direction,
            destination: destination.into(),
            routing_key: None,
            reader: None,
            id: None,
            offset: None,
            deliveries: 1,
            moved_from: None,
            receive: None,
            refused: None,
        }
    }
}

/// One field line or message header. A value that must not leave memory is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: Vec<u8>,
    pub value: Option<Vec<u8>>,
    pub kind: FieldKind,
}

/// What a value is on its transport; lines of HTTP and values of Kafka headers are text, whatever their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// AMQP long string, SQS String.
    Text,
    /// AMQP byte array, SQS Binary.
    Bytes,
    /// AMQP integer or floating-point number, SQS Number; the value is its text.
    Number,
    /// Kafka null, AMQP void.
    Null,
    /// Any other AMQP type.
    Other,
    /// An SQS system attribute (`AWSTraceHeader`).
    System,
}

impl FieldKind {
    pub const ALL: [FieldKind; 6] = [
        FieldKind::Text,
        FieldKind::Bytes,
        FieldKind::Number,
        FieldKind::Null,
        FieldKind::Other,
        FieldKind::System,
    ];

    pub fn word(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Bytes => "bytes",
            FieldKind::Number => "number",
            FieldKind::Null => "null",
            FieldKind::Other => "other",
            FieldKind::System => "system",
        }
    }
}

impl Field {
    pub fn text(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Field {
        Field { name: name.into(), value: Some(value.into()), kind: FieldKind::Text }
    }
}

/// Whether the capture shows which stimulus it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureMark {
    By(Mark),
    Absent,
    /// The marker may be there and could not be read: beyond the first 64 KiB, or in an encoding.
    Unreadable(String),
}

/// How the request ended, as the wire shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureEnd {
    /// An answer with this HTTP status; for gRPC also its status from the trailers.
    Answered { status: u16, grpc_status: Option<u32> },
    /// The connection or stream ended without a complete answer; by whom and how.
    Broken(String),
    /// Still under way when the evidence was frozen.
    Open,
    /// A message: what became of it.
    Settled(Settlement),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Published, and the broker took it (or was not asked to say so).
    Accepted,
    /// Published, and the broker would not take it or could not route it.
    Refused,
    /// Delivered and processed: acknowledged, deleted, or its offset committed.
    Done,
    /// Delivered and given back, to be delivered again.
    Returned,
    /// Delivered and given up.
    Rejected,
}

impl Settlement {
    pub const ALL: [Settlement; 5] = [
        Settlement::Accepted,
        Settlement::Refused,
        Settlement::Done,
        Settlement::Returned,
        Settlement::Rejected,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Settlement::Accepted => "accepted",
            Settlement::Refused => "refused",
            Settlement::Done => "done",
            Settlement::Returned => "returned",
            Settlement::Rejected => "rejected",
        }
    }
}

impl CaptureEnd {
    /// Answered as a success: below 400, and gRPC OK where there is a gRPC status.
    pub fn is_success(&self) -> bool {
        match self {
            CaptureEnd::Answered { status, grpc_status } => {
                *status < 400 && grpc_status.is_none_or(|code| code == 0)
            }
            CaptureEnd::Settled(how) => matches!(how, Settlement::Accepted | Settlement::Done),
            CaptureEnd::Broken(_) | CaptureEnd::Open => false,
        }
    }
}

impl Capture {
    /// The values of the field lines with this name, case ignored, in their order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|field| field.value.as_deref())
    }
}
