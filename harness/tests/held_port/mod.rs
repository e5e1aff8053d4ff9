//! A port for a service that is to listen at a fixed one.

use std::net::Ipv4Addr;

use tokio::net::TcpSocket;

/// Nothing else gets the port while nobody listens there. Several sockets may be bound to one port where all have
/// `SO_REUSEADDR` and at most one of them listens (socket(7)).
pub struct HeldPort(TcpSocket);

impl HeldPort {
    pub fn any() -> HeldPort {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        HeldPort(socket)
    }

    pub fn number(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}
