//! Reads both directions of an HTTP/1.1 connection beside the stream (RFC 9112).
//!
//! Requests may be pipelined: answers are matched in order. The reader never answers and never waits; when it cannot
//! read on, it returns an error and the connection is forwarded unread. With `host:` the first `Host` line is
//! rewritten; a host in the request target (absolute form, which is for proxies) is not.

use std::collections::VecDeque;
use std::sync::Arc;

use super::call_recording::CallRecording;
use super::read_error::{ReadError, WAITING_LIMIT};
use super::scene::Scene;
use crate::evidence::{Head, Protocol};

mod body;
mod fields;
mod head;
mod request;
mod section;

use body::Body;
use head::{AnswerHead, RequestHead, request_line};
pub use request::Request;
use section::Section;

#[derive(Debug)]
enum ReadState {
    Head(Section),
    Body(Body),
}

impl ReadState {
    fn head() -> Self {
        ReadState::Head(Section::default())
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
struct PendingRequest {
    request: Request,
    head: bool,
    connect: bool,
}

#[derive(Debug)]
pub struct Http1 {
    scene: Arc<Scene>,
    connection: u32,
    requests: u32,
    request: ReadState,
    answer: ReadState,
    waiting: VecDeque<PendingRequest>,
    /// The request whose body is being read; `None` once it has been answered.
    sending: Option<u32>,
    /// The number of the request that waits first.
    first: u32,
    last_request: Option<String>,
}

/// The protocol that a connection changes to after an answer.
#[derive(Debug)]
pub enum ProtocolChange {
    /// A tunnel or another protocol from here on.
    Opaque,
    /// `101` to HTTP/2; the request is answered as stream 1 (RFC 7540 section 3.2).
    Http2(CallRecording),
}

impl Http1 {
    pub fn new(scene: Arc<Scene>, connection: u32) -> Self {
        let (request, answer) = (ReadState::head(), ReadState::head());
        Self {
            scene,
            connection,
            requests: 0,
            request,
            answer,
            waiting: VecDeque::new(),
            sending: None,
            first: 0,
            last_request: None,
        }
    }

    /// Reads more of what the sender sent; `out` collects the bytes to forward instead.
    pub fn request(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<(), ReadError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.request_step(rest, out) {
                Ok(used) => rest = &rest[used..],
                Err(refused) => {
                    push(out, &self.let_go());
                    push(out, rest);
                    return Err(refused);
                }
            }
        }
        Ok(())
    }

    fn request_step(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<usize, ReadError> {
        match &mut self.request {
            ReadState::Head(section) => {
                let before = section.bytes.len();
                let read = section.read(bytes);
                let (used, complete) = match read {
                    Ok(read) => read,
                    Err(refused) => {
                        self.last_request = Some(request_line(&section.bytes));
                        section.bytes.truncate(before);
                        return Err(refused);
                    }
                };
                if complete {
                    let head = std::mem::take(&mut section.bytes);
                    if let Err(refused) = self.begin(&head, out) {
                        // The caller forwards what it passed; the rest of the head is forwarded here.
                        push(out, &head[..before]);
                        return Err(refused);
                    }
                }
                Ok(used)
            }
            ReadState::Body(body) => {
                let request = self.sending.and_then(|number| {
                    let at = number.checked_sub(self.first)?;
                    self.waiting.get_mut(usize::try_from(at).ok()?)
                });
                let mut request = request.map(|waiting| &mut waiting.request);
                let used = body.read(bytes, &mut |data| {
                    if let Some(request) = &mut request {
                        request.body(data);
                    }
                })?;
                push(out, &bytes[..used]);
                if body.is_complete() {
                    self.request_is_complete();
                }
                Ok(used)
            }
        }
    }

    /// Returns the part of a head that was held back until it is complete.
    pub fn let_go(&mut self) -> Vec<u8> {
        match &mut self.request {
            ReadState::Head(section) => std::mem::take(section).bytes,
            ReadState::Body(_) => Vec::new(),
        }
    }

    fn begin(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<(), ReadError> {
        self.last_request = Some(request_line(bytes));
        let head = RequestHead::parse(bytes)?;
        let body = head.body()?;
        if self.waiting.len() >= WAITING_LIMIT {
            return Err(ReadError::TooMany);
        }
        match (&self.scene.plan.host, &head.host) {
            (Some(host), Some(place)) => {
                push(out, &bytes[..place.start]);
                push(out, host.as_bytes());
                push(out, &bytes[place.end..]);
            }
            _ => push(out, bytes),
        }
        let (is_head, connect) = (head.is("HEAD"), head.is("CONNECT"));
        let seen = Head {
            tap: self.scene.writer.tap,
            protocol: Protocol::Http1,
            connection: self.connection,
            stream: self.requests,
            method: head.method,
            target: head.target,
            headers: head.fields,
            kept: self.scene.writer.kept.clone(),
        };
        let request = Request::begin(&self.scene, seen);
        self.waiting.push_back(PendingRequest { request, head: is_head, connect });
        self.sending = Some(self.requests);
        self.requests = self.requests.wrapping_add(1);
        let complete = body.is_complete();
        self.request = ReadState::Body(body);
        if complete {
            self.request_is_complete();
        }
        Ok(())
    }

    fn request_is_complete(&mut self) {
        let ReadState::Body(body) = std::mem::replace(&mut self.request, ReadState::head()) else { return };
        let Some(at) = self.sending.take().and_then(|number| number.checked_sub(self.first)) else { return };
        let Some(waiting) = usize::try_from(at).ok().and_then(|at| self.waiting.get_mut(at)) else { return };
        let trailers = body.into_trailers();
        if !trailers.is_empty() {
            waiting.request.trailers(trailers);
        }
        waiting.request.complete();
    }

    /// Reads more of what the receiver sent; returns the number of HTTP/1.1 bytes and the new protocol, if it changes.
    pub fn answer(&mut self, bytes: &[u8]) -> Result<Option<(usize, ProtocolChange)>, ReadError> {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            match &mut self.answer {
                ReadState::Head(section) => {
                    let (taken, complete) = section.read(rest)?;
                    used += taken;
                    if complete {
                        let head = AnswerHead::parse(&std::mem::take(section).bytes)?;
                        if let Some(turn) = self.answer_begins(head)? {
                            return Ok(Some((used, turn)));
                        }
                    }
                }
                ReadState::Body(body) => {
                    let mut first = self.waiting.front_mut();
                    used += body.read(rest, &mut |data| {
                        if let Some(waiting) = &mut first {
                            waiting.request.answer_body(data);
                        }
                    })?;
                    if body.is_complete() {
                        self.answer_is_complete();
                    }
                }
            }
        }
        Ok(None)
    }

    fn answer_begins(&mut self, head: AnswerHead) -> Result<Option<ProtocolChange>, ReadError> {
        if head.status == 101 {
            let Some(waiting) = self.take_first() else { return Ok(Some(ProtocolChange::Opaque)) };
            return Ok(Some(match waiting.request {
                Request::Call(call) if head.upgrades_to("h2c") => ProtocolChange::Http2(call),
                request => tunnel(request, head.status),
            }));
        }
        if head.status < 200 {
            return Ok(None);
        }
        let tunnels = self.waiting.front().is_some_and(|waiting| waiting.connect) && head.status < 300;
        if let Some(waiting) = tunnels.then(|| self.take_first()).flatten() {
            return Ok(Some(tunnel(waiting.request, head.status)));
        }
        let first = self.waiting.front_mut();
        let bodiless = first.as_ref().is_some_and(|waiting| waiting.head);
        if let Some(waiting) = first {
            waiting.request.status(head.status);
            waiting.request.answer_fields(&head.fields);
        }
        let body = if bodiless { Body::length(0) } else { head.body()? };
        let complete = body.is_complete();
        self.answer = ReadState::Body(body);
        if complete {
            self.answer_is_complete();
        }
        Ok(None)
    }

    fn answer_is_complete(&mut self) {
        let ReadState::Body(body) = std::mem::replace(&mut self.answer, ReadState::head()) else { return };
        if let Some(mut waiting) = self.take_first() {
            waiting.request.answer_fields(&body.into_trailers());
            waiting.request.answered();
        }
    }

    fn take_first(&mut self) -> Option<PendingRequest> {
        let waiting = self.waiting.pop_front()?;
        self.first = self.first.wrapping_add(1);
        Some(waiting)
    }

    /// Notes that the receiver closed in good order: an answer without a length is complete now.
    pub fn answers_end(&mut self) {
        if matches!(self.answer, ReadState::Body(Body::UntilEnd)) {
            self.answer_is_complete();
        }
    }

    /// Returns whether a request's head began and is not complete.
    pub fn is_in_request_head(&self) -> bool {
        matches!(&self.request, ReadState::Head(section) if !section.bytes.trim_ascii().is_empty())
    }

    /// Returns method and path of the request that was read last, valid or not.
    pub fn last_request(&self) -> Option<&str> {
        self.last_request.as_deref()
    }

    /// Returns the requests without a complete answer.
    pub fn into_requests(self) -> impl Iterator<Item = Request> {
        self.waiting.into_iter().map(|waiting| waiting.request)
    }
}

fn tunnel(mut request: Request, status: u16) -> ProtocolChange {
    request.status(status);
    request.answered();
    ProtocolChange::Opaque
}

fn push(out: &mut Option<Vec<u8>>, bytes: &[u8]) {
    if let Some(out) = out {
        out.extend_from_slice(bytes);
    }
}
