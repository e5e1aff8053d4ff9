//! A request through a forwarder: its body, and the answer of the service behind.

use super::request::CallAddresses;
use crate::conform::listener::UpstreamAnswer;
use crate::conform::suite::{PreparedAnswer, RequestIds, Vector};

/// Returns the body, which identifies a call that has no path.
pub(super) fn body(addresses: CallAddresses<'_>) -> String {
    let path = addresses.listener.path(addresses.key, 0);
    serde_json::json!([{ "url": format!("mark:{path}"), "arguments": [] }]).to_string()
}

/// Returns the answer that a vector wants from the service behind the forwarder.
pub(super) fn upstream_answer(vector: &Vector, minted: &RequestIds) -> Option<UpstreamAnswer> {
    let PreparedAnswer { fields, failures } = vector.upstream.as_ref()?;
    let fields = fields.iter().map(|(name, value)| (name.fill(minted), value.fill(minted))).collect();
    Some(UpstreamAnswer { fields, failures: *failures })
}
