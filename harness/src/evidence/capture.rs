//! One request or message as a tap saw it, with raw bytes, order and duplicates.

use compact_str::CompactString;

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
    /// When the head was complete, since the start of the case.
    pub begun_nanos: u64,
    /// When the answer was complete, or the request ended in another way.
    pub ended_nanos: Option<u64>,
    pub method: CompactString,
    /// The path without its query; invalid UTF-8 is replaced by U+FFFD.
    pub path: CompactString,
    /// Field lines as they were on the wire; on HTTP/2 without the pseudo-header fields.
    pub headers: Vec<Field>,
    pub trailers: Vec<Field>,
    pub marked: CaptureMark,
    /// The marks of the messages of a gRPC stream after the first marked one, in their order, with repeats.
    pub further_marks: Vec<Mark>,
    pub end: CaptureEnd,
    /// The properties that only a message has; `None` for a call.
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

/// A message that is published to a broker, or delivered by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub direction: MessageDirection,
    /// The topic or queue; for a message published to RabbitMQ the exchange, empty for the default one.
    pub destination: String,
    /// RabbitMQ.
    pub routing_key: Option<String>,
    /// The reader of a destination with several readers: the Kafka consumer group.
    pub reader: Option<String>,
    /// SQS: the id that the broker assigned. RabbitMQ: the `message-id` property.
    pub id: Option<String>,
    /// Kafka: partition and offset.
    pub offset: Option<(i32, i64)>,
    /// The number of this delivery as the broker counts it, from 1; RabbitMQ distinguishes only the first from the
    /// others.
    pub deliveries: u32,
    /// RabbitMQ: the queue from which it was first dead-lettered.
    pub moved_from: Option<String>,
    /// Messages of one answer share this number.
    pub receive: Option<u64>,
    /// Published and not accepted: the reason that the broker reports.
    pub refused: Option<String>,
    /// SQS: the names of attributes that were sent and that its receiver did not request. They stand among the headers.
    pub not_requested: Vec<String>,
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
            not_requested: Vec::new(),
        }
    }
}

/// Names and values of fields as they are on the wire, in their order; duplicates are kept.
pub type RawFields = Vec<(Vec<u8>, Vec<u8>)>;

/// One field line or message header. A value that must not be kept is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: Vec<u8>,
    pub value: Option<Vec<u8>>,
    pub kind: FieldKind,
}

/// The type of a value on its transport; lines of HTTP and values of Kafka headers are text, whatever their bytes.
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
    /// A member of the JSON body, on a hop whose body carries the context.
    Json,
    /// A header on such a hop: what the body carries is judged.
    BesideBody,
}

impl FieldKind {
    pub const ALL: [FieldKind; 8] = [
        FieldKind::Text,
        FieldKind::Bytes,
        FieldKind::Number,
        FieldKind::Null,
        FieldKind::Other,
        FieldKind::System,
        FieldKind::Json,
        FieldKind::BesideBody,
    ];

    pub fn word(self) -> &'static str {
        match self {
            FieldKind::Text => "text",
            FieldKind::Bytes => "bytes",
            FieldKind::Number => "number",
            FieldKind::Null => "null",
            FieldKind::Other => "other",
            FieldKind::System => "system",
            FieldKind::Json => "json",
            FieldKind::BesideBody => "beside-body",
        }
    }
}

impl Field {
    pub fn text(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Field {
        Field { name: name.into(), value: Some(value.into()), kind: FieldKind::Text }
    }

    pub fn name_text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// The relation of a capture to a stimulus, as its marker shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureMark {
    By(Mark),
    Absent,
    /// A marker could not be searched: beyond the first 64 KiB, or in an encoding.
    Unreadable(String),
}

/// The end of a request, as the wire shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureEnd {
    /// An answer with this HTTP status; for gRPC also the status of the trailers.
    Answered { status: u16, grpc_status: Option<u32> },
    /// The connection or stream ended without a complete answer: which peer ended it, and how.
    Broken(String),
    /// In progress when the evidence was frozen.
    Open,
    /// The outcome of a message.
    Settled(Settlement),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Published, and accepted by the broker (or without a confirmation, if none was requested).
    Accepted,
    /// Published, and rejected or not routed by the broker.
    Refused,
    /// Delivered and processed: acknowledged, deleted, or its offset committed.
    Done,
    /// Delivered and returned, to be delivered again.
    Returned,
    /// Delivered and rejected: discarded or dead-lettered.
    Rejected,
    /// Before the first position of its consumer group: never read, although a commit has passed it.
    Skipped,
}

impl Settlement {
    pub const ALL: [Settlement; 6] = [
        Settlement::Accepted,
        Settlement::Refused,
        Settlement::Done,
        Settlement::Returned,
        Settlement::Rejected,
        Settlement::Skipped,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Settlement::Accepted => "accepted",
            Settlement::Refused => "refused",
            Settlement::Done => "done",
            Settlement::Returned => "returned",
            Settlement::Rejected => "rejected",
            Settlement::Skipped => "skipped",
        }
    }
}

impl CaptureEnd {
    /// Returns whether a reader took a delivered message; the commits of a group pass records that it skipped, too.
    pub fn was_read(&self) -> bool {
        match self {
            CaptureEnd::Answered { .. } => true,
            CaptureEnd::Settled(how) => *how != Settlement::Skipped,
            CaptureEnd::Broken(_) | CaptureEnd::Open => false,
        }
    }

    /// Returns whether it succeeded: a status below 400, and gRPC OK if there is a gRPC status.
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
    /// Returns the fields that may carry the context: all headers, or where the body carries it its members.
    pub fn context_fields(&self) -> impl Iterator<Item = &Field> {
        self.headers.iter().filter(|field| field.kind != FieldKind::BesideBody)
    }

    /// Returns the values of the field lines with this name, case ignored, in their order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.context_fields()
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|field| field.value.as_deref())
    }
}
