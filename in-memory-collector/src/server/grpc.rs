//! OTLP/gRPC: the framing of one unary call, its status and its deadline.
//!
//! No streaming and no reflection. Clause: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>; OTLP/gRPC.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use super::body::Unread;
use super::call::{Call, Ticket, header_bytes, media_type};
use super::compression::{self, ACCEPTED};
use super::intake;
use super::refusal::Refusal;
use super::reply::GrpcReply;
use super::status::{Status, export_response, shorten};
use crate::store::{Compression, Encoding, Outcome, Signal};

/// Flag and length before a message.
const FRAME_HEAD: usize = 5;

pub const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

pub async fn answer(call: &mut Call, ticket: Ticket) -> GrpcReply {
    let most = usize::try_from(call.endpoint.shared.limits.response_bytes).unwrap_or(usize::MAX);
    let Some(timeout) = timeout(&call.head) else { return respond(export(call, ticket).await, most) };
    let endpoint = call.endpoint.clone();
    match tokio::time::timeout(timeout, export(call, ticket)).await {
        Ok(result) => respond(result, most),
        Err(_) => {
            drop(endpoint);
            respond(Err(Refusal::Deadline(timeout)), most)
        }
    }
}

async fn export(call: &mut Call, mut ticket: Ticket) -> Result<Signal, Refusal> {
    let result = read(call, &mut ticket).await;
    let message = match result {
        Ok(message) => message,
        Err(Unread::Refused(refusal)) => {
            ticket.finish(Outcome::Refused(refusal.clone()));
            return Err(refusal);
        }
        Err(Unread::Broken(why)) => {
            ticket.finish(Outcome::Abandoned(why.clone()));
            return Err(Refusal::Malformed(why));
        }
    };
    let signal = ticket.signal();
    intake::take(ticket, message).await.map(|()| signal)
}

/// The message without its frame.
async fn read(call: &mut Call, ticket: &mut Ticket) -> Result<Bytes, Unread> {
    let limits = call.endpoint.shared.limits.clone();
    let signal = signal(call.head.uri.path());
    let named = compression::named(header_bytes(&call.head, GRPC_ENCODING));
    let record = ticket.record();
    record.signal = signal;
    record.compression = named;
    record.encoding = Encoding::Protobuf;
    if signal.is_none() {
        return Err(Unread::Refused(Refusal::UnknownPath(call.head.uri.path().to_owned())));
    }
    let media_type = media_type(&call.head);
    if !matches!(media_type.as_slice(), b"application/grpc" | b"application/grpc+proto") {
        let name = String::from_utf8_lossy(&media_type).into_owned();
        return Err(Unread::Refused(Refusal::UnknownMediaType(name)));
    }
    let most = limits.message_bytes.saturating_add(FRAME_HEAD as u64);
    let body =
        call.body.collect(most, limits.body_timeout, &mut ticket.admission).await.map_err(|unread| {
            match unread {
                Unread::Refused(Refusal::TooLarge { decompressed, .. }) => {
                    Unread::Refused(Refusal::TooLarge { limit: limits.message_bytes, decompressed })
                }
                other => other,
            }
        })?;
    ticket.record().wire_bytes = body.len().saturating_sub(FRAME_HEAD) as u64;
    unframe(&body, ticket, &call.head).map_err(Unread::Refused)
}

fn unframe(body: &Bytes, ticket: &mut Ticket, head: &Parts) -> Result<Bytes, Refusal> {
    let Some((frame, rest)) = body.split_first_chunk::<FRAME_HEAD>() else {
        return Err(Refusal::Malformed("a gRPC call without a message".to_owned()));
    };
    let [flag, length @ ..] = *frame;
    let length = u32::from_be_bytes(length) as usize;
    if rest.len() != length {
        let what = if rest.len() < length { "is cut off" } else { "is followed by more" };
        return Err(Refusal::Malformed(format!("the gRPC message of {length} bytes {what}")));
    }
    match (flag, ticket.record().compression) {
        (0, _) => ticket.record().compression = Compression::Identity,
        (1, Compression::Other) => {
            let name = header_bytes(head, GRPC_ENCODING).unwrap_or_default();
            return Err(Refusal::UnknownCompression(String::from_utf8_lossy(name).into_owned()));
        }
        (1, Compression::Identity) => {
            let what = "a gRPC message is flagged as compressed and no compression is named";
            return Err(Refusal::Malformed(what.to_owned()));
        }
        (1, _) => {}
        (flag, _) => return Err(Refusal::Malformed(format!("a gRPC message with the unknown flag {flag}"))),
    }
    Ok(body.slice(FRAME_HEAD..))
}

fn signal(path: &str) -> Option<Signal> {
    Some(match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Signal::Traces,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Signal::Logs,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Signal::Metrics,
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export" => Signal::Profiles,
        _ => return None,
    })
}

fn respond(result: Result<Signal, Refusal>, most: usize) -> GrpcReply {
    let refusal = match result {
        Ok(signal) => {
            let message = export_response(signal, Encoding::Protobuf, None);
            return GrpcReply {
                message: Some(message.into()),
                code: 0,
                text: String::new(),
                details: None,
                headers: HeaderMap::new(),
            };
        }
        Err(refusal) => refusal,
    };
    let mut text = refusal.to_string();
    // Trailers are bounded far below the limit of a message: 8 KiB is what clients take by default.
    shorten(&mut text, most.min(1024));
    let status = Status {
        code: refusal.grpc_code(),
        message: text.clone(),
        bad_request: refusal.is_bad_request().then(|| text.clone()),
        retry_after: refusal.retry_after(),
    };
    let mut headers = HeaderMap::new();
    if matches!(refusal, Refusal::UnknownCompression(_)) {
        headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    }
    let details = (status.bad_request.is_some() || status.retry_after.is_some()).then(|| status.protobuf());
    GrpcReply { message: None, code: status.code, text, details, headers }
}

/// `grpc-timeout`: up to eight digits and a unit.
fn timeout(head: &Parts) -> Option<Duration> {
    let value = head.headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let amount = digits.parse::<u64>().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

/// `grpc-message`: what is not printable ASCII, and `%`, as `%XX`.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
