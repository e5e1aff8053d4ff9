//! Reads a copy of an AMQP 0-9-1 connection between a client and RabbitMQ: what is published, what is delivered, and
//! how it is settled.
//!
//! It follows channels, contents, confirms, consumers and settlements, and validates none of them: the broker does
//! that. Clauses are those of the AMQP 0-9-1 specification; confirms, `basic.nack` and the types of header values are
//! RabbitMQ's extensions and errata.

use std::collections::HashMap;
use std::sync::Arc;

use super::read_error::{ReadError, TLS_HANDSHAKE};
use super::scene::Scene;
use channel::{Channel, ChannelScene, ContentPart};
use frame::{FrameReader, Piece};
use method::{CloseReason, Method};

mod channel;
mod content;
mod cursor;
mod deliveries;
mod frame;
mod method;
mod publications;
mod table;

/// The bytes of a client before its first frame (section 4.2.2).
const PROTOCOL: &[u8; 8] = b"AMQP\x00\x00\x09\x01";

/// The reader of one connection.
#[derive(Debug)]
pub struct Amqp {
    scene: Arc<Scene>,
    connection: u32,
    /// The number of bytes of `PROTOCOL` that were sent.
    begun: usize,
    client: FrameReader,
    broker: FrameReader,
    /// True once the broker has sent anything.
    answered: bool,
    channels: HashMap<u16, Channel>,
}

impl Amqp {
    pub fn new(scene: Arc<Scene>, connection: u32) -> Self {
        Self {
            scene,
            connection,
            begun: 0,
            client: FrameReader::default(),
            broker: FrameReader::default(),
            answered: false,
            channels: HashMap::new(),
        }
    }

    /// Reads bytes from the client.
    pub fn client(&mut self, mut bytes: &[u8]) -> Result<(), ReadError> {
        let expected = &PROTOCOL[self.begun..];
        let begin = &bytes[..bytes.len().min(expected.len())];
        if begin != &expected[..begin.len()] {
            let tls = self.begun == 0 && begin[0] == TLS_HANDSHAKE;
            return Err(if tls { ReadError::Tls } else { ReadError::NotAmqp("client") });
        }
        self.begun += begin.len();
        bytes = &bytes[begin.len()..];
        while !bytes.is_empty() {
            let (used, piece) = self.client.read(bytes)?;
            self.piece_of_client(piece)?;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// Reads bytes from the broker.
    pub fn broker(&mut self, mut bytes: &[u8]) -> Result<(), ReadError> {
        // A broker with another version sends its own protocol header and closes.
        if !self.answered && bytes.first() == Some(&PROTOCOL[0]) {
            return Err(ReadError::NotAmqp("broker"));
        }
        self.answered = true;
        while !bytes.is_empty() {
            let (used, piece) = self.broker.read(bytes)?;
            self.piece_of_broker(piece)?;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    fn piece_of_client(&mut self, piece: Piece<'_>) -> Result<(), ReadError> {
        match piece {
            Piece::Method(channel, payload) => match Method::read(&payload)? {
                Method::ConnectionClose(_) => {
                    self.channels.values_mut().for_each(Channel::closed_by_client);
                }
                Method::ConnectionCloseOk => self.end_all(),
                Method::ChannelClose(_) => self.channel(channel).closed_by_client(),
                Method::ChannelCloseOk => self.end(channel),
                method if channel > 0 => self.channel(channel).by_client(method)?,
                _ => {}
            },
            Piece::Header(channel, payload) => self.sent(channel, ContentPart::Header(&payload))?,
            Piece::Body(channel, bytes) => self.sent(channel, ContentPart::Body(bytes))?,
            Piece::Other => {}
        }
        Ok(())
    }

    fn piece_of_broker(&mut self, piece: Piece<'_>) -> Result<(), ReadError> {
        match piece {
            Piece::Method(channel, payload) => match Method::read(&payload)? {
                Method::ConnectionClose(closing) => self.close_all(&closing),
                Method::ConnectionCloseOk => self.end_all(),
                Method::ChannelClose(closing) => self.channel(channel).closed_by_broker(&closing),
                Method::ChannelCloseOk => self.end(channel),
                method if channel > 0 => self.channel(channel).by_broker(method)?,
                _ => {}
            },
            Piece::Header(channel, payload) => self.received(channel, ContentPart::Header(&payload))?,
            Piece::Body(channel, bytes) => self.received(channel, ContentPart::Body(bytes))?,
            Piece::Other => {}
        }
        Ok(())
    }

    fn channel(&mut self, number: u16) -> &mut Channel {
        self.channels.entry(number).or_default()
    }

    /// Reads a part of a content from the client; on a closed channel it is ignored.
    fn sent(&mut self, channel: u16, part: ContentPart<'_>) -> Result<(), ReadError> {
        let at = ChannelScene { scene: &self.scene, connection: self.connection, channel };
        self.channels.get_mut(&channel).map_or(Ok(()), |own| own.sent(part, at))
    }

    fn received(&mut self, channel: u16, part: ContentPart<'_>) -> Result<(), ReadError> {
        let at = ChannelScene { scene: &self.scene, connection: self.connection, channel };
        self.channels.get_mut(&channel).map_or(Ok(()), |own| own.received(part, at))
    }

    fn close_all(&mut self, closing: &CloseReason) {
        self.channels.values_mut().for_each(|channel| channel.closed_by_broker(closing));
    }

    fn end(&mut self, channel: u16) {
        if let Some(ended) = self.channels.remove(&channel) {
            ended.broken("the client closed the channel before the broker confirmed the message");
        }
    }

    fn end_all(&mut self) {
        let ended = std::mem::take(&mut self.channels);
        let how = "the client closed the connection before the broker confirmed the message";
        ended.into_values().for_each(|channel| channel.broken(how));
    }

    /// Returns whether the client's bytes so far end in the middle of a frame or a message.
    pub fn is_within_message(&self) -> bool {
        self.client.is_within() || self.channels.values().any(Channel::is_within_content)
    }

    /// Ends every open capture; `how` names the side that ended the connection.
    pub fn broken(self, how: &str) {
        self.channels.into_values().for_each(|channel| channel.broken(how));
    }
}
