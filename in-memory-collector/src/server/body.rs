//! The body of a request, whichever way it comes, read up to a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use super::admission::Admission;
use super::refusal::Refusal;

#[derive(Debug)]
pub enum Body {
    Http1(hyper::body::Incoming),
    Http2(h2::RecvStream),
}

/// Up to this size room is made for a body at once.
const TRUSTED: u64 = 4 << 20;

/// The reason why a connection or stream broke, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrokenBody(String);

/// The reason why a body could not be read.
#[derive(Debug)]
pub enum Unread {
    Refused(Refusal),
    /// The connection or stream broke.
    Broken(BrokenBody),
}

impl Body {
    async fn chunk(&mut self) -> Option<Result<Bytes, BrokenBody>> {
        match self {
            Body::Http1(incoming) => loop {
                match incoming.frame().await? {
                    Ok(frame) => {
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                    Err(error) => return Some(Err(BrokenBody(chain(&error)))),
                }
            },
            Body::Http2(stream) => match stream.data().await? {
                Ok(data) => {
                    // The window is given back at once: what is held is bounded by `Admission`.
                    match stream.flow_control().release_capacity(data.len()) {
                        Ok(()) => Some(Ok(data)),
                        Err(error) => Some(Err(BrokenBody(error.to_string()))),
                    }
                }
                Err(error) => Some(Err(BrokenBody(error.to_string()))),
            },
        }
    }

    /// Reads the whole body, if it has at most `limit` bytes and arrives in time.
    pub async fn collect(
        &mut self,
        limit: u64,
        timeout: Duration,
        admission: &mut Admission,
    ) -> Result<Bytes, Unread> {
        match tokio::time::timeout(timeout, self.collect_all(limit, admission)).await {
            Ok(result) => result,
            Err(_) => Err(Unread::Refused(Refusal::Slow(timeout))),
        }
    }

    async fn collect_all(&mut self, limit: u64, admission: &mut Admission) -> Result<Bytes, Unread> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            let chunk = chunk.map_err(Unread::Broken)?;
            if (first.len() + all.len() + chunk.len()) as u64 > limit {
                return Err(Unread::Refused(Refusal::TooLarge { limit, decompressed: false }));
            }
            admission.grow(chunk.len()).map_err(Unread::Refused)?;
            if first.is_empty() && all.is_empty() {
                first = chunk;
                continue;
            }
            if all.is_empty() {
                // What the sender announces is a hint: it may be wrong, and is not paid for beforehand beyond this.
                let announced = self.announced(&first).min(limit).min(TRUSTED) as usize;
                all.reserve(announced.max(first.len() + chunk.len()));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    /// Returns the length of the body, as far as its first bytes or its head announce it: for gRPC by its frame.
    fn announced(&self, first: &[u8]) -> u64 {
        match self {
            Body::Http1(incoming) => hyper::body::Body::size_hint(incoming).lower(),
            Body::Http2(_) => match first {
                [0 | 1, length @ ..] => {
                    length.first_chunk().map_or(0, |length| u64::from(u32::from_be_bytes(*length)) + 5)
                }
                _ => 0,
            },
        }
    }

    /// Reads on and forgets, so that a client that sends before it listens gets its answer. At most `most` bytes.
    pub async fn drain(&mut self, most: u64, timeout: Duration) {
        let all = async {
            let mut left = most;
            while let Some(Ok(chunk)) = self.chunk().await {
                left = left.saturating_sub(chunk.len() as u64);
                if left == 0 {
                    break;
                }
            }
        };
        drop(tokio::time::timeout(timeout, all).await);
    }
}

/// Formats an error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
