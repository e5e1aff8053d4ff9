//! The run's certificate authority, and how nodes come to trust it: a file that the usual variables name.
//!
//! It is made only when a hop uses TLS. The file holds what the machine trusts already and the authority's certificate,
//! but no key.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::RuntimeError;
use super::host_address::HostAddress;
use super::process::guard;
use crate::plan::Plan;
use crate::tap::TapTls;
use crate::tap::authority::Authority;

/// Read by OpenSSL and what is built on it, by Go, by Node, by Python's `requests`, by curl, and by gRPC's core.
const VARIABLES: &[&str] = &[
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];
/// The path of the file in containers.
const IN_CONTAINER: &str = "/etc/unbroken/authority.pem";
/// The files in which systems keep the authorities that they trust.
const SYSTEM_BUNDLES: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The run's certificate authority and its file; the file is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Trust {
    pem: String,
    file: PathBuf,
    pub(super) tap: TapTls,
}

impl Trust {
    /// Creates the authority; returns `None` when no hop uses TLS.
    pub(super) fn new(plan: &Plan, host: &HostAddress) -> Result<Option<Trust>, RuntimeError> {
        if !plan.taps.iter().any(|tap| tap.tls) {
            return Ok(None);
        }
        let failed = |source| RuntimeError::Authority { source };
        let authority = Authority::new().map_err(|error| failed(error.into()))?;
        let hosts = plan.taps.iter().filter_map(|tap| tap.host.as_deref());
        let names: Vec<String> =
            hosts.map(|host| without_port(host).to_owned()).chain(host.names()).collect();
        let system = system_bundle();
        let tap = TapTls::new(&authority, &names, system.as_deref()).map_err(|error| failed(error.into()))?;
        let pem = authority.pem();
        let file =
            write(system.as_deref().unwrap_or_default(), &pem).map_err(|error| failed(error.into()))?;
        guard::remove_later(&file);
        Ok(Some(Trust { pem, file, tap }))
    }

    /// Returns the authority's own certificate.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the variables that make a node trust it; the file of a container has its own path.
    pub(super) fn variables(&self, contained: bool) -> impl Iterator<Item = (&'static str, String)> {
        let file = if contained { IN_CONTAINER.to_owned() } else { self.file.display().to_string() };
        VARIABLES.iter().map(move |name| (*name, file.clone()))
    }

    #[cfg(feature = "container")]
    /// Returns the file of a container, by its path.
    pub(super) fn file_in_container(&self) -> (String, super::container::MountedFile) {
        (IN_CONTAINER.to_owned(), super::container::MountedFile::Path(self.file.clone()))
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        // It fails where somebody has removed the file already.
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Returns what the machine trusts already, in PEM.
fn system_bundle() -> Option<Vec<u8>> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let known = SYSTEM_BUNDLES.iter().map(PathBuf::from);
    named.into_iter().chain(known).find_map(|path| std::fs::read(path).ok())
}

fn write(system: &[u8], pem: &str) -> io::Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("unbroken-authority-{}-{number}.pem", std::process::id());
    let path = std::env::temp_dir().join(name);
    create(&path, &[system, b"\n", pem.as_bytes()].concat())?;
    Ok(path)
}

/// Creates the file; fails when it exists already.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    std::fs::OpenOptions::new().write(true).create_new(true).open(path)?.write_all(content)
}

/// Returns the name of `shop.example:8443` without the port.
fn without_port(host: &str) -> &str {
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name)
}
