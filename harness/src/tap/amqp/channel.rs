//! One channel: its methods and contents in both directions, and their captures.

use super::content::{Content, PartialContent};
use super::deliveries::{Acknowledgement, ConsumerQueue, Deliveries, PendingRequest};
use super::method::{CloseReason, Destination, Method};
use super::publications::{Publication, Publications};
use crate::evidence::{CaptureEnd, Message, MessageDirection, MessageHead, Protocol, Recording, Settlement};
use crate::scenario::message::DIRECT_REPLY_TO;
use crate::tap::read_error::ReadError;
use crate::tap::scene::Scene;

const INTERRUPTED: ReadError = ReadError::AmqpFrame("a method came before a content was complete");

/// A channel of a connection of a tap.
#[derive(Clone, Copy, Debug)]
pub struct ChannelScene<'a> {
    pub scene: &'a Scene,
    pub connection: u32,
    pub channel: u16,
}

#[derive(Debug, Default)]
pub struct Channel {
    published: Publications,
    delivered: Deliveries,
    sending: Option<PartialContent<PublishMethod>>,
    receiving: Option<PartialContent<IncomingContent>>,
    /// The reason why one side closed it; more may come until the close is answered.
    closed: Option<String>,
}

#[derive(Debug)]
struct PublishMethod {
    to: Destination,
    mandatory: bool,
    number: u64,
}

#[derive(Debug)]
enum IncomingContent {
    Delivery { source: Option<ConsumerQueue>, tag: u64, redelivered: bool },
    Return { why: String, to: Destination },
}

