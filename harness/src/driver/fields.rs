//! Header lines for HTTP/2: lower-case names, no control characters, lines of one name in their order.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::DriverError;
use super::outgoing::OutgoingRequest;
use super::route::DriveRoute;

/// Checks that HTTP/2 can carry all header lines.
pub(super) fn check(route: &DriveRoute, outgoing: &OutgoingRequest) -> Result<(), DriverError> {
    match outgoing.headers.iter().find(|(name, value)| field(name, value).is_none()) {
        Some((name, _)) => Err(DriverError::Header {
            hop: route.hop_name.clone(),
            header: name.escape_debug().to_string(),
            why: "HTTP/2 does not allow its name or value",
        }),
        None => Ok(()),
    }
}

/// Returns the lines that HTTP/2 can carry.
pub(super) fn map(outgoing: &OutgoingRequest) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(outgoing.headers.len() + 4);
    for (name, value) in outgoing.headers.iter().filter_map(|(name, value)| field(name, value)) {
        map.append(name, value);
    }
    map
}

/// Returns one line, with its name in lower case.
pub(super) fn field(name: &str, value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?))
}
