//! The address that a tap forwards to: often known only when the tap already listens.

use std::net::SocketAddr;

use tokio::sync::watch;

/// The receiver's address, known now or later. A connection that comes earlier waits for it.
#[derive(Clone, Debug)]
pub struct ReceiverAddress(watch::Receiver<Option<SocketAddr>>);

/// Sets the address.
#[derive(Debug)]
pub struct Aim(watch::Sender<Option<SocketAddr>>);

impl ReceiverAddress {
    /// Returns an address that is set later.
    pub fn later() -> (Aim, ReceiverAddress) {
        let (sender, receiver) = watch::channel(None);
        (Aim(sender), ReceiverAddress(receiver))
    }

    /// Resolves with the address; `None` when it will never be set.
    pub async fn known(mut self) -> Option<SocketAddr> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|address| *address)
    }
}

impl From<SocketAddr> for ReceiverAddress {
    fn from(address: SocketAddr) -> Self {
        ReceiverAddress(watch::channel(Some(address)).1)
    }
}

impl Aim {
    /// Sets the address.
    pub fn at(&self, address: SocketAddr) {
        self.0.send_replace(Some(address));
    }
}
