//! OTLP/HTTP: paths, media types, and the answers in the encoding of the request.

use http::Method;
use http::header::{self, HeaderValue};
use http::request::Parts;

use super::body::{Body, Unread};
use super::call::{Call, ExportEnd, Ticket, abort, header_bytes, media_type};
use super::compression::{self, ACCEPTED, TRUNCATED_GZIP};
use super::intake;
use super::refusal::Refusal;
use super::reply::{HttpReply, Reply};
use super::status::{Partial, Status, export_response, shorten};
use crate::fault::kind::Ending;
use crate::fault::{Fault, RetryAfter};
use crate::store::{Compression, Encoding, Outcome, Signal};

pub async fn answer(call: &mut Call, mut ticket: Ticket) -> Reply {
    let shared = call.endpoint.shared.clone();
    if let Some(reply) = shared.cors.preflight(&call.head) {
        drop(ticket.take_record(Outcome::Accepted));
        return Reply::Http(reply);
    }
    ticket.record().encoding = encoding(&call.head);
    let encoding = ticket.record().encoding;
    // An answer that is wrong on purpose stays as it was ordered.
    let mut may_shrink = true;
    let mut reply = match export(call, ticket).await {
        Ok(signal) => success(encoding, export_response(signal, encoding, None)),
        Err(Ending::Refusal(refusal)) => refuse(&refusal, encoding, shared.limits.response_bytes),
        Err(Ending::Gone) => return Reply::Disconnect,
        Err(Ending::Fault(fault)) => {
            may_shrink = !matches!(fault, Fault::LargeAnswer(_));
            match commit(call, &fault, encoding).await {
                Ok(reply) => reply,
                Err(aborted) => return aborted,
            }
        }
    };
    shared.cors.allow(&call.head, &mut reply.headers);
    let zipped = compression::answer(&reply.body, &call.head.headers, &header::ACCEPT_ENCODING);
    if let Some(zipped) = zipped
        && may_shrink
    {
        reply.body = zipped;
        reply.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        reply.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    Reply::Http(reply)
}

async fn export(call: &mut Call, mut ticket: Ticket) -> ExportEnd {
    let limits = call.endpoint.shared.limits.clone();
    if let Err(refusal) = check_head(&call.head, &mut ticket, limits.message_bytes) {
        call.body.drain(limits.message_bytes, limits.body_timeout).await;
        ticket.finish(Outcome::Refused(refusal.clone()));
        return Err(Ending::Refusal(refusal));
    }
    let body = call.body.collect(limits.message_bytes, limits.body_timeout, &mut ticket.admission).await;
    let refusal = match body {
        Ok(body) => {
            ticket.record().wire_bytes = body.len() as u64;
            let signal = ticket.signal();
            return intake::take(ticket, body).await.map(|()| signal);
        }
        Err(Unread::Refused(refusal)) => refusal,
        Err(Unread::Broken(why)) => {
            ticket.finish(Outcome::Abandoned(why.to_string()));
            return Err(Ending::Gone);
        }
    };
    if matches!(call.body, Body::Http1(_)) && !matches!(refusal, Refusal::Slow(_)) {
        call.body.drain(limits.message_bytes, limits.body_timeout).await;
    }
    ticket.finish(Outcome::Refused(refusal.clone()));
    Err(Ending::Refusal(refusal))
}

/// Applies the fault, after the request was stored or not.
async fn commit(call: &Call, fault: &Fault, encoding: Encoding) -> Result<HttpReply, Reply> {
    let signal = signal(call.head.uri.path()).unwrap_or(Signal::Traces);
    let answer = |partial| success(encoding, export_response(signal, encoding, partial));
    Ok(match fault {
        Fault::Status { grpc, http, message, retry } => {
            let retry_after = retry.as_ref().and_then(RetryAfter::delay);
            let status = Status { code: *grpc, message: message.clone(), bad_request: None, retry_after };
            let reply = HttpReply::new(*http)
                .with(header::CONTENT_TYPE, content_type(encoding))
                .body(status.encode(encoding));
            match retry {
                Some(after) => reply.with(header::RETRY_AFTER, &after.header()),
                None => reply,
            }
        }
        Fault::PartialSuccess { rejected, message } => {
            answer(Some(&Partial { rejected: *rejected, message: message.clone() }))
        }
        Fault::LargeAnswer(bytes) => answer(Some(&Partial { rejected: 0, message: "x".repeat(*bytes) })),
        Fault::Delay(delay) => {
            call.endpoint.shared.pause(*delay).await;
            answer(None)
        }
        Fault::ContentType(name) => answer(None).with(header::CONTENT_TYPE, name),
        Fault::TruncatedGzip => answer(None).with(header::CONTENT_ENCODING, "gzip").body(TRUNCATED_GZIP),
        _ => return Err(abort(fault).unwrap_or(Reply::Disconnect)),
    })
}

/// Refuses a request by its head, before the body is read.
fn check_head(head: &Parts, ticket: &mut Ticket, limit: u64) -> Result<(), Refusal> {
    let path = head.uri.path();
    let Some(signal) = signal(path) else { return Err(Refusal::UnknownPath(path.to_owned())) };
    ticket.record().signal = Some(signal);
    if head.method != Method::POST {
        return Err(Refusal::WrongMethod(head.method.to_string()));
    }
    if ticket.record().encoding == Encoding::Other {
        return Err(Refusal::UnknownMediaType(String::from_utf8_lossy(&media_type(head)).into_owned()));
    }
    let named = header_bytes(head, header::CONTENT_ENCODING);
    ticket.record().compression = compression::named(named);
    if ticket.record().compression == Compression::Other {
        let name = String::from_utf8_lossy(named.unwrap_or_default()).into_owned();
        return Err(Refusal::UnknownCompression(name));
    }
    let length =
        head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limit) {
        return Err(Refusal::TooLarge { limit, decompressed: false });
    }
    Ok(())
}

