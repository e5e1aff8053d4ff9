//! A build without TLS: no hop is terminated, and no authority made.

use super::error::RuntimeError;
use crate::plan::Plan;

#[derive(Debug)]
pub(super) enum Trust {}

impl Trust {
    pub(super) fn new(plan: &Plan) -> Result<Option<Trust>, RuntimeError> {
        match plan.taps.iter().any(|tap| tap.tls) {
            true => Err(RuntimeError::NoTls),
            false => Ok(None),
        }
    }

    pub(super) fn pem(&self) -> &str {
        match *self {}
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        std::iter::empty()
    }
}
