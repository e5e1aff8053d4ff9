//! Chooses a free port for a node that needs one before it starts: `${self.port}`; and reserves a fixed one.
//!
//! Ports are taken from below the ephemeral range, so that no outgoing connection can get one meanwhile. Two harnesses
//! on one machine do not choose the same one: the harness that holds a port holds the abstract socket of that name
//! (unix(7)), which lives in the same network namespace as the port and ends with its holder. On platforms other than
//! Linux only the process id keeps two harnesses apart. Another program may still take the port before the node does:
//! then the node fails at its start.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::listener::{self, ListeningProcess};

/// The first port that is given out; well-known services are below.
const LOWEST: u16 = 15000;
/// The time to wait for a port that a case of another harness uses.
pub const OTHER_HARNESS_WITHIN: Duration = Duration::from_secs(60);
/// One past the last, where the start of the ephemeral range is unknown.
const END: u16 = 32000;

/// The time that the listeners of a case may take to close after it has ended.
const OWN_LISTENER_WITHIN: Duration = Duration::from_secs(10);
/// The same where the tables of this machine do not show whose listener it is.
const UNKNOWN_LISTENER_WITHIN: Duration = Duration::from_secs(2);

/// A port that no other harness chooses until this is dropped.
#[derive(Debug)]
pub struct Port {
    pub number: u16,
    _hold: Hold,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Returns a free port; `None` when every port of the range is taken.
pub fn free() -> Option<Port> {
    let count = u32::from(end() - LOWEST);
    let first = std::process::id().wrapping_mul(97);
    for _ in 0..count {
        let offset = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let number = LOWEST + u16::try_from(offset).unwrap_or_default();
        if let Some(hold) = hold(number)
            && is_free(number)
        {
            return Some(Port { number, _hold: hold });
        }
    }
    None
}

/// Resolves with a fixed port as soon as no other harness holds it, and nothing listens there; `None` when that is not
/// so by the deadline.
///
/// A port that only programs of other kinds use is not waited for.
pub async fn reserve(number: u16, deadline: Instant) -> Option<Port> {
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        match hold(number) {
            Some(hold) => return is_free(number).then_some(Port { number, _hold: hold }),
            None if Instant::now() >= deadline => return None,
            None => {}
        }
    }
}

/// Resolves when nothing listens at the address and no other harness holds its port.
///
/// A listener of this process is that of a case that has just ended, and is waited for; so is the port of another
/// harness. Any other program is not.
pub async fn reserve_address(at: SocketAddr, deadline: Instant) -> Result<Port, AddressError> {
    let own_until = deadline.min(Instant::now() + OWN_LISTENER_WITHIN);
    let unknown_until = deadline.min(Instant::now() + UNKNOWN_LISTENER_WITHIN);
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let Some(hold) = hold(at.port()) else {
            if Instant::now() >= deadline {
                return Err(AddressError::OtherHarness);
            }
            continue;
        };
        let error = match TcpListener::bind(at) {
            Ok(_) => return Ok(Port { number: at.port(), _hold: hold }),
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::AddrInUse => {}
            io::ErrorKind::AddrNotAvailable => return Err(AddressError::NotOfThisMachine),
            _ => return Err(AddressError::Refused(error)),
        }
        let listener = listener::on_port(at.port());
        let until = match &listener {
            Some(listener) if u32::try_from(listener.process) == Ok(std::process::id()) => own_until,
            Some(_) => Instant::now(),
            None => unknown_until,
        };
        if Instant::now() >= until {
            return Err(AddressError::InUse(listener));
        }
    }
}

/// The reason why the harness cannot listen at a fixed address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("another run of `unbroken` uses this port: wait until it has ended")]
    OtherHarness,
    #[error("another listener of this case has the same port: give each its own")]
    Twice,
    #[error("{} listens there: stop it", .0.as_ref().map_or_else(|| "another program".to_owned(), ToString::to_string))]
    InUse(Option<ListeningProcess>),
    #[error("this machine has no such address: `ip address` lists those that it has")]
    NotOfThisMachine,
    #[error("{0}")]
    Refused(io::Error),
}

/// Returns whether nothing listens on the port, on the loopback address or on all addresses.
pub fn is_free(number: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
        && TcpListener::bind((Ipv4Addr::UNSPECIFIED, number)).is_ok()
}

#[cfg(target_os = "linux")]
type Hold = std::os::unix::net::UnixListener;

#[cfg(target_os = "linux")]
fn hold(number: u16) -> Option<Hold> {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("unbroken-port-{number}");
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?;
    Hold::bind_addr(&address).ok()
}

#[cfg(not(target_os = "linux"))]
type Hold = ();

#[cfg(not(target_os = "linux"))]
fn hold(_number: u16) -> Option<Hold> {
    Some(())
}

/// Returns one past the last port that is given out: the start of the ephemeral range (ip(7), `ip_local_port_range`).
fn end() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    let low = range.and_then(|range| range.split_whitespace().next()?.parse::<u16>().ok());
    low.unwrap_or(END).clamp(LOWEST + 1000, END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_held_or_in_use_is_not_given_out_again() {
        let ports: Vec<Port> = (0..50).map(|_| free().expect("a port is free")).collect();
        let mut numbers: Vec<u16> = ports.iter().map(|port| port.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
        assert!(numbers.iter().all(|number| *number < end()));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, numbers[0])).expect("the port is free");
        assert!(!is_free(numbers[0]));
        drop(listener);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_is_reserved_when_its_listener_has_closed_and_a_foreign_one_is_named() {
        let within = || Instant::now() + Duration::from_secs(20);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let at = listener.local_addr().expect("it is bound");
        let waiting = tokio::spawn(reserve_address(at, within()));
        tokio::task::yield_now().await;
        drop(listener);
        let port = waiting.await.expect("it does not panic").expect("the listener has closed");
        assert_eq!(port.number, at.port());
        let held = reserve_address(at, Instant::now()).await;
        assert!(matches!(held, Err(AddressError::OtherHarness)), "{held:?}");
        drop(port);
        let elsewhere = reserve_address(([192, 0, 2, 1], at.port()).into(), within()).await;
        assert!(matches!(elsewhere, Err(AddressError::NotOfThisMachine)), "{elsewhere:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_hold_ends_with_its_port() {
        let port = free().expect("a port is free");
        let number = port.number;
        assert!(hold(number).is_none());
        drop(port);
        assert!(hold(number).is_some());
    }
}
