//! The reasons why a tap stops reading a connection; the tap still forwards its bytes.

use thiserror::Error;

/// The largest head, header block or trailer section that is read.
pub const SECTION_LIMIT: usize = 256 * 1024;
/// The most requests of one connection that may wait for their answers.
pub const WAITING_LIMIT: usize = 10_000;
/// The most messages of one AMQP channel that may be neither confirmed nor acknowledged.
pub const UNSETTLED_LIMIT: usize = 100_000;

/// First byte of a TLS record that carries a handshake (RFC 8446 section 5.1).
pub const TLS_HANDSHAKE: u8 = 0x16;

/// The reason why a tap stops reading a connection.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("the {0} is not HTTP/1.1: {1}")]
    NotHttp(&'static str, httparse::Error),
    #[error("the length of the {0} is unclear: {1}")]
    Length(&'static str, &'static str),
    #[error("a chunk of the {0} is malformed")]
    Chunk(&'static str),
    #[error("a header section is longer than 256 KiB")]
    TooLong,
    #[error("more than 10000 requests wait for their answers")]
    TooMany,
    #[error("it uses TLS, and the hop is not declared with `tls: true`")]
    Tls,
    #[error("it is HTTP/2, and calls of SQS are read over HTTP/1.1 only")]
    SqsOverHttp2,
    #[error("the {0} did not start with HTTP/2")]
    NotHttp2(&'static str),
    #[error("an HTTP/2 frame is malformed: {0}")]
    Frame(&'static str),
    #[error("a header block cannot be decoded: {0}")]
    Hpack(&'static str),
    #[error("the {0} did not start with AMQP 0-9-1")]
    NotAmqp(&'static str),
    #[error("an AMQP frame is malformed: {0}")]
    AmqpFrame(&'static str),
    #[error("an AMQP method or header frame is longer than 1 MiB")]
    AmqpTooLong,
    #[error("more than 100000 messages of a channel are not settled")]
    Unsettled,
}