pub fn signal(path: &str) -> Option<Signal> {
    Some(match path {
        "/v1/traces" => Signal::Traces,
        "/v1/logs" => Signal::Logs,
        "/v1/metrics" => Signal::Metrics,
        "/v1development/profiles" => Signal::Profiles,
        _ => return None,
    })
}

fn encoding(head: &Parts) -> Encoding {
    match media_type(head).as_slice() {
        b"application/x-protobuf" => Encoding::Protobuf,
        b"application/json" => Encoding::Json,
        _ => Encoding::Other,
    }
}

fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json | Encoding::Other => "application/json",
    }
}

fn success(encoding: Encoding, body: Vec<u8>) -> HttpReply {
    HttpReply::new(200).with(header::CONTENT_TYPE, content_type(encoding)).body(body)
}

fn refuse(refusal: &Refusal, encoding: Encoding, most: u64) -> HttpReply {
    let mut text = refusal.to_string();
    // The text comes up to twice, and JSON may write a character as six.
    shorten(&mut text, usize::try_from(most / 16).unwrap_or(usize::MAX));
    let status = Status {
        code: refusal.grpc_code(),
        message: text.clone(),
        bad_request: refusal.is_bad_request().then_some(text),
        retry_after: None,
    };
    let mut reply = HttpReply::new(refusal.http_status())
        .with(header::CONTENT_TYPE, content_type(encoding))
        .body(status.encode(encoding));
    if let Some(delay) = refusal.retry_after()
        && matches!(reply.status, 429 | 503)
    {
        reply = reply.with(header::RETRY_AFTER, &delay.as_secs().max(1).to_string());
    }
    match refusal {
        Refusal::WrongMethod(_) => reply.with(header::ALLOW, "POST, OPTIONS"),
        Refusal::UnknownCompression(_) => reply.with(header::ACCEPT_ENCODING, ACCEPTED),
        _ => reply,
    }
}
