//! What a relay of the user's own says that it can do, asked before it is told anything (`fixtures/CONTRACT.md`,
//! control): what it cannot do is said at once, and not found out by failing.
//!
//! Those that come along can do everything and are not asked.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::request;

const PATH: &str = "/-/capabilities";

/// Members that are not known are no reason to refuse it.
#[derive(Deserialize)]
struct Capabilities {
    can: BTreeSet<String>,
}

/// Those of `needs` that the relay does not have; an error says in words why it could not be learnt.
pub(super) async fn missing(
    address: Option<SocketAddr>,
    needs: BTreeSet<&'static str>,
    deadline: Instant,
) -> Result<Vec<&'static str>, String> {
    let address = address.ok_or("it listens at no HTTP address")?;
    let asked = timeout_at(deadline, request::http(Method::GET, address, PATH, &[])).await;
    let (status, body) =
        asked.map_err(|_| "no answer came".to_owned())?.map_err(|error| error.to_string())?;
    let can = match status {
        StatusCode::OK => {
            serde_json::from_slice::<Capabilities>(&body).map_err(|error| error.to_string())?.can
        }
        // A service of the W3C's own suite.
        StatusCode::NOT_FOUND => BTreeSet::from(["http".to_owned()]),
        other => return Err(format!("the answer was {other}")),
    };
    Ok(needs.into_iter().filter(|need| !can.contains(*need)).collect())
}
