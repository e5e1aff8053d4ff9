//! The preflight of a browser: `OPTIONS` before a request to another origin that carries more than simple headers.
//!
//! It is sent once for each drive with an `origin`, before the first stimulus, and without a mark: it is no part of the
//! story. Whether a browser would send the request is judged later; here it is sent in any case.
//!
//! Fetch standard, HTTP CORS protocol: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use ::http::HeaderMap;

use super::outgoing::OutgoingRequest;
use crate::evidence::{Answer, Preflight};
use crate::scenario::Hop;

const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_HEADERS: &str = "access-control-allow-headers";

/// Headers that a page may send without a preflight, and those that a browser sets itself.
const SIMPLE: [&str; 8] =
    ["accept", "accept-language", "content-language", "range", "host", "origin", "cookie", "user-agent"];

/// Media types of a body that a form could send, too.
const SIMPLE_BODIES: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Stands for the mark, which would make it a part of the story.
const MARK: &str = "preflight";

/// Returns the preflight of a request: with the headers that it carries, and with all that propagation over its hop may
/// add.
pub(super) fn request(of: OutgoingRequest, origin: &str, hop: &Hop, mark: &str) -> OutgoingRequest {
    let named = of.headers.iter().filter(|(name, value)| !is_simple(name, value));
    let mut names: Vec<String> = named.map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.extend(hop.propagation_fields().map(str::to_owned));
    names.sort();
    names.dedup();
    let headers = vec![
        ("origin".to_owned(), origin.as_bytes().to_vec()),
        (REQUEST_METHOD.to_owned(), of.method.into_bytes()),
        (REQUEST_HEADERS.to_owned(), names.join(",").into_bytes()),
    ];
    let target = of.target.replace(mark, MARK);
    OutgoingRequest { method: "OPTIONS".to_owned(), target, headers, body: Vec::new(), upgrades: false }
}

fn is_simple(name: &str, value: &[u8]) -> bool {
    if name.eq_ignore_ascii_case("content-type") {
        let essence = String::from_utf8_lossy(value).to_ascii_lowercase();
        return SIMPLE_BODIES.contains(&essence.split(';').next().unwrap_or_default().trim());
    }
    SIMPLE.iter().any(|simple| name.eq_ignore_ascii_case(simple))
}

/// Adds an answer, and what its fields allow.
pub(super) fn read(status: u16, fields: &HeaderMap, unanswered: Preflight) -> Preflight {
    let lines = |name: &str| fields.get_all(name).iter().map(|line| line.as_bytes().to_vec()).collect();
    Preflight {
        answer: Answer::Http(status),
        allowed_origins: lines(ALLOW_ORIGIN),
        allowed_headers: lines(ALLOW_HEADERS),
        ..unanswered
    }
}
