//! A certificate authority made for one run, so that taps and stubs can speak TLS to nodes that trust it.
//!
//! Its key is in memory only. It does not replace a real authority: it signs whatever the caller passes.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;

/// The reason why a certificate cannot be created or used.
#[derive(Debug, Error)]
pub enum AuthorityError {
    #[error("cannot create a certificate for the run")]
    Make(#[from] rcgen::Error),
    #[error("cannot use a certificate")]
    Use(#[from] rustls::Error),
    #[error("a client certificate file does not hold a certificate and its key in PEM")]
    Client(#[source] rustls::pki_types::pem::Error),
    #[error("an extra authority is not PEM")]
    Extra(#[from] rustls::pki_types::pem::Error),
}

/// The run's authority; clones are the same one.
#[derive(Clone)]
pub struct Authority {
    issuer: Arc<CertifiedIssuer<'static, KeyPair>>,
}

/// A server's certificate with its key.
#[derive(Debug)]
pub struct Certificate {
    pub pem: String,
    pub key_pem: String,
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Creates an authority.
    pub fn new() -> Result<Self, AuthorityError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "unbroken, for one run");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer: Arc::new(issuer) })
    }

    /// Returns the authority's own certificate, for nodes to trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn der(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// Creates a server's certificate for 127.0.0.1, ::1, localhost and these names or addresses.
    pub fn certificate(&self, names: &[String]) -> Result<Certificate, AuthorityError> {
        let local = ["127.0.0.1", "::1", "localhost"].map(str::to_owned);
        let mut names = [local.as_slice(), names].concat();
        names.sort();
        names.dedup();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "unbroken");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Certificate {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }
}

impl Certificate {
    /// Returns the key for a `rustls` server.
    pub fn into_key(self) -> Result<CertifiedKey, AuthorityError> {
        Ok(CertifiedKey::from_der(vec![self.der], self.key, &ring::default_provider())?)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Authority").finish_non_exhaustive()
    }
}
