//! HTTP over TLS with persistent connections, through the pool of `hyper` and the authority of the run (`http` has the
//! reason).

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;

use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, cause};
use super::tls::Tls;
use super::{DriverError, fields};
use crate::evidence::Answer;
use crate::scenario::HttpVersion;

type Pool = Client<Tls, Full<Bytes>>;

pub(super) struct TlsPools {
    http1: Pool,
    http2: Pool,
    /// For requests written by hand.
    connector: Tls,
}

impl TlsPools {
    /// Creates the pools; errors name the hop of `route`, which needs them.
    pub(super) fn new(route: &DriveRoute, authority: Option<&str>) -> Result<Self, DriverError> {
        let connector = Tls::new(route, authority, b"http/1.1")?;
        let http2 = Tls::new(route, authority, b"h2")?;
        let mut builder = Client::builder(TokioExecutor::new());
        Ok(Self {
            http1: builder.build(connector.clone()),
            http2: builder.http2_only(true).build(http2),
            connector,
        })
    }

    pub(super) fn http1(&self) -> &Tls {
        &self.connector
    }

    pub(super) async fn send(
        &self,
        route: &DriveRoute,
        outgoing: OutgoingRequest,
        version: HttpVersion,
    ) -> Answer {
        match self.answered(route, outgoing, version).await {
            Ok((status, _)) => Answer::Http(status),
            Err(failed) => failed,
        }
    }

    /// Returns status and fields of the answer, after its body; without one, what failed.
    pub(super) async fn answered(
        &self,
        route: &DriveRoute,
        outgoing: OutgoingRequest,
        version: HttpVersion,
    ) -> Result<(u16, http::HeaderMap), Answer> {
        let pool = match version {
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 => &self.http2,
        };
        let Some(request) = request(route, outgoing) else {
            return Err(Answer::Failed(route.unreachable("its method or path is not valid in HTTP")));
        };
        let response = match pool.request(request).await {
            Ok(response) => response,
            Err(error) => return Err(Answer::Failed(words(route, &error))),
        };
        let (head, mut body) = response.into_parts();
        while let Some(frame) = body.frame().await {
            if let Err(error) = frame {
                return Err(Answer::Failed(route.broken_off(&cause(&error))));
            }
        }
        Ok((head.status.as_u16(), head.headers))
    }
}

fn request(route: &DriveRoute, outgoing: OutgoingRequest) -> Option<http::Request<Full<Bytes>>> {
    let mut request = http::Request::builder()
        .method(outgoing.method.as_str())
        .uri(format!("https://{}{}", route.address, outgoing.target));
    let headers = request.headers_mut()?;
    *headers = fields::map(&outgoing);
    if let Some(host) = &route.host {
        headers.entry(http::header::HOST).or_insert(host.parse().ok()?);
    }
    request.body(Full::new(Bytes::from(outgoing.body))).ok()
}

fn words(route: &DriveRoute, error: &Error) -> String {
    if error.is_connect() { route.unreachable(&cause(error)) } else { route.broken_off(&cause(error)) }
}
