//! One connection through a tap: bytes go both ways beside the eye, and every kind of end is passed on as it
//! is.
//!
//! A closed direction is passed on as a closed direction, a reset as a reset. One task and one buffer a
//! direction; the bodies are never collected. A side that first closes its direction and then resets the
//! connection is seen to do so only when bytes for it are refused.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::eye::{Eye, How, Side};
use super::scene::Scene;

const BUFFER: usize = 32 * 1024;
/// How long the receiver may take to accept a connection, and to begin TLS on it.
pub const CONNECT: Duration = Duration::from_secs(10);
/// How long one direction may go on after the other one's bytes were refused: what is already there, and no
/// more.
const DRAIN: Duration = Duration::from_secs(1);

/// A connection that can be ended by a reset.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// How one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing more comes, and that was passed on.
    Closed,
    /// The side that sends reset the connection.
    Reset,
    /// The side that reads takes no more.
    Refused,
}

/// Takes an accepted connection to its end.
pub async fn serve(scene: Arc<Scene>, number: u32, client: TcpStream, target: SocketAddr) {
    // Not vital: without it small writes wait for acknowledgements.
    let _ = client.set_nodelay(true);
    match connect(target).await {
        Ok(receiver) => relay(Eye::new(scene, number), client, receiver).await,
        Err(error) => unreachable_target(&scene, &client, target, &error),
    }
}

pub async fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(target));
    let receiver = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let _ = receiver.set_nodelay(true);
    Ok(receiver)
}

/// The sender learns that it reached nobody by a reset: its own connection was accepted already.
pub fn unreachable_target(
    scene: &Scene,
    client: &TcpStream,
    target: SocketAddr,
    error: &dyn std::error::Error,
) {
    scene.gap(format!("nothing can be reached at {target}: {error}"));
    let _ = client.set_zero_linger();
}

/// Moves bytes both ways until both directions have ended.
pub async fn relay<C: Stream, T: Stream>(eye: Eye, mut client: C, mut receiver: T) {
    let eye = Mutex::new(eye);
    let orderly = both_ways(&eye, &mut client, &mut receiver).await;
    lock(&eye).break_rest();
    if !orderly {
        let _ = client.socket().set_zero_linger();
        let _ = receiver.socket().set_zero_linger();
    }
}

/// Whether both directions were closed in good order.
async fn both_ways<C: Stream, T: Stream>(eye: &Mutex<Eye>, client: &mut C, receiver: &mut T) -> bool {
    let (client_reads, client_writes) = tokio::io::split(client);
    let (receiver_reads, receiver_writes) = tokio::io::split(receiver);
    let mut requests = pin!(pump(eye, Side::Sender, client_reads, receiver_writes));
    let mut answers = pin!(pump(eye, Side::Receiver, receiver_reads, client_writes));
    let (first, rest): (End, std::pin::Pin<&mut (dyn Future<Output = End> + Send)>) = tokio::select! {
        end = &mut requests => (end, answers),
        end = &mut answers => (end, requests),
    };
    match first {
        End::Reset => false,
        End::Refused => {
            let _ = tokio::time::timeout(DRAIN, rest).await;
            false
        }
        End::Closed => rest.await == End::Closed,
    }
}

/// One direction: read, look, pass on.
async fn pump<R, W>(eye: &Mutex<Eye>, from: Side, mut reader: R, mut writer: W) -> End
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match reader.read(&mut buffer).await {
            // TLS that ends without its closing alert.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(_) => {
                lock(eye).end(from, How::Reset);
                return End::Reset;
            }
            Ok(read) => read,
        };
        if read == 0 {
            let held = lock(eye).let_go();
            lock(eye).end(from, How::Closed);
            let written = if held.is_empty() { Ok(()) } else { writer.write_all(&held).await };
            // A side that is gone already cannot be told.
            let _ = writer.shutdown().await;
            return if written.is_ok() { End::Closed } else { End::Refused };
        }
        let bytes = &buffer[..read];
        let written = match from {
            Side::Sender => {
                let bytes = lock(eye).request(bytes);
                writer.write_all(&bytes).await
            }
            Side::Receiver => {
                lock(eye).answer(bytes);
                writer.write_all(bytes).await
            }
        };
        if written.is_err() || writer.flush().await.is_err() {
            lock(eye).refused_by(from.other());
            return End::Refused;
        }
    }
}

/// Both directions run in one task, so nobody ever waits here.
fn lock(eye: &Mutex<Eye>) -> MutexGuard<'_, Eye> {
    eye.lock().unwrap_or_else(PoisonError::into_inner)
}
