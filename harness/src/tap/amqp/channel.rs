//! One channel: its methods and contents in both directions, and the captures they make.

use super::content::{Arriving, Content};
use super::delivered::{Asked, Delivered, Settled, Source};
use super::method::{Closing, Destination, Method};
use super::published::{Publication, Published};
use crate::evidence::{CaptureEnd, Message, MessageDirection, MessageHead, Protocol, Recording, Settlement};
use crate::tap::refused::Refused;
use crate::tap::scene::Scene;

const INTERRUPTED: Refused = Refused::AmqpFrame("a method comes before a content is complete");

/// Where a channel is.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub scene: &'a Scene,
    pub connection: u32,
    pub channel: u16,
}

#[derive(Debug, Default)]
pub struct Channel {
    published: Published,
    delivered: Delivered,
    sending: Option<Arriving<Publishing>>,
    receiving: Option<Arriving<Incoming>>,
    /// By one side or the other; until that was answered more may come.
    closed: Option<String>,
}

#[derive(Debug)]
struct Publishing {
    to: Destination,
    mandatory: bool,
    number: u64,
}

#[derive(Debug)]
enum Incoming {
    Delivery { source: Option<Source>, tag: u64, redelivered: bool },
    Return { why: String, to: Destination },
}

impl Channel {
    /// A method from the client.
    pub fn by_client(&mut self, method: Method) -> Result<(), Refused> {
        if self.sending.is_some() {
            return Err(INTERRUPTED);
        }
        match method {
            Method::Publish { to, mandatory } => {
                let number = self.published.number();
                self.sending = Some(Arriving::new(Publishing { to, mandatory, number }));
            }
            Method::Declare { queue, no_wait: true } => self.delivered.declares(queue),
            Method::Declare { no_wait: false, .. } => self.delivered.asks(Asked::Declare)?,
            Method::Consume { queue, consumer, no_ack, no_wait } => {
                let source = Source { queue, no_ack };
                match no_wait {
                    true => self.delivered.consumes(consumer, source),
                    false => self.delivered.asks(Asked::Consume(source))?,
                }
            }
            Method::Cancel { consumer, no_wait: true } => self.delivered.cancelled(&consumer),
            Method::Get { queue, no_ack } => self.delivered.asks(Asked::Get(Source { queue, no_ack }))?,
            Method::Ack { tag, multiple } => {
                self.delivered.settled(Settled { tag, multiple, how: Settlement::Done });
            }
            Method::Nack { tag, multiple, requeue } => {
                let how = if requeue { Settlement::Returned } else { Settlement::Rejected };
                self.delivered.settled(Settled { tag, multiple, how });
            }
            Method::Recover => self.delivered.given_back(),
            Method::ConfirmSelect => self.published.with_confirms(),
            Method::TxSelect => {
                self.published.in_transactions();
                self.delivered.in_transactions();
            }
            _ => {}
        }
        Ok(())
    }

    /// A method from the broker.
    pub fn by_broker(&mut self, method: Method) -> Result<(), Refused> {
        if self.receiving.is_some() {
            return Err(INTERRUPTED);
        }
        match method {
            Method::DeclareOk { queue } => self.delivered.declared(queue),
            Method::ConsumeOk { consumer } => self.delivered.consuming(consumer),
            Method::Cancel { consumer, .. } | Method::CancelOk { consumer } => {
                self.delivered.cancelled(&consumer);
            }
            Method::Deliver { consumer, tag, redelivered } => {
                let source = self.delivered.source(&consumer);
                self.receives(Incoming::Delivery { source, tag, redelivered });
            }
            Method::GetOk { tag, redelivered } => {
                let source = self.delivered.got();
                self.receives(Incoming::Delivery { source, tag, redelivered });
            }
            Method::GetEmpty => drop(self.delivered.got()),
            Method::Return { why, to } => self.receives(Incoming::Return { why, to }),
            Method::Ack { tag, multiple } => self.published.confirmed(tag, multiple),
            Method::Nack { tag, multiple, .. } => self.published.refused(tag, multiple),
            Method::TxCommitOk => {
                self.published.committed();
                self.delivered.committed();
            }
            Method::TxRollbackOk => {
                self.published.rolled_back();
                self.delivered.rolled_back();
            }
            _ => {}
        }
        Ok(())
    }

    fn receives(&mut self, incoming: Incoming) {
        self.receiving = Some(Arriving::new(incoming));
    }

