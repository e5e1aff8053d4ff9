//! Tells HTTP/2 with prior knowledge from HTTP/1.1 by the first bytes, and gives them back to the next reader.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes were read already.
#[derive(Debug)]
pub struct Rewound<T> {
    first: [u8; PREFACE.len()],
    from: usize,
    until: usize,
    inner: T,
}

/// Reads until it is clear whether the connection begins with the preface of HTTP/2.
pub async fn sniff<T: AsyncRead + Unpin>(mut inner: T) -> io::Result<(bool, Rewound<T>)> {
    let mut first = [0; PREFACE.len()];
    let mut until = 0;
    while until < PREFACE.len() && first[..until] == PREFACE[..until] {
        let read = inner.read(&mut first[until..]).await?;
        if read == 0 {
            break;
        }
        until += read;
    }
    Ok((first == *PREFACE, Rewound { first, from: 0, until, inner }))
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.from < self.until {
            let length = buffer.remaining().min(self.until - self.from);
            buffer.put_slice(&self.first[self.from..self.from + length]);
            self.from += length;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }
}
