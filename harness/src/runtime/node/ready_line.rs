//! The ready line of a program that keeps the relay contract (`fixtures/CONTRACT.md`, section 3).

use std::net::SocketAddr;

use serde_json::Value;

use crate::runtime::node_addresses::NodeAddresses;

/// The beginning of the line.
pub const BEGINNING: &str = "relay ready ";

/// Parses `relay ready {"http": "127.0.0.1:41001", "grpc": "127.0.0.1:41002"}`; either may be absent or null.
pub fn parse(line: &str) -> Option<NodeAddresses> {
    let printed: Value = serde_json::from_str(line.strip_prefix(BEGINNING)?).ok()?;
    let printed = printed.as_object()?;
    let [http, grpc] = ["http", "grpc"].map(|key| address(printed.get(key)));
    Some(NodeAddresses { http: http.ok()?, grpc: grpc.ok()? })
}

/// Returns the address, `None` where it is absent, or an error where it is not an address.
fn address(value: Option<&Value>) -> Result<Option<SocketAddr>, NotAnAddress> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or(NotAnAddress),
    }
}

#[derive(Debug)]
struct NotAnAddress;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_line_is_parsed_and_anything_else_rejected() {
        let both = parse(r#"relay ready {"http": "127.0.0.1:41001", "grpc": "127.0.0.1:41002"}"#);
        let both = both.expect("it has both addresses");
        assert_eq!((both.http.map(|a| a.port()), both.grpc.map(|a| a.port())), (Some(41001), Some(41002)));
        assert!(parse(r#"relay ready {"http": null}"#).is_some_and(|ready| ready.http.is_none()));
        for wrong in ["relay ready ", "relay ready 7", r#"relay ready {"http": "nowhere"}"#, "ready {}"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
