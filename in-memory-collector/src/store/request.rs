//! One record for each request that an endpoint got, accepted or not: the evidence about an exporter.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::json::print::quote;
use crate::server::refusal::Refusal;

#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Grows with each request, over all endpoints; never used twice.
    pub sequence: u64,
    pub endpoint: Arc<str>,
    /// When its answer was decided.
    pub at: Instant,
    pub peer: SocketAddr,
    pub transport: Transport,
    pub signal: Option<Signal>,
    pub encoding: Encoding,
    pub compression: Compression,
    pub user_agent: Option<Arc<str>>,
    /// The body as it came, without the framing of HTTP; 0 if it was refused before its body was read.
    pub wire_bytes: u64,
    /// The body after decompression.
    pub message_bytes: u64,
    /// Spans, log records, data points or profiles.
    pub items: u64,
    /// Of these, spans that were here already.
    pub duplicates: u64,
    pub outcome: Outcome,
}

impl RequestRecord {
    /// Formats as a JSON object; the outcome as text.
    pub fn json(&self) -> String {
        let mut out = format!("{{\"sequence\":{},\"endpoint\":", self.sequence);
        quote(&self.endpoint, &mut out);
        out.push_str(&format!(",\"peer\":\"{}\",\"transport\":\"{:?}\"", self.peer, self.transport));
        out.push_str(&format!(
            ",\"encoding\":\"{:?}\",\"compression\":\"{:?}\"",
            self.encoding, self.compression
        ));
        if let Some(signal) = self.signal {
            out.push_str(&format!(",\"signal\":\"{signal:?}\""));
        }
        if let Some(agent) = &self.user_agent {
            out.push_str(",\"userAgent\":");
            quote(agent, &mut out);
        }
        out.push_str(&format!(",\"wireBytes\":{},\"messageBytes\":{}", self.wire_bytes, self.message_bytes));
        out.push_str(&format!(",\"items\":{},\"duplicates\":{},\"outcome\":", self.items, self.duplicates));
        quote(&self.outcome.to_string(), &mut out);
        out.push('}');
        out
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// Answered with a partial success that refuses so many items.
    PartlyRefused {
        refused: u64,
        message: String,
    },
    Refused(Refusal),
    /// The fault that was injected into the endpoint.
    Faulted {
        fault: String,
        stored: bool,
    },
    /// The exporter went away, or the connection broke, before the request was complete.
    Abandoned(String),
}

impl Outcome {
    pub fn is_accepted(&self) -> bool {
        matches!(self, Outcome::Accepted)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Accepted => f.write_str("accepted"),
            Outcome::PartlyRefused { refused, message } => write!(f, "{refused} items refused: {message}"),
            Outcome::Refused(refusal) => write!(f, "refused: {refusal}"),
            Outcome::Faulted { fault, stored: true } => write!(f, "stored, then on demand: {fault}"),
            Outcome::Faulted { fault, stored: false } => write!(f, "not stored, on demand: {fault}"),
            Outcome::Abandoned(why) => write!(f, "abandoned by its sender: {why}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Grpc,
    /// OTLP/HTTP over HTTP/1.1.
    Http1,
    /// OTLP/HTTP over HTTP/2.
    Http2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    Traces,
    Logs,
    Metrics,
    Profiles,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Protobuf,
    Json,
    /// A media type that OTLP does not have.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    Identity,
    Gzip,
    Zstd,
    Deflate,
    /// One that is not supported.
    Other,
}

/// Each list has room for this many records, however full the store is.
const FIRST: usize = 16;

/// The last so many requests; those that were not accepted are kept beside, so that many good ones do not hide them.
/// In a full store a list keeps the length that it has reached.
#[derive(Debug)]
pub struct RequestLog {
    accepted: VecDeque<RequestRecord>,
    problems: VecDeque<RequestRecord>,
    limit: usize,
    next: u64,
    forgotten: u64,
}

impl RequestLog {
    pub fn new(limit: usize) -> Self {
        Self { accepted: VecDeque::new(), problems: VecDeque::new(), limit, next: 0, forgotten: 0 }
    }

    /// Adds a record, and forgets the oldest one of its list at the limit, or where the list would have to grow by more
    /// than `room` bytes.
    pub fn push(&mut self, mut record: RequestRecord, room: usize) {
        record.sequence = self.next;
        self.next += 1;
        let list = if record.outcome.is_accepted() { &mut self.accepted } else { &mut self.problems };
        let growth = growth(list, self.limit);
        if list.len() >= self.limit || (growth > room && list.len() >= FIRST) {
            list.pop_front();
            self.forgotten += 1;
        } else if growth > 0 {
            list.reserve_exact(further(list));
        }
        list.push_back(record);
    }

    /// Returns the most that the next records, one accepted and one not, may add to `bytes`.
    pub fn growth(&self) -> usize {
        growth(&self.accepted, self.limit) + growth(&self.problems, self.limit)
    }

    /// Returns the sequence of the next record.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Returns all of them: the accepted ones in their order, then the others in theirs.
    pub fn all(&self) -> Vec<RequestRecord> {
        self.accepted.iter().chain(&self.problems).cloned().collect()
    }

    /// Returns those that were not accepted.
    pub fn problems(&self) -> Vec<RequestRecord> {
        self.problems.iter().cloned().collect()
    }

    /// Returns the number of records that were dropped for later ones.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub fn bytes(&self) -> usize {
        (self.accepted.capacity() + self.problems.capacity()) * size_of::<RequestRecord>()
    }

    pub fn clear(&mut self) {
        self.accepted.clear();
        self.problems.clear();
        self.forgotten = 0;
    }
}

/// Returns the number of records by which a list grows that is full.
fn further(list: &VecDeque<RequestRecord>) -> usize {
    list.capacity().max(FIRST)
}

/// Returns the bytes by which the next record makes a list grow.
fn growth(list: &VecDeque<RequestRecord>, limit: usize) -> usize {
    let grows = list.len() == list.capacity() && list.len() < limit;
    if grows { further(list) * size_of::<RequestRecord>() } else { 0 }
}
