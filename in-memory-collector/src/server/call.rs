//! One request from its head to its record: whatever happens to it, an entry in the log of requests remains.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{self, HeaderName};
use http::request::Parts;

use super::admission::{Admission, UnderWay};
use super::body::Body;
use super::reply::Reply;
use super::{grpc, http as otlp_http};
use crate::endpoint::EndpointState;
use crate::fault::{Fault, kind::Ending};
use crate::store::{Compression, Encoding, Outcome, RequestRecord, Signal, Transport};

/// A request as a connection hands it over.
#[derive(Debug)]
pub struct Call {
    pub endpoint: Arc<EndpointState>,
    pub peer: SocketAddr,
    pub head: Parts,
    pub body: Body,
}

/// The record that is being filled in.
#[derive(Debug)]
pub struct Ticket {
    pub endpoint: Arc<EndpointState>,
    pub admission: Admission,
    /// The fault of this request.
    pub fault: Option<Fault>,
    record: Option<RequestRecord>,
}

/// Handles a request and stores its content before it returns.
pub async fn answer(mut call: Call) -> Reply {
    let _under_way = UnderWay::begin(&call.endpoint.shared);
    let is_http2 = matches!(call.body, Body::Http2(_));
    let is_grpc = is_http2 && media_type(&call.head).starts_with(b"application/grpc");
    let transport = match (is_grpc, is_http2) {
        (true, _) => Transport::Grpc,
        (false, true) => Transport::Http2,
        (false, false) => Transport::Http1,
    };
    let mut ticket = Ticket::new(&call, transport);
    let path = call.head.uri.path();
    let signal = if is_grpc { grpc::signal(path) } else { otlp_http::signal(path) };
    ticket.fault = call.endpoint.faults.for_head(path, signal);
    if let Some(reply) = commit_early(&mut call, &mut ticket).await {
        return reply;
    }
    if is_grpc { grpc::answer(&mut call, ticket).await } else { otlp_http::answer(&mut call, ticket).await }
}

/// Applies the faults that come before the body was read.
async fn commit_early(call: &mut Call, ticket: &mut Ticket) -> Option<Reply> {
    match ticket.fault.as_ref()? {
        // The client ends this, or the end of the connection does.
        Fault::Stall => std::future::pending().await,
        Fault::Disconnect { after_bytes } => {
            let timeout = call.endpoint.shared.limits.body_timeout;
            call.body.drain(*after_bytes, timeout).await;
            Some(Reply::Disconnect)
        }
        fault @ (Fault::Reset(_) | Fault::GoAway(_)) => abort(fault),
        _ => None,
    }
}

/// Ends a request without an answer, as a fault demands.
pub fn abort(fault: &Fault) -> Option<Reply> {
    match fault {
        Fault::AckLost | Fault::Disconnect { .. } | Fault::Stall => Some(Reply::Disconnect),
        Fault::Reset(code) => Some(Reply::Reset(*code)),
        Fault::GoAway(code) => Some(Reply::GoAway(*code)),
        _ => None,
    }
}

/// The end of a request, before the form of the answer is known.
pub type ExportEnd = Result<Signal, Ending>;

/// Returns the media type without its parameters, lower case.
pub fn media_type(head: &Parts) -> Vec<u8> {
    let value = head.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    value[..end].trim_ascii().to_ascii_lowercase()
}

/// Returns the bytes of a header.
pub fn header_bytes(head: &Parts, name: HeaderName) -> Option<&[u8]> {
    head.headers.get(name).map(|value| value.as_bytes())
}

impl Ticket {
    fn new(call: &Call, transport: Transport) -> Self {
        let shared = &call.endpoint.shared;
        let agent = header_bytes(&call.head, header::USER_AGENT);
        let record = RequestRecord {
            sequence: 0,
            endpoint: call.endpoint.name.clone(),
            at: shared.clock.now(),
            peer: call.peer,
            transport,
            signal: None,
            encoding: Encoding::Other,
            compression: Compression::Identity,
            user_agent: agent.map(|agent| shared.agent(agent)),
            wire_bytes: 0,
            message_bytes: 0,
            items: 0,
            duplicates: 0,
            outcome: Outcome::Accepted,
        };
        Self {
            endpoint: call.endpoint.clone(),
            admission: Admission::new(shared.clone()),
            fault: None,
            record: Some(record),
        }
    }

    pub fn record(&mut self) -> &mut RequestRecord {
        self.record.as_mut().expect("the record is there until the ticket is finished")
    }

    pub fn signal(&self) -> Signal {
        self.record.as_ref().and_then(|record| record.signal).unwrap_or(Signal::Traces)
    }

    pub fn compression(&self) -> Compression {
        self.record.as_ref().map_or(Compression::Identity, |record| record.compression)
    }

    /// Returns the finished record; nothing is left to record when the ticket is dropped.
    pub fn take_record(&mut self, outcome: Outcome) -> RequestRecord {
        let mut record = self.record.take().expect("a ticket is finished once");
        record.at = self.endpoint.shared.clock.now();
        record.outcome = outcome;
        record
    }

    /// Notes how the request ended, if it was not stored.
    pub fn finish(mut self, outcome: Outcome) {
        let record = self.take_record(outcome);
        self.endpoint.shared.note(record);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.record.is_some() {
            let outcome = match self.fault.take() {
                Some(fault) => Outcome::Faulted { fault: fault.to_string(), stored: false },
                None => Outcome::Abandoned("the connection was closed".to_owned()),
            };
            let record = self.take_record(outcome);
            self.endpoint.shared.note(record);
        }
    }
}
