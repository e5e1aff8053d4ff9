//! Reads the capabilities of a relay of the user's own before the story starts (`fixtures/CONTRACT.md`, control): what
//! it does not support is reported at once, instead of found by failing.
//!
//! The relays that come with unbroken support everything and are not asked.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::request::{self, RequestError};

const PATH: &str = "/-/capabilities";

/// The reason why the capabilities of a relay cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CapabilitiesError {
    #[error("the relay listens on no HTTP address")]
    NoHttp,
    #[error("the relay did not answer in time")]
    Late,
    #[error(transparent)]
    Request(RequestError),
    #[error("the relay answered with {0}")]
    Status(StatusCode),
    #[error("the answer is not the JSON of the contract")]
    Json(#[source] serde_json::Error),
}

/// The answer of a relay; members that are not known are ignored.
#[derive(Deserialize)]
struct Capabilities {
    can: BTreeSet<String>,
}

/// Returns those of `needs` that the relay does not support.
pub async fn missing(
    address: Option<SocketAddr>,
    needs: BTreeSet<&'static str>,
    deadline: Instant,
) -> Result<Vec<&'static str>, CapabilitiesError> {
    let address = address.ok_or(CapabilitiesError::NoHttp)?;
    let answer = timeout_at(deadline, request::http(Method::GET, address, PATH, &[])).await;
    let (status, body) = answer.map_err(|_| CapabilitiesError::Late)?.map_err(CapabilitiesError::Request)?;
    let can = match status {
        StatusCode::OK => serde_json::from_slice::<Capabilities>(&body).map_err(CapabilitiesError::Json)?.can,
        // A service of the W3C's own suite.
        StatusCode::NOT_FOUND => BTreeSet::from(["http".to_owned()]),
        other => return Err(CapabilitiesError::Status(other)),
    };
    Ok(needs.into_iter().filter(|need| !can.contains(*need)).collect())
}
