//! Wire taps: the observer of a hop, between the sender and the receiver.
//!
//! Bytes are forwarded unchanged while the tap reads a copy: HTTP/1.1, HTTP/2, gRPC, AMQP 0-9-1 and the API of SQS, in
//! plaintext and, with the feature `tls`, over TLS. Each incoming connection gets one outgoing connection, so that the
//! service under test keeps its own use of connections. What cannot be read is forwarded all the same and recorded as a
//! gap. Kafka's tap is a reader of the broker instead.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::descriptors;
use crate::evidence::Recorder;
use crate::plan::{TapIx, TapPlan};

mod amqp;
#[cfg(feature = "tls")]
pub mod authority;
mod body_context;
mod body_text;
mod call_recording;
mod connection;
mod eye;
mod http1;
mod http2;
#[cfg(feature = "kafka")]
mod kafka;
mod read_error;
mod receiver_address;
mod scene;
mod search;
#[cfg(feature = "sqs")]
mod sqs;
mod tap_recorder;
#[cfg(feature = "kafka")]
pub mod threads;
#[cfg(feature = "tls")]
mod tls;

#[cfg(test)]
mod tests;

pub use eye::Peer;
#[cfg(feature = "kafka")]
pub use kafka::{KafkaTap, KafkaTapConfig};
pub use receiver_address::{Aim, ReceiverAddress};
#[cfg(feature = "sqs")]
pub use sqs::Messages as SqsMessages;
#[cfg(feature = "tls")]
pub use tls::TapTls;

use eye::{EndKind, Eye};
use scene::Scene;

/// Feeds a tap the bytes of a connection, each piece with its sender, and then its end by both sides; returns what the
/// tap forwards to the receiver.
pub fn replay(config: &TapConfig, recorder: Recorder, pieces: &[(Peer, &[u8])]) -> Vec<u8> {
    let scene = Scene::new(config.tap, config.plan.clone(), config.run, recorder);
    let mut eye = Eye::new(Arc::new(scene), 0);
    let mut forwarded = Vec::new();
    for (side, bytes) in pieces {
        match side {
            Peer::Sender => forwarded.extend_from_slice(&eye.request(bytes)),
            Peer::Receiver => eye.answer(bytes),
        }
    }
    forwarded.extend(eye.let_go());
    eye.end(Peer::Sender, EndKind::Closed);
    eye.end(Peer::Receiver, EndKind::Closed);
    forwarded
}

/// The settings of a tap.
#[derive(Clone, Debug)]
pub struct TapConfig {
    pub tap: TapIx,
    pub plan: TapPlan,
    /// Marks with another run in them are ignored.
    pub run: u32,
    /// The address to listen on.
    pub listen: IpAddr,
    /// With 0 the system chooses the port.
    pub port: u16,
    /// The receiver.
    pub receiver: ReceiverAddress,
    /// For `plan.tls`: the TLS of the tap towards sender and receiver.
    #[cfg(feature = "tls")]
    pub tls: Option<TapTls>,
    /// The messages that the taps of SQS have seen; the taps of one run share them, because a message is sent through
    /// one tap and received through another.
    #[cfg(feature = "sqs")]
    pub sqs: SqsMessages,
}

impl TapConfig {
    /// Returns the settings of a plaintext tap on 127.0.0.1.
    pub fn new(tap: TapIx, plan: TapPlan, run: u32, receiver: impl Into<ReceiverAddress>) -> Self {
        Self {
            tap,
            plan,
            run,
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            receiver: receiver.into(),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "sqs")]
            sqs: SqsMessages::default(),
        }
    }
}

/// The reason why a tap cannot start.
#[derive(Debug, Error)]
pub enum TapError {
    #[error("cannot bind an address for a tap on {listen}")]
    Listen { listen: SocketAddr, source: io::Error },
}

/// A tap that listens; it ends when it is dropped.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    task: JoinHandle<()>,
    /// Dropped to stop the task.
    running: oneshot::Sender<()>,
}

impl Tap {
    /// Starts to listen, and records what crosses.
    pub async fn start(config: TapConfig, recorder: Recorder) -> Result<Tap, TapError> {
        let listen = SocketAddr::new(config.listen, config.port);
        let bound = TcpListener::bind(listen).await;
        let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = bound.map_err(|source| TapError::Listen { listen, source })?;
        let (running, stopped) = oneshot::channel();
        let task = tokio::spawn(accept_all(listener, config, recorder, stopped));
        Ok(Tap { address, task, running })
    }

    /// Returns the address that senders call.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port and every connection, and returns when they are closed.
    pub async fn stop(self) {
        drop(self.running);
        // A task that panicked has ended too.
        let _ = self.task.await;
    }
}

async fn accept_all(
    listener: TcpListener,
    config: TapConfig,
    recorder: Recorder,
    mut stopped: oneshot::Receiver<()>,
) {
    #[cfg_attr(not(feature = "sqs"), allow(unused_mut))]
    let mut scene = Scene::new(config.tap, config.plan.clone(), config.run, recorder);
    #[cfg(feature = "sqs")]
    {
        scene.sqs = config.sqs.clone();
    }
    let scene = Arc::new(scene);
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    scene.gap(format!("a defect of the tap ended a connection: {error}; please report it"));
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((client, _)) => {
                connections.spawn(serve(scene.clone(), number, client, config.clone()));
                number += 1;
            }
            Err(error) => {
                descriptors::count_if_run_out(&error);
                scene.gap(format!("the tap cannot accept a connection: {error}"));
                // Out of descriptors: one is free again when a connection has ended.
                if connections.join_next().await.is_none() {
                    break;
                }
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(scene: Arc<Scene>, number: u32, client: TcpStream, config: TapConfig) {
    let Some(receiver) = config.receiver.known().await else { return };
    #[cfg(feature = "tls")]
    if let (true, Some(tls)) = (config.plan.tls, config.tls) {
        return tls::serve(scene, number, client, receiver, tls).await;
    }
    connection::serve(scene, number, client, receiver).await;
}
