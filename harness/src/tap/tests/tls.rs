//! Taps on TLS hops: HTTP/1.1 and HTTP/2, as the two sides agree.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::evidence::Protocol;
use crate::tap::TapTls;
use crate::tap::authority::Authority;

/// A server with a certificate of its own authority, which says what protocol it was asked by.
async fn server(protocols: &[&str]) -> SocketAddr {
    let key = Authority::new().unwrap().certificate(&[]).unwrap().into_key().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    serve(config).await
}

async fn serve(config: ServerConfig) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let tell = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let version = format!("{:?}", request.version());
                Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::new(Bytes::from(version))))
            });
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                builder.serve_connection(TokioIo::new(stream), tell).await
            });
        }
    });
    address
}

/// A server that serves only clients with a certificate of its authority; and such a certificate with its key, in PEM.
async fn server_for_known_clients(version: &'static SupportedProtocolVersion) -> (SocketAddr, String) {
    let mut own = CertificateParams::new(Vec::new()).unwrap();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
    let client = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().signed_by(&client, &issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let known =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let key = Authority::new().unwrap().certificate(&[]).unwrap().into_key().unwrap();
    let config = config.with_client_cert_verifier(known);
    let config = config.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    (serve(config).await, certificate.pem() + &client.serialize_pem())
}

async fn tls_tap(target: SocketAddr) -> (Seen, Authority) {
    tls_tap_with(target, TapProtocol::Http, |tls| tls).await
}

async fn tls_tap_with(
    target: SocketAddr,
    protocol: TapProtocol,
    change: impl FnOnce(TapTls) -> TapTls,
) -> (Seen, Authority) {
    let authority = Authority::new().unwrap();
    let mut config = TapConfig::new(TapIx(0), TapPlan { tls: true, protocol, ..plan() }, RUN, target);
    config.tls = Some(change(TapTls::new(&authority, &["shop.example".into()], None).unwrap()));
    let recorder = Recorder::new(1000, true);
    let tap = Tap::start(config, recorder.clone()).await.unwrap();
    (Seen { tap, recorder }, authority)
}

type Tls = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect(seen: &Seen, trusted: &Authority, protocols: &[&str]) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(seen.address()).await.unwrap();
    let name = ServerName::try_from("shop.example").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn http1_goes_through_tls() {
    let (seen, authority) = tls_tap(server(&[]).await).await;
    let stream = connect(&seen, &authority, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let request =
            hyper::Request::get("/one").header("traceparent", "00-x").body(Full::<Bytes>::default());
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "HTTP/1.1");
    }
    let captures = seen.captures(3).await;
    assert!(
        captures.iter().all(|capture| capture.protocol == Protocol::Http1 && capture.end == answered(200))
    );
}

#[tokio::test]
async fn http2_goes_through_tls_when_both_sides_agree() {
    let (seen, authority) = tls_tap(server(&["h2", "http/1.1"]).await).await;
    let stream = connect(&seen, &authority, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("https://shop.example/two").body(Full::<Bytes>::default()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "HTTP/2.0");
    let capture = seen.only_capture().await;
    assert_eq!(
        (capture.protocol, capture.path.as_str(), capture.end),
        (Protocol::Http2, "/two", answered(200))
    );
}

#[tokio::test]
async fn a_sender_that_does_not_trust_the_run_is_a_gap() {
    let (seen, _) = tls_tap(server(&[]).await).await;
    assert!(connect(&seen, &Authority::new().unwrap(), &[]).await.is_err());
    let gaps = seen.gaps(1).await;
    assert!(gaps[0].what.contains("the certificate of the run"), "{gaps:?}");
}

#[tokio::test]
async fn a_receiver_without_tls_is_a_gap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (seen, authority) = tls_tap(listener.local_addr().unwrap()).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-nothing\r\n").await.unwrap();
    });
    assert!(connect(&seen, &authority, &[]).await.is_err());
    let gaps = seen.gaps(1).await;
    assert!(gaps[0].what.contains("the TLS handshake with the receiver"), "{gaps:?}");
}

