//! Reads both directions of an HTTP/1.1 connection beside the stream (RFC 9112).
//!
//! Requests may be pipelined: answers are counted off in order. It never answers and never waits; what it
//! cannot read it refuses, and the connection goes on unread. With `host:` the first `Host` line is
//! rewritten; a host in the request target (absolute form, which is for proxies) is not.

use std::collections::VecDeque;
use std::sync::Arc;

use super::call::Call;
use super::refused::{Refused, WAITING_LIMIT};
use super::scene::Scene;
use crate::evidence::{Head, Protocol};

mod body;
mod fields;
mod head;
mod request;
mod section;

use body::Body;
use head::{AnswerHead, RequestHead};
pub use request::Request;
use section::Section;

#[derive(Debug)]
enum At {
    Head(Section),
    Body(Body),
}

impl At {
    fn head() -> Self {
        At::Head(Section::default())
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Waiting {
    request: Request,
    head: bool,
    connect: bool,
}

#[derive(Debug)]
pub struct Http1 {
    scene: Arc<Scene>,
    connection: u32,
    requests: u32,
    request: At,
    answer: At,
    waiting: VecDeque<Waiting>,
    /// The request whose body is being read; `None` once it has been answered.
    sending: Option<u32>,
    /// The number of the request that waits first.
    first: u32,
}

/// What an answer makes of the connection.
#[derive(Debug)]
pub enum Turn {
    /// A tunnel or another protocol from here on.
    Opaque,
    /// `101` to HTTP/2; the request is answered as stream 1 (RFC 7540 section 3.2).
    Http2(Call),
}

impl Http1 {
    pub fn new(scene: Arc<Scene>, connection: u32) -> Self {
        let (request, answer) = (At::head(), At::head());
        Self {
            scene,
            connection,
            requests: 0,
            request,
            answer,
            waiting: VecDeque::new(),
            sending: None,
            first: 0,
        }
    }

    /// More of what the sender sent. With `out`, what is to go on in its place.
    pub fn request(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<(), Refused> {
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

    fn request_step(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<usize, Refused> {
        match &mut self.request {
            At::Head(section) => {
                let before = section.bytes.len();
                let read = section.read(bytes);
                let (used, complete) = match read {
                    Ok(read) => read,
                    Err(refused) => {
                        section.bytes.truncate(before);
                        return Err(refused);
                    }
                };
                if complete {
                    let head = std::mem::take(&mut section.bytes);
                    if let Err(refused) = self.begin(&head, out) {
                        // The caller lets go of what it gave; the rest of the head is let go of here.
                        push(out, &head[..before]);
                        return Err(refused);
                    }
                }
                Ok(used)
            }
            At::Body(body) => {
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

    /// The part of a head that is held back until it is complete.
    pub fn let_go(&mut self) -> Vec<u8> {
        match &mut self.request {
            At::Head(section) => std::mem::take(section).bytes,
            At::Body(_) => Vec::new(),
        }
    }

    fn begin(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) -> Result<(), Refused> {
        let head = RequestHead::parse(bytes)?;
        let body = head.body()?;
        if self.waiting.len() >= WAITING_LIMIT {
            return Err(Refused::TooMany);
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
        self.waiting.push_back(Waiting { request, head: is_head, connect });
        self.sending = Some(self.requests);
        self.requests = self.requests.wrapping_add(1);
        let complete = body.is_complete();
        self.request = At::Body(body);
        if complete {
            self.request_is_complete();
        }
        Ok(())
    }

    fn request_is_complete(&mut self) {
        let At::Body(body) = std::mem::replace(&mut self.request, At::head()) else { return };
        let Some(at) = self.sending.take().and_then(|number| number.checked_sub(self.first)) else { return };
        let Some(waiting) = usize::try_from(at).ok().and_then(|at| self.waiting.get_mut(at)) else { return };
        let trailers = body.into_trailers();
        if !trailers.is_empty() {
            waiting.request.trailers(trailers);
        }
        waiting.request.complete();
    }

    /// More of what the receiver sent: how many bytes were HTTP/1.1, and what follows them if it is not.
    pub fn answer(&mut self, bytes: &[u8]) -> Result<Option<(usize, Turn)>, Refused> {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            match &mut self.answer {
                At::Head(section) => {
                    let (taken, complete) = section.read(rest)?;
                    used += taken;
                    if complete {
                        let head = AnswerHead::parse(&std::mem::take(section).bytes)?;
                        if let Some(turn) = self.answer_begins(head)? {
                            return Ok(Some((used, turn)));
                        }
                    }
                }
                At::Body(body) => {
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

    fn answer_begins(&mut self, head: AnswerHead) -> Result<Option<Turn>, Refused> {
        if head.status == 101 {
            let Some(waiting) = self.take_first() else { return Ok(Some(Turn::Opaque)) };
            return Ok(Some(match waiting.request {
                Request::Call(call) if head.upgrades_to("h2c") => Turn::Http2(call),
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
        self.answer = At::Body(body);
        if complete {
            self.answer_is_complete();
        }
        Ok(None)
    }

    fn answer_is_complete(&mut self) {
        let At::Body(body) = std::mem::replace(&mut self.answer, At::head()) else { return };
        if let Some(mut waiting) = self.take_first() {
            waiting.request.answer_fields(&body.into_trailers());
            waiting.request.answered();
        }
    }

    fn take_first(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.first = self.first.wrapping_add(1);
        Some(waiting)
    }

    /// The receiver sends no more, in good order: an answer without a length is complete now.
    pub fn answers_end(&mut self) {
        if matches!(self.answer, At::Body(Body::UntilEnd)) {
            self.answer_is_complete();
        }
    }

    /// Whether a request's head began and never became complete.
    pub fn is_in_request_head(&self) -> bool {
        matches!(&self.request, At::Head(section) if !section.bytes.trim_ascii().is_empty())
    }

    /// What is left when nothing more is read.
    pub fn into_requests(self) -> impl Iterator<Item = Request> {
        self.waiting.into_iter().map(|waiting| waiting.request)
    }
}

fn tunnel(mut request: Request, status: u16) -> Turn {
    request.status(status);
    request.answered();
    Turn::Opaque
}

fn push(out: &mut Option<Vec<u8>>, bytes: &[u8]) {
    if let Some(out) = out {
        out.extend_from_slice(bytes);
    }
}
