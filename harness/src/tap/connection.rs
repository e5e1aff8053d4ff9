//! One connection through a tap: forwards bytes both ways, shows them to the eye, and forwards every kind of end.
//!
//! A closed direction is forwarded as a closed direction, a reset as a reset. Each direction has one task and one
//! buffer; bodies are never collected. A side that first closes its direction and then resets the connection is noticed
//! only when it refuses bytes.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::eye::{EndKind, Eye, Peer};
use super::scene::Scene;
use crate::descriptors;

const BUFFER: usize = 32 * 1024;
/// The time that the receiver may take to accept a connection, and to start TLS on it.
pub const CONNECT: Duration = Duration::from_secs(10);
/// The time for the rest of one direction after the bytes of the other one were refused.
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

/// The end of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DirectionEnd {
    /// The sending side closed it, and the close was forwarded.
    Closed,
    /// The sending side reset the connection.
    Reset,
    /// The receiving side refused bytes.
    Refused,
}

/// Serves an accepted connection to its end.
pub async fn serve(scene: Arc<Scene>, number: u32, client: TcpStream, target: SocketAddr) {
    // Without it small writes wait for acknowledgements; a failure only costs time.
    let _ = client.set_nodelay(true);
    match connect(target).await {
        Ok(receiver) => drop(relay(Eye::new(scene, number), client, receiver).await),
        Err(error) => unreachable_target(&scene, &client, target, &error),
    }
}

/// Connects to the receiver.
pub async fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(target));
    let receiver = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let _ = receiver.set_nodelay(true);
    Ok(receiver)
}

/// Reports that the receiver cannot be reached, and resets the sender's connection, which was accepted already.
pub fn unreachable_target(
    scene: &Scene,
    client: &TcpStream,
    target: SocketAddr,
    error: &(dyn std::error::Error + 'static),
) {
    descriptors::count_if_run_out(error);
    scene.unreachable_receiver(format!("cannot connect to the receiver at {target}: {error}"));
    let _ = client.set_zero_linger();
}

/// Forwards bytes both ways until both directions have ended. Returns whether the receiver has sent anything.
pub async fn relay<C: Stream, T: Stream>(eye: Eye, mut client: C, mut receiver: T) -> bool {
    // Both directions run in one task, so the lock is never contended.
    let eye = Mutex::new(eye);
    let orderly = both_ways(&eye, &mut client, &mut receiver).await;
    eye.lock().break_rest();
    if !orderly {
        let _ = client.socket().set_zero_linger();
        let _ = receiver.socket().set_zero_linger();
    }
    eye.into_inner().has_answer()
}

/// Returns whether both directions were closed in good order.
async fn both_ways<C: Stream, T: Stream>(eye: &Mutex<Eye>, client: &mut C, receiver: &mut T) -> bool {
    let (client_reads, client_writes) = tokio::io::split(client);
    let (receiver_reads, receiver_writes) = tokio::io::split(receiver);
    let mut requests = pin!(pump(eye, Peer::Sender, client_reads, receiver_writes));
    let mut answers = pin!(pump(eye, Peer::Receiver, receiver_reads, client_writes));
    tokio::select! {
        end = &mut requests => finish(end, answers).await,
        end = &mut answers => finish(end, requests).await,
    }
}

/// Awaits the rest of one direction after the other one has ended; returns whether both were closed in good order.
async fn finish(first: DirectionEnd, rest: Pin<&mut impl Future<Output = DirectionEnd>>) -> bool {
    match first {
        DirectionEnd::Reset => false,
        DirectionEnd::Refused => {
            let _ = tokio::time::timeout(DRAIN, rest).await;
            false
        }
        DirectionEnd::Closed => rest.await == DirectionEnd::Closed,
    }
}

/// Forwards one direction, after showing it to the eye.
async fn pump<R, W>(eye: &Mutex<Eye>, from: Peer, mut reader: R, mut writer: W) -> DirectionEnd
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match reader.read(&mut buffer).await {
            // TLS that ended without its closing alert.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(_) => {
                eye.lock().end(from, EndKind::Reset);
                return DirectionEnd::Reset;
            }
            Ok(read) => read,
        };
        if read == 0 {
            let held = eye.lock().let_go();
            eye.lock().end(from, EndKind::Closed);
            let written = if held.is_empty() { Ok(()) } else { writer.write_all(&held).await };
            // It fails where the side has closed already.
            let _ = writer.shutdown().await;
            return if written.is_ok() { DirectionEnd::Closed } else { DirectionEnd::Refused };
        }
        let bytes = &buffer[..read];
        let written = match from {
            Peer::Sender => {
                let bytes = eye.lock().request(bytes);
                writer.write_all(&bytes).await
            }
            Peer::Receiver => {
                eye.lock().answer(bytes);
                writer.write_all(bytes).await
            }
        };
        if written.is_err() || writer.flush().await.is_err() {
            eye.lock().refused_by(from.other());
            return DirectionEnd::Refused;
        }
    }
}
