//! `google.rpc.Status`, its details, and the answers of the export methods, in protobuf and in JSON.
//!
//! Clause: OTLP/HTTP "Failures": the body of each 4xx and 5xx is a `Status` in the request's encoding; `BadRequest`
//! and `RetryInfo` as in `google/rpc/error_details.proto`.

use std::time::Duration;

use crate::json::print::quote;
use crate::protobuf::{WireType, Writer};
use crate::store::{Encoding, Signal};

const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// A gRPC code.
    pub code: u32,
    pub message: String,
    /// The description of a `BadRequest`'s only violation.
    pub bad_request: Option<String>,
    /// The delay of a `RetryInfo`.
    pub retry_after: Option<Duration>,
}

/// Shortens a text to so many bytes, at the border of a character.
pub fn shorten(text: &mut String, most: usize) {
    while text.len() > most {
        text.pop();
    }
}

impl Status {
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.protobuf(),
            Encoding::Json | Encoding::Other => self.json().into_bytes(),
        }
    }

    pub fn protobuf(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        if self.code != 0 {
            writer.key(1, WireType::Varint);
            writer.varint(u64::from(self.code));
        }
        writer.length_delimited(2, self.message.as_bytes());
        if let Some(description) = &self.bad_request {
            let mut violation = Writer::default();
            violation.length_delimited(2, description.as_bytes());
            let mut detail = Writer::default();
            detail.length_delimited(1, &violation.into_bytes());
            any(&mut writer, BAD_REQUEST, &detail.into_bytes());
        }
        if let Some(delay) = self.retry_after {
            let mut duration = Writer::default();
            duration.key(1, WireType::Varint);
            duration.varint(delay.as_secs());
            duration.key(2, WireType::Varint);
            duration.varint(u64::from(delay.subsec_nanos()));
            let mut detail = Writer::default();
            detail.length_delimited(1, &duration.into_bytes());
            any(&mut writer, RETRY_INFO, &detail.into_bytes());
        }
        writer.into_bytes()
    }

    pub fn json(&self) -> String {
        let mut out = format!("{{\"code\":{},\"message\":", self.code);
        quote(&self.message, &mut out);
        let mut details = Vec::new();
        if let Some(description) = &self.bad_request {
            let mut detail = format!("{{\"@type\":\"{BAD_REQUEST}\",\"fieldViolations\":[{{\"description\":");
            quote(description, &mut detail);
            detail.push_str("}]}");
            details.push(detail);
        }
        if let Some(delay) = self.retry_after {
            let seconds = format!("{}.{:09}s", delay.as_secs(), delay.subsec_nanos());
            details.push(format!("{{\"@type\":\"{RETRY_INFO}\",\"retryDelay\":\"{seconds}\"}}"));
        }
        if !details.is_empty() {
            out.push_str(&format!(",\"details\":[{}]", details.join(",")));
        }
        out.push('}');
        out
    }
}

fn any(writer: &mut Writer, type_url: &str, value: &[u8]) {
    let begun = writer.begin(3);
    writer.length_delimited(1, type_url.as_bytes());
    writer.length_delimited(2, value);
    writer.end(begun);
}

/// The content of a partial success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    pub rejected: u64,
    pub message: String,
}

/// Returns an `Export…Response`; with nothing rejected and no message its `partial_success` is unset.
pub fn export_response(signal: Signal, encoding: Encoding, partial: Option<&Partial>) -> Vec<u8> {
    match (partial, encoding) {
        (None, Encoding::Protobuf) => Vec::new(),
        (None, _) => b"{}".to_vec(),
        (Some(partial), Encoding::Protobuf) => {
            let mut writer = Writer::default();
            let begun = writer.begin(1);
            if partial.rejected > 0 {
                writer.key(1, WireType::Varint);
                writer.varint(partial.rejected);
            }
            if !partial.message.is_empty() {
                writer.length_delimited(2, partial.message.as_bytes());
            }
            writer.end(begun);
            writer.into_bytes()
        }
        (Some(partial), _) => {
            let name = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Profiles => "rejectedProfiles",
            };
            let rejected = partial.rejected;
            let mut out = format!("{{\"partialSuccess\":{{\"{name}\":\"{rejected}\",\"errorMessage\":");
            quote(&partial.message, &mut out);
            out.push_str("}}");
            out.into_bytes()
        }
    }
}
