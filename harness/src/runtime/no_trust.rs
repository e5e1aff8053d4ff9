//! A build without TLS: no hop is terminated, and no authority made.

use super::error::RuntimeError;
use super::host_address::Here;
use crate::plan::Plan;

#[derive(Debug)]
pub(super) enum Trust {}

impl Trust {
    pub(super) fn new(plan: &Plan, _: &Here) -> Result<Option<Trust>, RuntimeError> {
        match plan.taps.iter().any(|tap| tap.tls) {
            true => Err(RuntimeError::NoTls),
            false => Ok(None),
        }
    }

    pub(super) fn pem(&self) -> &str {
        match *self {}
    }

    #[cfg(feature = "container")]
    pub(super) fn file_in_container(&self) -> (String, super::container::File) {
        match *self {}
    }

    pub(super) fn variables(&self, _: bool) -> impl Iterator<Item = (&'static str, String)> {
        std::iter::empty()
    }
}
