//! Taps on TLS hops: TLS is terminated with the run's authority, and a second TLS connection leads to the receiver.
//!
//! The receiver is offered the protocols (ALPN) that the sender offered, and the sender gets the one that the receiver
//! chose, so both speak what they would have spoken. The receiver's certificate is verified against the run's authority
//! and the extra ones, except at a loopback address: there nobody else can answer, and services under test use
//! certificates of their own. The certificate of a client cannot be forwarded: to a receiver that asks for one the tap
//! presents that of the hop.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::Acceptor;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, TlsConnector};

use super::connection::{self, Stream};
use super::eye::Eye;
use super::read_error::TLS_HANDSHAKE;
use super::scene::Scene;
use crate::plan::TapProtocol;
use crate::tap::authority::{Authority, AuthorityError};

/// The TLS of a tap towards sender and receiver; cheap to clone, and taps may share one.
#[derive(Clone, Debug)]
pub struct TapTls {
    provider: Arc<CryptoProvider>,
    certificate: Arc<SingleCertAndKey>,
    trusted: Arc<RootCertStore>,
    /// TLS ends at the tap.
    ends_here: bool,
    /// Presented to a receiver that asks for a client's certificate.
    client: Option<Arc<CertifiedKey>>,
}

/// Answers a receiver that asks for a client's certificate, and remembers that it did.
#[derive(Debug)]
struct ClientIdentity {
    certificate: Option<Arc<CertifiedKey>>,
    requested: AtomicBool,
}

impl ClientIdentity {
    /// Returns why the receiver probably ended the connection, if it had asked for a certificate.
    fn refusal(&self, target: SocketAddr) -> Option<String> {
        let requested = self.requested.load(Ordering::Relaxed);
        let why = match &self.certificate {
            None => {
                "the tap has no certificate: name the file of one and its key as `client-certificate:` of the hop"
            }
            Some(_) => "it did not accept that of `client-certificate:`: does it trust its issuer?",
        };
        requested.then(|| format!("the receiver at {target} requires a client certificate, and {why}"))
    }
}

impl ResolvesClientCert for ClientIdentity {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.requested.store(true, Ordering::Relaxed);
        self.certificate.clone()
    }

    /// Returns true, so that the request is noticed.
    fn has_certs(&self) -> bool {
        true
    }
}

impl TapTls {
    /// Returns TLS with a certificate for localhost and `names`; `extra` are authorities in PEM that receivers are
    /// verified against besides the run's own.
    pub fn new(
        authority: &Authority,
        names: &[String],
        extra: Option<&[u8]>,
    ) -> Result<Self, AuthorityError> {
        let certificate = authority.certificate(names)?.into_key()?;
        let mut trusted = RootCertStore::empty();
        trusted.add(authority.der().clone())?;
        for certificate in CertificateDer::pem_slice_iter(extra.unwrap_or_default()) {
            trusted.add(certificate?)?;
        }
        Ok(Self {
            provider: Arc::new(ring::default_provider()),
            certificate: Arc::new(SingleCertAndKey::from(certificate)),
            trusted: Arc::new(trusted),
            ends_here: false,
            client: None,
        })
    }

    /// Returns TLS that ends at the tap, for receivers that serve plaintext (relays, stubs). A sender without TLS is a
    /// gap: a real receiver would have rejected it.
    pub fn ending_here(mut self) -> Self {
        self.ends_here = true;
        self
    }