#[tokio::test]
async fn tls_on_a_hop_in_the_clear_goes_through_unread() {
    let seen = Seen::before(server(&[]).await).await;
    let own = Authority::new().unwrap();
    let error = connect(&seen, &own, &[]).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(seen.gaps(1).await[0].what.contains("it uses TLS"));
}

#[tokio::test]
async fn a_sender_in_the_clear_reaches_the_receiver_as_it_is() {
    let request = b"GET / HTTP/1.1\r\n\r\n";
    let (target, served) =
        scripted(request.len(), b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let (seen, _) = tls_tap(target).await;
    exchange(seen.address(), request).await;
    assert_eq!(served.await.unwrap(), request);
    assert_eq!(seen.only_capture().await.end, answered(400));
}

#[tokio::test]
async fn tls_may_end_at_the_tap() {
    for (protocol, chosen) in [(TapProtocol::Http, "http/1.1"), (TapProtocol::Grpc, "h2")] {
        let target = echo_server().await;
        let (seen, authority) = tls_tap_with(target, protocol, TapTls::ending_here).await;
        let mut stream = connect(&seen, &authority, &["h2", "http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(chosen.as_bytes()));
        if protocol == TapProtocol::Http {
            stream.write_all(b"GET /clear HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
            assert_eq!(seen.only_capture().await.end, answered(200));
        }
    }
}

#[tokio::test]
async fn a_sender_without_tls_is_a_gap_where_nobody_else_would_tell() {
    let (seen, _) = tls_tap_with(echo_server().await, TapProtocol::Http, TapTls::ending_here).await;
    exchange(seen.address(), b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(seen.gaps(1).await[0].what.contains("is plaintext"));
    assert_eq!(seen.captures(1).await[0].end, answered(200));
}

/// Sends one request; returns whether it was answered.
async fn is_answered(seen: &Seen, authority: &Authority) -> bool {
    let Ok(stream) = connect(seen, authority, &["http/1.1"]).await else { return false };
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("/one").body(Full::<Bytes>::default()).unwrap();
    sender.send_request(request).await.is_ok()
}

#[tokio::test]
async fn a_receiver_that_requires_a_client_certificate_gets_that_of_the_hop() {
    for version in [&TLS12, &TLS13] {
        let (target, pem) = server_for_known_clients(version).await;
        let presenting = |tls: TapTls| tls.presenting(pem.as_bytes()).unwrap();
        let (seen, authority) = tls_tap_with(target, TapProtocol::Http, presenting).await;
        assert!(is_answered(&seen, &authority).await, "{version:?}");
        assert_eq!(seen.only_capture().await.end, answered(200), "{version:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_required_and_missing_is_named() {
    for version in [&TLS12, &TLS13] {
        let (target, _) = server_for_known_clients(version).await;
        let (seen, authority) = tls_tap(target).await;
        assert!(!is_answered(&seen, &authority).await, "{version:?}");
        let gaps = seen.gaps(1).await;
        assert!(gaps[0].what.contains("requires a client certificate, and the tap has no"), "{gaps:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_not_accepted_is_named() {
    let (target, _) = server_for_known_clients(&TLS13).await;
    let other = Authority::new().unwrap().certificate(&[]).unwrap();
    let pem = other.pem.clone() + &other.key_pem;
    let (seen, authority) =
        tls_tap_with(target, TapProtocol::Http, |tls| tls.presenting(pem.as_bytes()).unwrap()).await;
    assert!(!is_answered(&seen, &authority).await);
    let gaps = seen.gaps(1).await;
    assert!(gaps[0].what.contains("did not accept that of `client-certificate:`"), "{gaps:?}");
    assert!(TapTls::new(&authority, &[], None).unwrap().presenting(b"no PEM").is_err());
}
