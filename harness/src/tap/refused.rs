//! Why a tap stops reading a connection; its bytes go on regardless.

use thiserror::Error;

/// The largest head, header block or trailer section that is read.
pub const SECTION_LIMIT: usize = 256 * 1024;
/// The most requests of one connection that may wait for their answers.
pub const WAITING_LIMIT: usize = 10_000;
/// The most messages of one AMQP channel that may be neither confirmed nor acknowledged.
pub const UNSETTLED_LIMIT: usize = 100_000;

/// First byte of a TLS record that carries a handshake (RFC 8446 section 5.1).
pub const TLS_HANDSHAKE: u8 = 0x16;

#[derive(Debug, Error)]
pub enum Refused {
    #[error("the {0} is not HTTP/1.1: {1}")]
    NotHttp(&'static str, httparse::Error),
    #[error("the {0} has no length that can be told: {1}")]
    Length(&'static str, &'static str),
    #[error("a chunk of the {0} is malformed")]
    Chunk(&'static str),
    #[error("a header section is longer than 256 KiB")]
    TooLong,
    #[error("more than 10000 requests wait for their answers")]
    TooMany,
    #[error("TLS on a hop that is not declared as TLS")]
    Tls,
    #[error("it is HTTP/2, over which calls of SQS are not read")]
    SqsOverHttp2,
    #[error("the {0} does not begin as HTTP/2 does")]
    NotHttp2(&'static str),
    #[error("an HTTP/2 frame is malformed: {0}")]
    Frame(&'static str),
    #[error("a header block cannot be decoded: {0}")]
    Hpack(&'static str),
    #[error("the {0} does not begin as AMQP 0-9-1 does")]
    NotAmqp(&'static str),
    #[error("an AMQP frame is malformed: {0}")]
    AmqpFrame(&'static str),
    #[error("an AMQP frame that is no body is longer than 1 MiB")]
    AmqpTooLong,
    #[error("more than 100000 messages of a channel are not settled")]
    Unsettled,
}
