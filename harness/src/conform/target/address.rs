//! The address of a service: `http://host:port/path`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// The reason why a text is not the address of a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the suite sends its bytes in plaintext: give an address with `http://`")]
    Encrypted,
    #[error("an address begins with `http://`")]
    Scheme,
    #[error("`{0}` is not a port")]
    Port(String),
    #[error("`{0}` names no host")]
    Host(String),
}

/// An address over plaintext HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    /// With its query; at least `/`.
    pub path: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("https://") {
            return Err(AddressError::Encrypted);
        }
        let rest = text.strip_prefix("http://").ok_or(AddressError::Scheme)?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| AddressError::Port(port.to_owned()))?)
            }
            _ => (authority, 80),
        };
        if host.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@') {
            return Err(AddressError::Host(text.to_owned()));
        }
        Ok(Address { host: host.to_owned(), port, path })
    }
}

impl Address {
    /// Returns the address of a service on this machine, at its root.
    pub fn at(address: SocketAddr) -> Address {
        let host = match address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        Address { host, port: address.port(), path: "/".to_owned() }
    }

    /// Returns another address at the same service.
    pub fn with_path(&self, path: String) -> Address {
        Address { path, ..self.clone() }
    }

    /// Returns `host:port`, the value of the `Host` field.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Resolves the name to its first address.
    pub async fn resolve(&self) -> std::io::Result<SocketAddr> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut found = tokio::net::lookup_host((host, self.port)).await?;
        found.next().ok_or_else(|| std::io::Error::other(format!("`{host}` has no address")))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_a_port_and_a_path() {
        for (text, shown) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("http://localhost/verify?x=1", "http://localhost:80/verify?x=1"),
            ("http://[::1]:5000/a", "http://[::1]:5000/a"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for wrong in ["https://a", "ftp://a", "a:1", "http://", "http://a:b/", "http://a b"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
