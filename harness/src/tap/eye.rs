//! Watches one connection: distinguishes HTTP/1.1 and HTTP/2 by their bytes, everything else by the plan, and passes
//! each direction to its reader.
//!
//! It sees every byte before the byte is forwarded. When it cannot read the connection it records a gap and stops
//! reading; it never stops a byte, and changes one only where the hop declares `host:`.

use std::borrow::Cow;
use std::sync::Arc;

use super::amqp::Amqp;
use super::http1::{Http1, ProtocolChange};
use super::http2::{Http2, PREFACE};
use super::read_error::{ReadError, SECTION_LIMIT, TLS_HANDSHAKE};
use super::scene::Scene;
use crate::plan::TapProtocol;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Sender,
    Receiver,
}

impl Peer {
    pub fn other(self) -> Self {
        match self {
            Peer::Sender => Peer::Receiver,
            Peer::Receiver => Peer::Sender,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    Closed,
    Reset,
}

#[derive(Debug)]
pub struct Eye {
    scene: Arc<Scene>,
    connection: u32,
    mode: Mode,
    /// The side that ended the connection first, and how.
    ended: Option<(Peer, EndKind)>,
    has_answer: bool,
    /// With `host:`, bytes that were held back when reading stopped.
    held: Vec<u8>,
}

#[derive(Debug)]
enum Mode {
    /// Too little was sent to decide; the bytes of either side so far.
    Undecided {
        sent: Vec<u8>,
        answered: Vec<u8>,
    },
    Http1(Http1),
    Http2(Box<Http2>),
    Amqp(Box<Amqp>),
    Opaque,
}

impl Eye {
    pub fn new(scene: Arc<Scene>, connection: u32) -> Self {
        let mode = match scene.plan.protocol {
            TapProtocol::Amqp => Mode::Amqp(Box::new(Amqp::new(scene.clone(), connection))),
            TapProtocol::Http | TapProtocol::Grpc | TapProtocol::Sqs | TapProtocol::Kafka => {
                Mode::Undecided { sent: Vec::new(), answered: Vec::new() }
            }
        };
        Self { scene, connection, mode, ended: None, has_answer: false, held: Vec::new() }
    }

    /// Reads bytes from the sender; returns what to forward to the receiver.
    pub fn request<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = self.scene.plan.host.as_ref().map(|_| Vec::new());
        if matches!(self.mode, Mode::Undecided { .. }) {
            self.decide(bytes, &mut out);
        } else {
            self.read_request(bytes, &mut out);
        }
        out.map_or(Cow::Borrowed(bytes), Cow::Owned)
    }

    fn read_request(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) {
        let read = match &mut self.mode {
            Mode::Http1(http1) => http1.request(bytes, out),
            Mode::Http2(http2) => http2.request(bytes, out),
            Mode::Amqp(amqp) => {
                out.iter_mut().for_each(|out| out.extend_from_slice(bytes));
                amqp.client(bytes)
            }
            Mode::Undecided { .. } | Mode::Opaque => {
                if let Some(out) = out {
                    out.append(&mut self.held);
                    out.extend_from_slice(bytes);
                }
                Ok(())
            }
        };
        if let Err(refused) = read {
            self.give_up(&refused);
        }
    }

    fn decide(&mut self, bytes: &[u8], out: &mut Option<Vec<u8>>) {
        let Mode::Undecided { sent, answered } = &mut self.mode else { return };
        sent.extend_from_slice(bytes);
        let known = sent.len().min(PREFACE.len());
        if sent[..known] == PREFACE[..known] && known < PREFACE.len() {
            return;
        }
        let (sent, answered) = (std::mem::take(sent), std::mem::take(answered));
        let http2 = sent[..known] == *PREFACE;
        self.mode = if http2 {
            Mode::Http2(Box::new(Http2::new(self.scene.clone(), self.connection)))
        } else {
            Mode::Http1(Http1::new(self.scene.clone(), self.connection))
        };
        if sent[0] == TLS_HANDSHAKE {
            self.give_up(&ReadError::Tls);
        } else if http2 && self.scene.plan.protocol == TapProtocol::Sqs {
            self.give_up(&ReadError::SqsOverHttp2);
        }
        self.read_request(&sent, out);
        self.answer(&answered);
    }

    /// Returns whether the receiver has sent anything.
    pub fn has_answer(&self) -> bool {
        self.has_answer
    }

    /// Reads bytes from the receiver, which are forwarded as they are.
    pub fn answer(&mut self, bytes: &[u8]) {
        self.has_answer |= !bytes.is_empty();
        let read = match &mut self.mode {
            Mode::Undecided { answered, .. } => {
                answered.extend_from_slice(bytes);
                if answered.len() > SECTION_LIMIT { Err(ReadError::TooLong) } else { Ok(()) }
            }
            Mode::Http1(http1) => match http1.answer(bytes) {
                Ok(Some((used, turn))) => {
                    self.turn(turn);
                    return self.answer(&bytes[used..]);
                }
                Ok(None) => Ok(()),
                Err(refused) => Err(refused),
            },
            Mode::Http2(http2) => http2.answer(bytes),
            Mode::Amqp(amqp) => amqp.broker(bytes),
            Mode::Opaque => Ok(()),
        };
        if let Err(refused) = read {
            self.give_up(&refused);
        }
    }

    fn turn(&mut self, turn: ProtocolChange) {
        let next = match turn {
            ProtocolChange::Opaque => Mode::Opaque,
            ProtocolChange::Http2(call) => {
                Mode::Http2(Box::new(Http2::upgraded(self.scene.clone(), self.connection, call)))
            }
        };
        let before = std::mem::replace(&mut self.mode, next);
        break_all(before, "the connection switched to another protocol");
    }

    /// Stops reading the connection.
    fn give_up(&mut self, refused: &ReadError) {
        let mut before = std::mem::replace(&mut self.mode, Mode::Opaque);
        self.held.append(&mut before.let_go());
        let at = before.last_request().map(|request| format!(" at `{request}`")).unwrap_or_default();
        self.scene.gap(format!(
            "the tap stopped reading connection {}{at}: {refused}; what followed on this connection was not seen",
            self.connection
        ));
        break_all(before, "the tap could not read the rest of the connection");
    }

    /// Returns bytes of the sender that were held back, to be forwarded before the end is.
    pub fn let_go(&mut self) -> Vec<u8> {
        if self.scene.plan.host.is_none() {
            return Vec::new();
        }
        let mut held = std::mem::take(&mut self.held);
        held.append(&mut self.mode.let_go());
        held
    }

    /// Notes that one side sends no more, or that the connection has ended.
    pub fn end(&mut self, side: Peer, how: EndKind) {
        self.ended.get_or_insert((side, how));
        if side == Peer::Sender && self.is_in_request_head() {
            let what = if matches!(self.mode, Mode::Amqp(_)) { "message" } else { "request's head" };
            self.scene.gap(format!("connection {} ended in the middle of a {what}", self.connection));
        }
        if let Mode::Http1(http1) = &mut self.mode
            && (side, how) == (Peer::Receiver, EndKind::Closed)
        {
            http1.answers_end();
        }
        if side == Peer::Receiver || how == EndKind::Reset {
            self.break_rest();
        }
    }

    /// Notes that one side refuses bytes; what it sent already may still arrive.
    pub fn refused_by(&mut self, side: Peer) {
        self.ended.get_or_insert((side, EndKind::Reset));
    }

    fn is_in_request_head(&self) -> bool {
        match &self.mode {
            Mode::Undecided { sent, .. } => !sent.is_empty(),
            Mode::Http1(http1) => http1.is_in_request_head(),
            Mode::Amqp(amqp) => amqp.is_within_message(),
            Mode::Http2(_) | Mode::Opaque => false,
        }
    }

    /// Ends the captures that are open when both directions have ended.
    pub fn break_rest(&mut self) {
        let (sender, receiver) = match self.mode {
            Mode::Amqp(_) => ("client", "broker"),
            Mode::Undecided { .. } | Mode::Http1(_) | Mode::Http2(_) | Mode::Opaque => ("sender", "receiver"),
        };
        let mut text = match self.ended {
            Some((Peer::Sender, EndKind::Closed)) => format!("the {sender} closed the connection"),
            Some((Peer::Sender, EndKind::Reset)) => format!("the {sender} reset the connection"),
            Some((Peer::Receiver, EndKind::Closed)) => format!("the {receiver} closed the connection"),
            Some((Peer::Receiver, EndKind::Reset)) => format!("the {receiver} reset the connection"),
            None => "the tap was stopped".to_owned(),
        };
        if let Mode::Http2(http2) = &self.mode
            && let Some(error) = http2.goaway_error()
        {
            text.push_str(" with GOAWAY ");
            text.push_str(error);
        }
        break_all(std::mem::replace(&mut self.mode, Mode::Opaque), &text);
    }
}

impl Mode {
    /// Returns method and path of the request that was read last.
    fn last_request(&self) -> Option<&str> {
        match self {
            Mode::Http1(http1) => http1.last_request(),
            Mode::Http2(http2) => http2.last_request(),
            Mode::Undecided { .. } | Mode::Amqp(_) | Mode::Opaque => None,
        }
    }

    fn let_go(&mut self) -> Vec<u8> {
        match self {
            Mode::Undecided { sent, .. } => std::mem::take(sent),
            Mode::Http1(http1) => http1.let_go(),
            Mode::Http2(http2) => http2.let_go(),
            Mode::Amqp(_) | Mode::Opaque => Vec::new(),
        }
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.break_rest();
    }
}

fn break_all(mode: Mode, how: &str) {
    match mode {
        Mode::Http1(http1) => http1.into_requests().for_each(|request| request.broken(how)),
        Mode::Http2(http2) => http2.into_calls().for_each(|call| call.broken(how)),
        Mode::Amqp(amqp) => amqp.broken(how),
        Mode::Undecided { .. } | Mode::Opaque => {}
    }
}
