//! A build without TLS: a hop that uses it is an error.

use super::error::RuntimeError;
use super::host_address::HostAddress;
use crate::plan::Plan;

#[derive(Debug)]
pub(super) enum Trust {}

impl Trust {
    pub(super) fn new(plan: &Plan, _: &HostAddress) -> Result<Option<Trust>, RuntimeError> {
        if plan.taps.iter().any(|tap| tap.tls) { Err(RuntimeError::NoTls) } else { Ok(None) }
    }

    pub(super) fn pem(&self) -> &str {
        match *self {}
    }

    #[cfg(feature = "container")]
    pub(super) fn file_in_container(&self) -> (String, super::container::MountedFile) {
        match *self {}
    }

    pub(super) fn variables(&self, _: bool) -> impl Iterator<Item = (&'static str, String)> {
        std::iter::empty()
    }
}
