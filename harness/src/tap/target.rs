//! Where a tap goes on to: often known only when the tap listens already and its own address has been handed
//! out.

use std::net::SocketAddr;

use tokio::sync::watch;

/// The receiver's address, now or later. A connection that comes before waits for it.
#[derive(Clone, Debug)]
pub struct Target(watch::Receiver<Option<SocketAddr>>);

/// Makes a target known.
#[derive(Debug)]
pub struct Aim(watch::Sender<Option<SocketAddr>>);

impl Target {
    pub fn later() -> (Aim, Target) {
        let (sender, receiver) = watch::channel(None);
        (Aim(sender), Target(receiver))
    }

    /// Waits for the address; `None` when it will never be known.
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
    pub fn at(&self, target: SocketAddr) {
        self.0.send_replace(Some(target));
    }
}