    /// Some of a content from the client.
    pub fn sent(&mut self, part: Part<'_>, at: At<'_>) -> Result<(), Refused> {
        part.put_to(&mut self.sending)?;
        let Some(complete) = self.sending.take_if(|arriving| arriving.is_complete()) else { return Ok(()) };
        let (publishing, content) = complete.into_parts();
        let Publishing { to, mandatory, number } = publishing;
        let mut message = Message::new(MessageDirection::Published, &to.exchange);
        message.routing_key = Some(to.routing_key.clone());
        let print = mandatory.then(|| content.print());
        let Some(recording) = at.record(message, content) else { return Ok(()) };
        let publication = Publication { recording, to, print };
        match &self.closed {
            Some(why) => publication.refused(why),
            None => self.published.add(number, publication)?,
        }
        Ok(())
    }

    /// Some of a content from the broker.
    pub fn received(&mut self, part: Part<'_>, at: At<'_>) -> Result<(), Refused> {
        part.put_to(&mut self.receiving)?;
        let Some(complete) = self.receiving.take_if(|arriving| arriving.is_complete()) else { return Ok(()) };
        let (incoming, content) = complete.into_parts();
        let (source, tag, redelivered) = match incoming {
            Incoming::Delivery { source: Some(source), tag, redelivered } => (source, tag, redelivered),
            Incoming::Delivery { source: None, .. } => {
                at.gap("nothing was heard of the consumer that it is delivered to");
                return Ok(());
            }
            Incoming::Return { why, to } => {
                self.published.returned(&to, content.print(), &why);
                return Ok(());
            }
        };
        let mut message = Message::new(MessageDirection::Delivered, source.queue);
        message.deliveries = if redelivered { 2 } else { 1 };
        let Some(recording) = at.record(message, content) else { return Ok(()) };
        if source.no_ack {
            recording.end(CaptureEnd::Settled(Settlement::Done));
        } else if self.closed.is_some() {
            recording.end(CaptureEnd::Settled(Settlement::Returned));
        } else {
            self.delivered.add(tag, recording)?;
        }
        Ok(())
    }

    /// The client takes no more; the broker may still confirm.
    pub fn closed_by_client(&mut self) {
        self.sending = None;
        self.delivered.given_back();
        self.closed = Some("the client closed the channel before".to_owned());
    }

    /// The broker takes no more.
    pub fn closed_by_broker(&mut self, closing: &Closing) {
        self.receiving = None;
        self.delivered.given_back();
        self.published.closed_by_broker(closing);
        self.closed = Some(format!("the broker closed the channel before: {}", closing.why));
    }

    pub fn is_within_content(&self) -> bool {
        self.sending.is_some()
    }

    /// Nothing more comes.
    pub fn broken(mut self, how: &str) {
        self.published.broken(how);
        self.delivered.broken(how);
    }
}

/// A part of a content.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    Header(&'a [u8]),
    Body(&'a [u8]),
}

impl Part<'_> {
    fn put_to<O>(self, arriving: &mut Option<Arriving<O>>) -> Result<(), Refused> {
        let Some(arriving) = arriving else {
            return Err(Refused::AmqpFrame("a content comes without a method before it"));
        };
        match self {
            Part::Header(payload) => arriving.header(payload),
            Part::Body(bytes) => arriving.body(bytes),
        }
    }
}

impl At<'_> {
    /// Writes a complete message down; one whose properties cannot be read is a gap.
    fn record(&self, mut message: Message, content: Content) -> Option<Recording> {
        let marked = content.marked(self.scene);
        let properties = match content.properties {
            Ok(properties) => properties,
            Err(why) => {
                self.gap(why);
                return None;
            }
        };
        message.id = properties.message_id;
        if message.direction == MessageDirection::Delivered {
            message.moved_from = properties.moved_from;
        }
        Some(self.scene.writer.recorder.message(MessageHead {
            tap: self.scene.writer.tap,
            protocol: Protocol::Amqp,
            connection: self.connection,
            stream: u32::from(self.channel),
            message,
            fields: properties.headers,
            kept: self.scene.writer.kept.clone(),
            marked,
        }))
    }

    fn gap(&self, why: &str) {
        let At { connection, channel, .. } = self;
        self.scene
            .gap(format!("a message on channel {channel} of connection {connection} is not read: {why}"));
    }
}
