//! The address that a tap forwards to: often known only when the tap already listens.

use std::net::SocketAddr;

use tokio::sync::watch;

/// The receiver's address, known now or later. A connection that comes earlier waits for it.
#[derive(Clone, Debug)]
pub struct Target(watch::Receiver<Option<SocketAddr>>);

/// Sets a target.
#[derive(Debug)]
pub struct Aim(watch::Sender<Option<SocketAddr>>);

impl Target {
    /// Returns a target that is set later.
    pub fn later() -> (Aim, Target) {
        let (sender, receiver) = watch::channel(None);
        (Aim(sender), Target(receiver))
    }

    /// Resolves with the address; `None` when it will never be set.
    pub async fn known(mut self) -> Option<SocketAddr> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|address| *address)
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Target(watch::channel(Some(address)).1)
    }
}

impl Aim {
    /// Sets the address.
    pub fn at(&self, target: SocketAddr) {
        self.0.send_replace(Some(target));
    }
}
