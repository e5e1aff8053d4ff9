//! Attributes of messages in requests and in answers.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json::Json;
use crate::evidence::{Field, FieldKind};

/// The only system attribute that is sent, and the only one that is context.
pub const TRACE_HEADER: &str = "AWSTraceHeader";

/// Returns the message attributes of a message that is sent or received, in the order of the text.
pub fn attributes(message: &Json) -> Vec<Field> {
    let objects = message.all("MessageAttributes").flat_map(Json::members);
    objects.map(|(name, value)| field(name, value)).collect()
}

/// Returns the system attributes of a message that is sent.
pub fn system_attributes_sent(message: &Json) -> impl Iterator<Item = Field> {
    let objects = message.all("MessageSystemAttributes").flat_map(Json::members);
    objects.map(|(name, value)| Field { kind: FieldKind::System, ..field(name, value) })
}

/// Returns the system attributes of a received message that its sender set; the service adds its own.
pub fn system_attributes_received(message: &Json) -> impl Iterator<Item = Field> {
    let headers = message.member("Attributes").all(TRACE_HEADER);
    headers.map(|value| Field {
        kind: FieldKind::System,
        ..Field::text(TRACE_HEADER, value.text().unwrap_or_default())
    })
}

/// Parses an attribute. A data type may have a suffix behind a dot (`Number.int`). A value that does not fit its type
/// is kept as it is, as `Other`.
fn field(name: &str, value: &Json) -> Field {
    let data_type = value.text_of("DataType").unwrap_or_default();
    let (text, binary) = (value.text_of("StringValue"), value.text_of("BinaryValue"));
    let decoded = binary.and_then(|binary| STANDARD.decode(binary).ok());
    let as_it_stands = text.or(binary).unwrap_or_default().as_bytes().to_vec();
    let (kind, value) = match (data_type.split('.').next(), text, decoded) {
        (Some("String"), Some(text), _) => (FieldKind::Text, text.as_bytes().to_vec()),
        (Some("Number"), Some(text), _) => (FieldKind::Number, text.as_bytes().to_vec()),
        (Some("Binary"), _, Some(decoded)) => (FieldKind::Bytes, decoded),
        _ => (FieldKind::Other, as_it_stands),
    };
    Field { name: name.as_bytes().to_vec(), value: Some(value), kind }
}