    /// Presents this certificate and key, in PEM, to receivers that ask for one.
    pub fn presenting(mut self, pem: &[u8]) -> Result<Self, AuthorityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(AuthorityError::Client)?;
        let certificate =
            CertifiedKey::from_der(chain.map_err(AuthorityError::Client)?, key, &self.provider)?;
        self.client = Some(Arc::new(certificate));
        Ok(self)
    }

    fn server(&self, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, rustls::Error> {
        let config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?;
        let mut config = config.with_no_client_auth().with_cert_resolver(self.certificate.clone());
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn client(
        &self,
        target: SocketAddr,
        protocols: Vec<Vec<u8>>,
        identity: Arc<ClientIdentity>,
    ) -> Result<Arc<ClientConfig>, rustls::Error> {
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?;
        let mut config = if target.ip().is_loopback() {
            let unverified = Arc::new(AnyCertificate { provider: self.provider.clone() });
            config.dangerous().with_custom_certificate_verifier(unverified)
        } else {
            config.with_root_certificates(self.trusted.clone())
        }
        .with_client_cert_resolver(identity);
        config.alpn_protocols = protocols;
        Ok(Arc::new(config))
    }
}

/// Serves an accepted connection to its end; a sender that does not start TLS is forwarded in plaintext.
pub async fn serve(scene: Arc<Scene>, number: u32, client: TcpStream, target: SocketAddr, tls: TapTls) {
    let mut first = [0];
    let _ = client.set_nodelay(true);
    let peeked = client.peek(&mut first).await;
    if !matches!(peeked, Ok(1)) || first[0] != TLS_HANDSHAKE {
        // A connection without a byte only probed the port.
        if tls.ends_here && matches!(peeked, Ok(1)) {
            scene.gap(format!("connection {number} is plaintext on a hop that is declared with `tls: true`"));
        }
        return connection::serve(scene, number, client, target).await;
    }
    if let Err(error) = terminate(&scene, number, client, target, &tls).await {
        scene.gap(format!("the tap could not read connection {number}: {error}"));
    }
}

async fn terminate(
    scene: &Arc<Scene>,
    number: u32,
    client: TcpStream,
    target: SocketAddr,
    tls: &TapTls,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let hello = LazyConfigAcceptor::new(Acceptor::default(), client).await;
    let hello = hello.map_err(|error| format!("the TLS handshake of the sender is invalid: {error}"))?;
    let receiver = match connection::connect(target).await {
        Ok(receiver) => receiver,
        Err(error) => {
            connection::unreachable_target(scene, &hello.io, target, &error);
            return Ok(());
        }
    };
    if tls.ends_here {
        // A plaintext receiver cannot negotiate; every one of them speaks HTTP/1.1.
        let preferred: [&[u8]; 2] = match scene.plan.protocol {
            TapProtocol::Http => [b"http/1.1", b"h2"],
            TapProtocol::Grpc => [b"h2", b"http/1.1"],
            TapProtocol::Kafka | TapProtocol::Amqp | TapProtocol::Sqs => [b"http/1.1", b"h2"],
        };
        let client = accept(hello, tls.server(&preferred)?).await?;
        connection::relay(Eye::new(scene.clone(), number), client, receiver).await;
        return Ok(());
    }
    let protocols = hello.client_hello().alpn().map(|offered| offered.map(<[u8]>::to_vec).collect());
    let name = hello.client_hello().server_name().map(str::to_owned);
    let name = name.and_then(|name| ServerName::try_from(name).ok()).unwrap_or_else(|| target.ip().into());
    let identity = ClientIdentity { certificate: tls.client.clone(), requested: AtomicBool::new(false) };
    let identity = Arc::new(identity);
    let config = tls.client(target, protocols.unwrap_or_default(), identity.clone())?;
    let handshake = TlsConnector::from(config).connect(name, receiver);
    let handshake = tokio::time::timeout(connection::CONNECT, handshake);
    let receiver = match handshake.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(receiver) => receiver,
        Err(error) => {
            let _ = hello.io.set_zero_linger();
            let failed = format!("the TLS handshake with the receiver at {target} failed: {error}");
            return Err(identity.refusal(target).unwrap_or(failed).into());
        }
    };
    let chosen = receiver.get_ref().1.alpn_protocol();
    let client = accept(hello, tls.server(chosen.as_slice())?).await?;
    // With TLS 1.3 a receiver refuses a client's certificate when the handshake is over for the client.
    if !connection::relay(Eye::new(scene.clone(), number), client, receiver).await {
        return identity.refusal(target).map_or(Ok(()), |refusal| Err(refusal.into()));
    }
    Ok(())
}

async fn accept(
    hello: StartHandshake<TcpStream>,
    config: Arc<ServerConfig>,
) -> Result<TlsStream<TcpStream>, Box<dyn Error + Send + Sync>> {
    let accepted = hello.into_stream(config).await;
    Ok(accepted.map_err(|error| format!("the sender rejected the certificate of the run: {error}"))?)
}

impl Stream for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Stream for tokio_rustls::client::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Accepts any certificate, but not any signature: the receiver still proves that it has the key.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
