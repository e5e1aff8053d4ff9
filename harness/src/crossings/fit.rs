//! Whether a span's attributes fit a capture: what is there must agree, what is missing proves nothing.
//!
//! Names follow the OpenTelemetry semantic conventions for HTTP and RPC, current and former.

use super::Crossings;
use crate::evidence::{Capture, Span};

/// Address, path and method of the span agree with the capture wherever the span names them.
pub fn fits(all: &Crossings<'_>, span: &Span, capture: &Capture, at_sender: bool) -> bool {
    method_fits(span, capture) && path_fits(span, capture) && (!at_sender || port_fits(all, span, capture))
}

/// How many of them the span names at all: more is a better fit.
pub fn named(span: &Span) -> usize {
    let groups: [&[&str]; 3] = [METHOD, PATH, PORT];
    groups.iter().filter(|names| attribute(span, names).is_some()).count()
}

const METHOD: &[&str] = &["http.request.method", "http.method", "rpc.method"];
const PATH: &[&str] = &["url.path", "url.full", "http.target", "http.url"];
const PORT: &[&str] = &["server.port", "net.peer.port"];

fn attribute<'s>(span: &'s Span, names: &[&str]) -> Option<(&'s str, &'s str)> {
    let found = span.attributes.iter().find(|(name, _)| names.contains(&name.as_str()));
    found.map(|(name, value)| (name.as_str(), value.as_str()))
}

fn method_fits(span: &Span, capture: &Capture) -> bool {
    match attribute(span, METHOD) {
        // gRPC: `Method`, or with its service in front.
        Some(("rpc.method", method)) => capture.path.ends_with(method.trim_start_matches('/')),
        Some((_, method)) => method == "_OTHER" || method.eq_ignore_ascii_case(&capture.method),
        None => true,
    }
}

fn path_fits(span: &Span, capture: &Capture) -> bool {
    let Some((_, text)) = attribute(span, PATH) else { return true };
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => text,
    };
    path.split(['?', '#']).next() == Some(capture.path.as_str())
}

fn port_fits(all: &Crossings<'_>, span: &Span, capture: &Capture) -> bool {
    let tap = all.plan.tap(capture.tap);
    let port = all.evidence.tap_ports.get(capture.tap.0).copied().unwrap_or_default();
    match attribute(span, PORT) {
        Some((_, named)) if tap.host.is_none() && port != 0 => named.parse() == Ok(port),
        _ => true,
    }
}
