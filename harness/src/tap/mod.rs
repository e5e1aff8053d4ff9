//! Wire taps: the harness's own eye on a hop, between the sender and the receiver.
//!
//! Bytes go through untouched and are read beside: HTTP/1.1, HTTP/2, gRPC, AMQP 0-9-1 and the API of SQS, in the clear
//! and, with the feature `tls`, over TLS. Each incoming connection gets one outgoing connection, so that what the
//! service under test does with its connections stays what it is. What cannot be read goes through all the same and
//! is recorded as a gap. Kafka alone is read beside its broker.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::evidence::Recorder;
use crate::plan::{TapIx, TapPlan};

mod amqp;
#[cfg(feature = "tls")]
pub mod authority;
mod call;
mod connection;
mod eye;
mod http1;
mod http2;
#[cfg(feature = "kafka")]
mod kafka;
mod refused;
mod scene;
mod search;
#[cfg(feature = "sqs")]
mod sqs;
mod tap_recorder;
mod target;
#[cfg(feature = "kafka")]
pub mod threads;
#[cfg(feature = "tls")]
mod tls;

#[cfg(test)]
mod tests;

pub use eye::Side;
#[cfg(feature = "kafka")]
pub use kafka::{KafkaTap, KafkaTapConfig};
#[cfg(feature = "sqs")]
pub use sqs::Messages as SqsMessages;
pub use target::{Aim, Target};
#[cfg(feature = "tls")]
pub use tls::TapTls;

use eye::{Eye, How};
use scene::Scene;

/// Shows a tap a connection whose bytes are at hand, each piece with who sent it, and then that both sides close it;
/// gives back what goes on to the receiver.
pub fn replay(config: &TapConfig, recorder: Recorder, pieces: &[(Side, &[u8])]) -> Vec<u8> {
    let scene = Scene::new(config.tap, config.plan.clone(), config.run, recorder);
    let mut eye = Eye::new(Arc::new(scene), 0);
    let mut goes_on = Vec::new();
    for (side, bytes) in pieces {
        match side {
            Side::Sender => goes_on.extend_from_slice(&eye.request(bytes)),
            Side::Receiver => eye.answer(bytes),
        }
    }
    goes_on.extend(eye.let_go());
    eye.end(Side::Sender, How::Closed);
    eye.end(Side::Receiver, How::Closed);
    goes_on
}

/// What a tap needs to know before it listens.
#[derive(Clone, Debug)]
pub struct TapConfig {
    pub tap: TapIx,
    pub plan: TapPlan,
    /// Marks with another run in them are ignored.
    pub run: u32,
    /// Where to listen; the port is chosen by the system.
    pub listen: IpAddr,
    /// The receiver.
    pub target: Target,
    /// For `plan.tls`: how TLS is terminated here and spoken to the receiver.
    #[cfg(feature = "tls")]
    pub tls: Option<TapTls>,
    /// What taps of SQS know of the messages; the taps of one run share it, for a message that is sent through one of
    /// them is received through another.
    #[cfg(feature = "sqs")]
    pub sqs: SqsMessages,
}

impl TapConfig {
    /// Listens on 127.0.0.1, in the clear.
    pub fn new(tap: TapIx, plan: TapPlan, run: u32, target: impl Into<Target>) -> Self {
        Self {
            tap,
            plan,
            run,
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            target: target.into(),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "sqs")]
            sqs: SqsMessages::default(),
        }
    }
}

#[derive(Debug, Error)]
pub enum TapError {
    #[error("a tap cannot listen on {listen}")]
    Listen { listen: IpAddr, source: io::Error },
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
    /// Listens, and from then on writes what goes through to `recorder`.
    pub async fn start(config: TapConfig, recorder: Recorder) -> Result<Tap, TapError> {
        let listen = config.listen;
        let failed = |source| TapError::Listen { listen, source };
        let listener = TcpListener::bind((listen, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (running, stopped) = oneshot::channel();
        let task = tokio::spawn(accept_all(listener, config, recorder, stopped));
        Ok(Tap { address, task, running })
    }

    /// Where senders reach it.
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
                    scene.gap(format!("a connection was lost by a fault of the tap: {error}"));
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
                scene.gap(format!("a connection could not be accepted: {error}"));
                // Out of descriptors: one more is there when a connection has ended.
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
    let Some(target) = config.target.known().await else { return };
    #[cfg(feature = "tls")]
    if let Some(tls) = config.tls.filter(|_| config.plan.tls) {
        return tls::serve(scene, number, client, target, tls).await;
    }
    connection::serve(scene, number, client, target).await;
}
