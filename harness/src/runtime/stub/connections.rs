//! The connections of a stub that serves HTTP or gRPC: each is served by a task of its own until it ends or the stub is
//! dropped.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Accepts connections and serves each, until the sender of `stopped` is dropped.
pub(super) async fn accept_all<S>(
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
    serve: impl Fn(TcpStream) -> S,
) where
    S: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                // Out of descriptors: one is free again when a connection has ended.
                Err(_) => if connections.join_next().await.is_none() { break },
            },
        }
    }
}
