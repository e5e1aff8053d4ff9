//! A WebSocket (RFC 6455) that a request has opened: one text message there, and the same back.
//!
//! It is as much of the protocol as shows that a gateway leaves the bytes behind the handshake alone: no fragments, no
//! extensions, and the key is not checked.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The fields of the handshake (RFC 6455 4.1).
pub(super) const HANDSHAKE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0ODw=="),
];

/// The key with which a client masks its frames; any value does (RFC 6455 5.3).
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
/// A frame that is longer is not read.
const LONGEST: usize = 16 << 20;

/// Sends a message and requires that it comes back. `read` is what has been read behind the handshake.
pub(super) async fn exchange<S>(stream: &mut S, mut read: Vec<u8>, message: &[u8]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&frame(TEXT, message)).await?;
    stream.flush().await?;
    let back = loop {
        match parse(&read)? {
            Some(Frame { first: TEXT, payload }) => break payload,
            Some(Frame { first, .. }) => {
                return Err(unexpected(&format!(
                    "a frame {first:#04x} came back in place of the text message"
                )));
            }
            None if stream.read_buf(&mut read).await? == 0 => {
                return Err(unexpected("the connection was closed before the message came back"));
            }
            None => {}
        }
    };
    if back != message {
        let (sent, seen) = (message.len(), back.len());
        let at = message.iter().zip(&back).take_while(|(one, other)| one == other).count();
        return Err(unexpected(&format!(
            "the message that came back is a different one: {sent} bytes were sent, {seen} came back, and byte {at} is the \
             first that differs"
        )));
    }
    stream.write_all(&frame(CLOSE, &[])).await
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Returns a masked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | u8::try_from(short).expect("it is below 126")),
        long => match u16::try_from(long) {
            Ok(long) => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        },
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame of a server, which is not masked.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    first: u8,
    payload: Vec<u8>,
}

/// Returns the frame; `None` while it is incomplete.
fn parse(bytes: &[u8]) -> io::Result<Option<Frame>> {
    let [first, short, rest @ ..] = bytes else { return Ok(None) };
    let (length, rest) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        128.. => return Err(unexpected("a frame of the server is masked")),
        short => (u64::from(*short), rest),
    };
    match usize::try_from(length) {
        Ok(length) if length <= LONGEST => {
            Ok(rest.get(..length).map(|payload| Frame { first: *first, payload: payload.to_vec() }))
        }
        _ => Err(unexpected("a frame that came back is too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what a server sends for a payload.
    fn of_server(payload: &[u8]) -> Vec<u8> {
        let mut own = frame(TEXT, payload);
        let masked = own.split_off(own.len() - payload.len());
        own.truncate(own.len() - MASK.len());
        own[1] &= 0x7f;
        own.extend(masked.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        own
    }

    #[test]
    fn frames_of_every_length_are_written_and_read() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'a'; length];
            let bytes = of_server(&payload);
            assert_eq!(parse(&bytes[..bytes.len() - 1]).unwrap(), None, "{length}");
            assert_eq!(parse(&bytes).unwrap(), Some(Frame { first: TEXT, payload }));
        }
        assert!(parse(&frame(TEXT, b"a")).is_err(), "a client masks, a server does not");
    }

    #[tokio::test]
    async fn a_message_that_comes_back_changed_is_reported_with_the_place() {
        for (back, error) in [
            (of_server(b"hello"), None),
            (of_server(b"help"), Some("byte 3 is the first that differs")),
            (vec![CLOSE, 0], Some("a frame 0x88 came back")),
            (Vec::new(), Some("closed before the message came back")),
        ] {
            let (mut client, mut server) = tokio::io::duplex(4096);
            server.write_all(&back).await.unwrap();
            server.shutdown().await.unwrap();
            let ended = exchange(&mut client, Vec::new(), b"hello").await;
            match error {
                None => ended.unwrap(),
                Some(error) => assert!(ended.unwrap_err().to_string().contains(error)),
            }
        }
    }
}
