//! All transports over TLS, with an authority made for the test.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_rustls::TlsAcceptor;

use super::fixture::{Case, OK, serve};
use super::grpc::{self, Call};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::HttpVersion;

const FIRST: StimulusIx = StimulusIx(0);

/// An authority in PEM, and what serves with a certificate of its own for 127.0.0.1.
fn authority(protocol: &[u8]) -> (String, TlsAcceptor) {
    let mut own = CertificateParams::new(Vec::new()).unwrap();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
    let mut leaf = CertificateParams::new(Vec::new()).unwrap();
    leaf.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    (issuer.pem(), TlsAcceptor::from(Arc::new(config)))
}

async fn https_service(acceptor: TlsAcceptor) -> (SocketAddr, UnboundedReceiver<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for connection in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, requests) = (acceptor.clone(), requests.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, connection, OK, requests).await;
                }
            });
        }
    });
    (address, seen)
}

async fn http2_service(acceptor: TlsAcceptor) -> (SocketAddr, UnboundedReceiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (calls, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            tokio::spawn(grpc::serve(stream, "0", calls.clone()));
        }
    });
    (address, seen)
}

fn over_tls(mut case: Case, authority: &str) -> Case {
    case.hop.tls = true;
    case.authority = Some(authority.to_owned());
    case
}

#[tokio::test]
async fn http1_over_tls_keeps_connections_and_case() {
    let (pem, acceptor) = authority(b"http/1.1");
    let (address, mut seen) = https_service(acceptor).await;
    let mut case = over_tls(Case::http(HttpVersion::Http1), &pem);
    case.drive.times = 2;
    let exchanges = case.driver(address).unwrap().drive_all(|_| ()).await;
    assert!(exchanges.iter().all(|exchange| exchange.answer == Answer::Http(200)), "{exchanges:?}");
    assert_eq!(seen.recv().await.unwrap().0, 0);
    assert_eq!(seen.recv().await.unwrap().0, 0, "the same connection");
    let by_hand = over_tls(Case::http(HttpVersion::Http1).header("X-Upper", "1"), &pem);
    assert_eq!(by_hand.driver(address).unwrap().send(FIRST).await.answer, Answer::Http(200));
    assert!(seen.recv().await.unwrap().1.contains("\r\nX-Upper: 1\r\n"));
}

#[tokio::test]
async fn http2_and_grpc_over_tls_are_negotiated() {
    let (pem, acceptor) = authority(b"h2");
    let (address, mut seen) = http2_service(acceptor).await;
    let http = over_tls(Case::http(HttpVersion::Http2).at(None, Some("/orders")).body("{}"), &pem);
    assert_eq!(http.driver(address).unwrap().send(FIRST).await.answer, Answer::Http(200));
    assert_eq!(seen.recv().await.unwrap().0, "/orders");
    let grpc = over_tls(Case::grpc(Some("a.B/C"), false), &pem);
    assert_eq!(grpc.driver(address).unwrap().send(FIRST).await.answer, Answer::Grpc(0));
    assert_eq!(seen.recv().await.unwrap().0, "/a.B/C");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (_, acceptor) = authority(b"http/1.1");
    let (other, _) = authority(b"http/1.1");
    let (address, mut seen) = https_service(acceptor).await;
    for name in ["x-plain", "X-By-Hand"] {
        let case = over_tls(Case::http(HttpVersion::Http1).header(name, "1"), &other);
        let exchange = case.driver(address).unwrap().send(FIRST).await;
        let Answer::Failed(text) = &exchange.answer else { panic!("{exchange:?}") };
        assert!(text.starts_with("cannot connect to `shop` at ") && text.contains("certificate"), "{text}");
    }
    assert!(seen.try_recv().is_err());
}
