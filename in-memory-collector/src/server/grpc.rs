//! OTLP/gRPC: the framing of one unary call, its status and its deadline.
//!
//! No streaming and no reflection. Clause: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>; OTLP/gRPC.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

use super::body::Unread;
use super::call::{Call, ExportEnd, Ticket, abort, header_bytes, media_type};
use super::compression::{self, ACCEPTED, TRUNCATED_GZIP};
use super::intake;
use super::refusal::Refusal;
use super::reply::{GrpcReply, Reply};
use super::status::{Partial, Status, export_response, shorten};
use crate::fault::kind::Ending;
use crate::fault::{Fault, RetryAfter};
use crate::store::{Compression, Encoding, Outcome, Signal};

/// Flag and length before a message.
const FRAME_HEAD: usize = 5;

pub const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

pub async fn answer(call: &mut Call, ticket: Ticket) -> Reply {
    let limits = call.endpoint.shared.limits.clone();
    let ended = match timeout(&call.head) {
        None => export(call, ticket).await,
        Some(timeout) => tokio::time::timeout(timeout, export(call, ticket))
            .await
            .unwrap_or(Err(Ending::Refusal(Refusal::Deadline(timeout)))),
    };
    match ended {
        Ok(signal) => Reply::Grpc(success(export_response(signal, Encoding::Protobuf, None))),
        Err(Ending::Refusal(refusal)) => Reply::Grpc(refuse(&refusal, limits.response_bytes)),
        Err(Ending::Gone) => Reply::Disconnect,
        Err(Ending::Fault(fault)) => commit(call, &fault).await,
    }
}

async fn export(call: &mut Call, mut ticket: Ticket) -> ExportEnd {
    let message = match read(call, &mut ticket).await {
        Ok(message) => message,
        Err(Unread::Refused(refusal)) => {
            ticket.finish(Outcome::Refused(refusal.clone()));
            return Err(Ending::Refusal(refusal));
        }
        Err(Unread::Broken(why)) => {
            ticket.finish(Outcome::Abandoned(why.to_string()));
            return Err(Ending::Gone);
        }
    };
    let signal = ticket.signal();
    intake::take(ticket, message).await.map(|()| signal)
}

/// Applies the fault, after the request was stored or not.
async fn commit(call: &Call, fault: &Fault) -> Reply {
    let signal = signal(call.head.uri.path()).unwrap_or(Signal::Traces);
    let answer = |partial| export_response(signal, Encoding::Protobuf, partial);
    let mut reply = success(answer(None));
    match fault {
        Fault::Status { grpc, message, retry, .. } => {
            let status = Status {
                code: *grpc,
                message: message.clone(),
                bad_request: None,
                retry_after: retry.as_ref().and_then(RetryAfter::delay),
            };
            let details = status.retry_after.is_some().then(|| status.protobuf());
            reply = GrpcReply { message: None, code: *grpc, text: message.clone(), details, ..reply };
        }
        Fault::PartialSuccess { rejected, message } => {
            reply = success(answer(Some(&Partial { rejected: *rejected, message: message.clone() })));
            compress(&mut reply, &call.head);
        }
        Fault::LargeAnswer(bytes) => {
            reply = success(answer(Some(&Partial { rejected: 0, message: "x".repeat(*bytes) })));
        }
        Fault::Delay(delay) => call.endpoint.shared.pause(*delay).await,
        Fault::ContentType(name) => {
            if let Ok(name) = HeaderValue::from_str(name) {
                reply.headers.insert(http::header::CONTENT_TYPE, name);
            }
        }
        Fault::TruncatedGzip => {
            reply.headers.insert(GRPC_ENCODING, HeaderValue::from_static("gzip"));
            reply.message = Some(Bytes::from_static(TRUNCATED_GZIP));
        }
        _ => return abort(fault).unwrap_or(Reply::Disconnect),
    }
    Reply::Grpc(reply)
}

/// Reads the message without its frame.
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
        (flag, _) => {
            return Err(Refusal::Malformed(format!("a gRPC message with the unknown flag {flag}")));
        }
    }
    Ok(body.slice(FRAME_HEAD..))
}

pub fn signal(path: &str) -> Option<Signal> {
    Some(match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Signal::Traces,
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Signal::Logs,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Signal::Metrics,
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export" => Signal::Profiles,
        _ => return None,
    })
}

fn success(message: Vec<u8>) -> GrpcReply {
    let message = Some(message.into());
    GrpcReply { message, code: 0, text: String::new(), details: None, headers: HeaderMap::new() }
}

/// Puts the message into gzip if the client takes that. Only the text of a partial success makes one large enough.
fn compress(reply: &mut GrpcReply, request: &Parts) {
    let message = reply.message.as_deref().unwrap_or_default();
    if let Some(zipped) = compression::answer(message, &request.headers, &GRPC_ACCEPT_ENCODING) {
        reply.headers.insert(GRPC_ENCODING, HeaderValue::from_static("gzip"));
        reply.message = Some(zipped);
    }
}

fn refuse(refusal: &Refusal, most: u64) -> GrpcReply {
    let mut text = refusal.to_string();
    // Trailers are bounded far below the limit of a message: 8 KiB is what clients take by default.
    shorten(&mut text, usize::try_from(most / 16).unwrap_or(usize::MAX).min(1024));
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

/// Parses `grpc-timeout`: up to eight digits and a unit.
fn timeout(head: &Parts) -> Option<Duration> {
    let value = head.headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let amount = digits.parse::<u64>().ok()?;
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

/// Encodes a `grpc-message`: bytes that are not printable ASCII, and `%`, as `%XX`.
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
