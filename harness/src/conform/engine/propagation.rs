//! Tries the propagators alone: sends a carrier to `POST /-/propagate`, and takes what was injected as a call.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::shell_word::shell_word;
use crate::conform::suite::{CarrierKind, Propagation, RequestIds, Text, Vector};
use crate::conform::target::Address;
use crate::conform::transport::SendFailure;
use crate::evidence::RawFields;
use crate::runtime::standalone::ask_json;

/// The word of `/-/capabilities`.
pub(super) const CAPABILITY: &str = "propagate";
const PATH: &str = "/-/propagate";

/// The part of the answer that is judged.
#[derive(Deserialize)]
struct Answer {
    injected: Vec<(String, String)>,
}

/// Returns the body of the request.
pub(super) fn body(propagation: &Propagation, vector: &Vector, minted: &RequestIds) -> String {
    let (extract, into) = (filled(&vector.send, minted), filled(&propagation.into, minted));
    json!({ "carrier": propagation.carrier.word(), "extract": extract, "into": into }).to_string()
}

fn filled(pairs: &[(Text, Text)], minted: &RequestIds) -> Vec<(String, String)> {
    let texts = pairs.iter().flat_map(|(name, value)| [name.fill(minted), value.fill(minted)]);
    let texts: Vec<String> = texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect();
    texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// Sends a carrier. Returns the status, and the fields of the carrier after the injection.
pub(super) async fn exchange(
    socket: SocketAddr,
    carrier: CarrierKind,
    body: String,
    within: Duration,
) -> Result<(u16, RawFields), SendFailure> {
    let (status, body) =
        ask_json(socket, PATH, body, within).await.map_err(|error| SendFailure(error.to_string()))?;
    if status != 200 {
        return Ok((status, RawFields::new()));
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|error| SendFailure(format!("the answer of `{PATH}` has no `injected`: {error}")))?;
    let fields = answer.injected.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes()));
    Ok((status, as_fields(carrier, fields.collect())))
}

/// Returns the fields by the names that formats have. A variable whose name is not normalised belongs to no format.
pub(super) fn as_fields(carrier: CarrierKind, fields: RawFields) -> RawFields {
    if carrier == CarrierKind::Fields {
        return fields;
    }
    fields.into_iter().map(|(name, value)| (field_of(&name), value)).collect()
}

fn field_of(variable: &[u8]) -> Vec<u8> {
    if !is_normalised(variable) {
        return [b"variable ", variable].concat();
    }
    let lower = variable.to_ascii_lowercase();
    lower.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect()
}

/// Returns true for `^[A-Z_][A-Z0-9_]*$` (OpenTelemetry, environment variables as carriers).
fn is_normalised(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
    name.first().is_some_and(is_letter) && name.iter().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Returns the request as a command of a shell.
pub(super) fn curl(address: &Address, body: &str) -> String {
    let url = format!("http://{}{PATH}", address.authority());
    let (body, url) = (shell_word(body.as_bytes()), shell_word(url.as_bytes()));
    format!("curl -i -H 'Content-Type: application/json' -d {body} {url}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_fields_by_their_normalised_names() {
        let named = |name: &str| {
            let fields = as_fields(CarrierKind::Environment, vec![(name.into(), b"1".to_vec())]);
            String::from_utf8(fields[0].0.clone()).unwrap()
        };
        assert_eq!(named("X_B3_TRACEID"), "x-b3-traceid");
        assert_eq!(named("traceparent"), "variable traceparent");
        assert_eq!(named("9A"), "variable 9A");
    }
}
