//! The methods that route and settle messages (AMQP 0-9-1, "Class and method reference"; `confirm` and `basic.nack` are
//! RabbitMQ's). All others are ignored.

use super::cursor::Cursor;
use crate::tap::read_error::ReadError;

/// `basic`, the class of content.
pub const BASIC: u16 = 60;
const PUBLISH: u16 = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    ConnectionClose(CloseReason),
    ConnectionCloseOk,
    ChannelClose(CloseReason),
    ChannelCloseOk,
    Declare {
        queue: String,
        no_wait: bool,
    },
    DeclareOk {
        queue: String,
    },
    Consume {
        queue: String,
        consumer: String,
        no_ack: bool,
        no_wait: bool,
    },
    ConsumeOk {
        consumer: String,
    },
    /// Sent by the consumer, or by a broker that ends a consumer itself.
    Cancel {
        consumer: String,
        no_wait: bool,
    },
    CancelOk {
        consumer: String,
    },
    Publish {
        to: Destination,
        mandatory: bool,
    },
    Return {
        why: String,
        to: Destination,
    },
    Deliver {
        consumer: String,
        tag: u64,
        redelivered: bool,
    },
    Get {
        queue: String,
        no_ack: bool,
    },
    GetOk {
        tag: u64,
        redelivered: bool,
    },
    GetEmpty,
    /// From the consumer the acknowledgement of a delivery, from the broker the confirm of a publication.
    Ack {
        tag: u64,
        multiple: bool,
    },
    /// The opposite of `Ack`; `basic.reject` is a `basic.nack` of one.
    Nack {
        tag: u64,
        multiple: bool,
        requeue: bool,
    },
    Recover,
    ConfirmSelect,
    TxSelect,
    TxCommitOk,
    TxRollbackOk,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// Empty for the default exchange.
    pub exchange: String,
    pub routing_key: String,
}

/// The reason why a channel or connection is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// Code and text.
    pub why: String,
    pub by_publish: bool,
}

impl Method {
    /// Parses the payload of a method frame.
    pub fn read(payload: &[u8]) -> Result<Method, ReadError> {
        let mut cursor = Cursor(payload);
        read(&mut cursor).ok_or(ReadError::AmqpFrame("a method is shorter than its arguments"))
    }
}

fn read(from: &mut Cursor<'_>) -> Option<Method> {
    let method = match (from.short()?, from.short()?) {
        (10, 50) => Method::ConnectionClose(closing(from)?),
        (10, 51) => Method::ConnectionCloseOk,
        (20, 40) => Method::ChannelClose(closing(from)?),
        (20, 41) => Method::ChannelCloseOk,
        (50, 10) => {
            let queue = named(from)?;
            // passive, durable, exclusive, auto-delete, no-wait
            Method::Declare { queue, no_wait: bit(from.octet()?, 4) }
        }
        (50, 11) => Method::DeclareOk { queue: from.short_text()? },
        (BASIC, id) => basic(id, from)?,
        (85, 10) => Method::ConfirmSelect,
        (90, 10) => Method::TxSelect,
        (90, 21) => Method::TxCommitOk,
        (90, 31) => Method::TxRollbackOk,
        _ => Method::Other,
    };
    Some(method)
}

fn basic(id: u16, from: &mut Cursor<'_>) -> Option<Method> {
    let method = match id {
        20 => {
            let (queue, consumer) = (named(from)?, from.short_text()?);
            // no-local, no-ack, exclusive, no-wait
            let bits = from.octet()?;
            Method::Consume { queue, consumer, no_ack: bit(bits, 1), no_wait: bit(bits, 3) }
        }
        21 => Method::ConsumeOk { consumer: from.short_text()? },
        30 => Method::Cancel { consumer: from.short_text()?, no_wait: bit(from.octet()?, 0) },
        31 => Method::CancelOk { consumer: from.short_text()? },
        PUBLISH => {
            from.short()?;
            // mandatory, immediate
            Method::Publish { to: destination(from)?, mandatory: bit(from.octet()?, 0) }
        }
        50 => Method::Return { why: why(from)?, to: destination(from)? },
        60 => {
            let consumer = from.short_text()?;
            Method::Deliver { consumer, tag: from.long_long()?, redelivered: bit(from.octet()?, 0) }
        }
        70 => Method::Get { queue: named(from)?, no_ack: bit(from.octet()?, 0) },
        71 => Method::GetOk { tag: from.long_long()?, redelivered: bit(from.octet()?, 0) },
        72 => Method::GetEmpty,
        80 => Method::Ack { tag: from.long_long()?, multiple: bit(from.octet()?, 0) },
        90 => {
            let (tag, bits) = (from.long_long()?, from.octet()?);
            Method::Nack { tag, multiple: false, requeue: bit(bits, 0) }
        }
        // Without `requeue` both mean the same consumer, which RabbitMQ rejects.
        100 | 110 => Method::Recover,
        120 => {
            let (tag, bits) = (from.long_long()?, from.octet()?);
            Method::Nack { tag, multiple: bit(bits, 0), requeue: bit(bits, 1) }
        }
        _ => Method::Other,
    };
    Some(method)
}

/// Reads the name of a queue behind a reserved argument.
fn named(from: &mut Cursor<'_>) -> Option<String> {
    from.short()?;
    from.short_text()
}

fn destination(from: &mut Cursor<'_>) -> Option<Destination> {
    Some(Destination { exchange: from.short_text()?, routing_key: from.short_text()? })
}

fn why(from: &mut Cursor<'_>) -> Option<String> {
    Some(format!("{} {}", from.short()?, from.short_text()?))
}

fn closing(from: &mut Cursor<'_>) -> Option<CloseReason> {
    let why = why(from)?;
    Some(CloseReason { why, by_publish: (from.short()?, from.short()?) == (BASIC, PUBLISH) })
}

fn bit(octet: u8, which: u8) -> bool {
    octet >> which & 1 == 1
}
