//! Accepts the connections of one endpoint and detects the protocol of each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::admission::CountGuard;
use super::sniff::sniff;
use super::{http1, http2};
use crate::endpoint::EndpointState;

/// Between two attempts when no connection can be taken.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs until the collector stops.
pub async fn accept(listener: TcpListener, endpoint: Arc<EndpointState>) {
    let _listening = CountGuard::new(&endpoint.shared.connections);
    let mut stop = endpoint.shared.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let counted = CountGuard::new(&endpoint.shared.connections);
                tokio::spawn(serve(stream, peer, endpoint.clone(), counted));
            }
            // Out of file descriptors, mostly: some connection has to end first.
            Err(_) => drop(tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await),
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, endpoint: Arc<EndpointState>, _counted: CountGuard) {
    let mut stop = endpoint.shared.stop.subscribe();
    // Without this an answer may wait for the client's delayed acknowledgement, 40 ms.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let sniffed = tokio::select! {
        sniffed = tokio::time::timeout(endpoint.shared.limits.head_timeout, sniff(stream)) => sniffed,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let mut kill = endpoint.shared.kill.subscribe();
    let serving = async {
        match sniffed {
            Ok(Ok((true, io))) => http2::serve(io, endpoint, peer, stop).await,
            Ok(Ok((false, io))) => http1::serve(io, endpoint, peer, stop).await,
            Ok(Err(_)) | Err(_) => {}
        }
    };
    tokio::select! {
        () = serving => {}
        _ = kill.wait_for(|kill| *kill) => {}
    }
}