impl Channel {
    /// Reads a method from the client.
    pub fn by_client(&mut self, method: Method) -> Result<(), ReadError> {
        if self.sending.is_some() {
            return Err(INTERRUPTED);
        }
        match method {
            Method::Publish { to, mandatory } => {
                let number = self.published.number();
                self.sending = Some(PartialContent::new(PublishMethod { to, mandatory, number }));
            }
            Method::Declare { queue, no_wait: true } => self.delivered.declares(queue),
            Method::Declare { no_wait: false, .. } => self.delivered.asks(PendingRequest::Declare)?,
            Method::Consume { queue, consumer, no_ack, no_wait } => {
                let source = ConsumerQueue { queue, no_ack };
                if no_wait {
                    self.delivered.consumes(consumer, source);
                } else {
                    self.delivered.asks(PendingRequest::Consume(source))?;
                }
            }
            Method::Cancel { consumer, no_wait: true } => self.delivered.cancelled(&consumer),
            Method::Get { queue, no_ack } => {
                self.delivered.asks(PendingRequest::Get(ConsumerQueue { queue, no_ack }))?
            }
            Method::Ack { tag, multiple } => {
                self.delivered.settled(Acknowledgement { tag, multiple, how: Settlement::Done });
            }
            Method::Nack { tag, multiple, requeue } => {
                let how = if requeue { Settlement::Returned } else { Settlement::Rejected };
                self.delivered.settled(Acknowledgement { tag, multiple, how });
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

    /// Reads a method from the broker.
    pub fn by_broker(&mut self, method: Method) -> Result<(), ReadError> {
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
                self.receives(IncomingContent::Delivery { source, tag, redelivered });
            }
            Method::GetOk { tag, redelivered } => {
                let source = self.delivered.got();
                self.receives(IncomingContent::Delivery { source, tag, redelivered });
            }
            Method::GetEmpty => drop(self.delivered.got()),
            Method::Return { why, to } => self.receives(IncomingContent::Return { why, to }),
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

    fn receives(&mut self, incoming: IncomingContent) {
        self.receiving = Some(PartialContent::new(incoming));
    }

    /// Reads a part of a content from the client.
    pub fn sent(&mut self, part: ContentPart<'_>, at: ChannelScene<'_>) -> Result<(), ReadError> {
        part.put_to(&mut self.sending)?;
        let Some(complete) = self.sending.take_if(|arriving| arriving.is_complete()) else { return Ok(()) };
        let (publishing, content) = complete.into_parts();
        let PublishMethod { to, mandatory, number } = publishing;
        let mut message = Message::new(MessageDirection::Published, &to.exchange);
        message.routing_key = Some(without_token(&to.routing_key).to_owned());
        let print = mandatory.then(|| content.print());
        let Some(recording) = at.record(message, content) else { return Ok(()) };
        let publication = Publication { recording, to, print };
        match &self.closed {
            Some(why) => publication.refused(why),
            None => self.published.add(number, publication)?,
        }
        Ok(())
    }

    /// Reads a part of a content from the broker.
    pub fn received(&mut self, part: ContentPart<'_>, at: ChannelScene<'_>) -> Result<(), ReadError> {
        part.put_to(&mut self.receiving)?;
        let Some(complete) = self.receiving.take_if(|arriving| arriving.is_complete()) else { return Ok(()) };
        let (incoming, content) = complete.into_parts();
        let (source, tag, redelivered) = match incoming {
            IncomingContent::Delivery { source: Some(source), tag, redelivered } => {
                (source, tag, redelivered)
            }
            IncomingContent::Delivery { source: None, .. } => {
                at.gap("its consumer is unknown");
                return Ok(());
            }
            IncomingContent::Return { why, to } => {
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

    /// Notes that the client closed the channel; the broker may still confirm.
    pub fn closed_by_client(&mut self) {
        self.sending = None;
        self.delivered.given_back();
        self.closed = Some("the client had closed the channel".to_owned());
    }

    /// Notes that the broker closed the channel.
    pub fn closed_by_broker(&mut self, closing: &CloseReason) {
        self.receiving = None;
        self.delivered.given_back();
        self.published.closed_by_broker(closing);
        self.closed = Some(format!("the broker had closed the channel: {}", closing.why));
    }

    pub fn is_within_content(&self) -> bool {
        self.sending.is_some()
    }

    /// Ends every open capture; `how` names the side that ended the connection.
    pub fn broken(mut self, how: &str) {
        self.published.broken(how);
        self.delivered.broken(how);
    }
}

/// Returns the queue of answers in place of a name with the broker's token for one client.
fn without_token(routing_key: &str) -> &str {
    let token = routing_key.strip_prefix(DIRECT_REPLY_TO);
    if token.is_some_and(|token| token.starts_with('.')) { DIRECT_REPLY_TO } else { routing_key }
}

/// A part of a content.
#[derive(Clone, Copy, Debug)]
pub enum ContentPart<'a> {
    Header(&'a [u8]),
    Body(&'a [u8]),
}

impl ContentPart<'_> {
    fn put_to<O>(self, arriving: &mut Option<PartialContent<O>>) -> Result<(), ReadError> {
        let Some(arriving) = arriving else {
            return Err(ReadError::AmqpFrame("a content came without a method before it"));
        };
        match self {
            ContentPart::Header(payload) => arriving.header(payload),
            ContentPart::Body(bytes) => arriving.body(bytes),
        }
    }
}

impl ChannelScene<'_> {
    /// Adds a complete message to the record, or a gap if its properties cannot be read.
    fn record(&self, mut message: Message, mut content: Content) -> Option<Recording> {
        let marked = content.marked(self.scene);
        let body = content.whole_body();
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
        let recording = self.scene.writer.recorder.message(MessageHead {
            tap: self.scene.writer.tap,
            protocol: Protocol::Amqp,
            connection: self.connection,
            stream: u32::from(self.channel),
            message,
            fields: properties.headers,
            kept: self.scene.writer.kept.clone(),
            marked,
        });
        if self.scene.plan.carrier(None).is_some() {
            match body {
                Some(body) => self.scene.body_context(None, &body, &recording),
                None => self.gap("its body, which carries the context, is longer than 64 KiB"),
            }
        }
        Some(recording)
    }

    fn gap(&self, why: &str) {
        let ChannelScene { connection, channel, .. } = self;
        self.scene.gap(format!(
            "the tap could not read a message on channel {channel} of connection {connection}: {why}"
        ));
    }
}
