//! HTTP/1.1 and HTTP/2 through `reqwest`, with persistent connections; requests that it cannot express use `raw`.
//!
//! TLS does not use `reqwest`, whose TLS features require a process-wide provider in every program that is built with
//! them. The pool of `hyper` with the connector of gRPC is used instead.

use ::http::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::outgoing::OutgoingRequest;
use super::route::{DriveRoute, Way, cause};
use super::{DriverError, fields, preflight, raw};
use crate::evidence::{Answer, Preflight};
use crate::scenario::HttpVersion;

pub(super) struct Http {
    http1: reqwest::Client,
    http2: reqwest::Client,
    #[cfg(feature = "tls")]
    secured: Option<super::https::TlsPools>,
}

/// Checks that the request can be sent.
pub(super) fn check(
    route: &DriveRoute,
    outgoing: &OutgoingRequest,
    version: HttpVersion,
) -> Result<(), DriverError> {
    match version {
        HttpVersion::Http1 => raw::check(route, outgoing),
        HttpVersion::Http2 => fields::check(route, outgoing),
    }
}

impl Http {
    pub(super) fn new(routes: &[DriveRoute], authority: Option<&str>) -> Result<Self, DriverError> {
        let secured = routes.iter().find(|route| route.tls && matches!(route.way, Way::Http { .. }));
        #[cfg(not(feature = "tls"))]
        if let Some(route) = secured {
            let _ = authority;
            return Err(DriverError::NotBuilt { hop: route.hop_name.clone(), feature: "tls" });
        }
        Ok(Self {
            http1: built(builder().http1_only())?,
            http2: built(builder().http2_prior_knowledge())?,
            #[cfg(feature = "tls")]
            secured: secured.map(|route| super::https::TlsPools::new(route, authority)).transpose()?,
        })
    }

    pub(super) async fn send(
        &self,
        route: &DriveRoute,
        outgoing: OutgoingRequest,
        version: HttpVersion,
    ) -> Answer {
        let by_hand = version == HttpVersion::Http1 && !is_plain(&outgoing);
        #[cfg(feature = "tls")]
        if let (true, Some(secured)) = (route.tls, &self.secured) {
            return if by_hand {
                raw::send_secured(route, &outgoing, secured.http1()).await
            } else {
                secured.send(route, outgoing, version).await
            };
        }
        if by_hand {
            return raw::send(route, &outgoing).await;
        }
        match self.pooled(route, outgoing, version).await {
            Ok((status, _)) => Answer::Http(status),
            Err(failed) => failed,
        }
    }

    /// Sends a preflight. Returns it with its answer and what that allows.
    pub(super) async fn preflight(
        &self,
        route: &DriveRoute,
        request: OutgoingRequest,
        version: HttpVersion,
        unanswered: Preflight,
    ) -> Preflight {
        #[cfg(feature = "tls")]
        let answered = match &self.secured {
            Some(secured) if route.tls => secured.answered(route, request, version).await,
            _ => self.pooled(route, request, version).await,
        };
        #[cfg(not(feature = "tls"))]
        let answered = self.pooled(route, request, version).await;
        match answered {
            Ok((status, fields)) => preflight::read(status, &fields, unanswered),
            Err(failed) => Preflight { answer: failed, ..unanswered },
        }
    }

    /// Returns status and fields of the answer, after its body; without one, what failed.
    async fn pooled(
        &self,
        route: &DriveRoute,
        outgoing: OutgoingRequest,
        version: HttpVersion,
    ) -> Result<(u16, HeaderMap), Answer> {
        let client = match version {
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 => &self.http2,
        };
        self.exchanged(client, route, outgoing).await.map_err(|error| {
            Answer::Failed(if error.is_connect() {
                route.unreachable(&cause(&error))
            } else {
                route.broken_off(&cause(&error))
            })
        })
    }

    async fn exchanged(
        &self,
        client: &reqwest::Client,
        route: &DriveRoute,
        outgoing: OutgoingRequest,
    ) -> reqwest::Result<(u16, HeaderMap)> {
        let method = reqwest::Method::from_bytes(outgoing.method.as_bytes()).unwrap_or(reqwest::Method::POST);
        let mut headers = fields::map(&outgoing);
        if let Some(host) = route.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()) {
            headers.entry(::http::header::HOST).or_insert(host);
        }
        let url = format!("http://{}{}", route.address, outgoing.target);
        let mut response = client.request(method, url).headers(headers).body(outgoing.body).send().await?;
        let head = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        while response.chunk().await?.is_some() {}
        Ok(head)
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, DriverError> {
    builder.build().map_err(|error| DriverError::Client(Box::new(error)))
}

/// Returns whether an HTTP library sends the request unchanged: lower-case names, each once, and a valid target.
fn is_plain(outgoing: &OutgoingRequest) -> bool {
    const FRAMING: [&str; 3] = ["connection", "content-length", "transfer-encoding"];
    let lines = &outgoing.headers;
    for (ix, (name, value)) in lines.iter().enumerate() {
        let repeated = lines[..ix].iter().any(|(earlier, _)| earlier == name);
        let upper_case = name.bytes().any(|byte| byte.is_ascii_uppercase());
        if repeated || upper_case || FRAMING.contains(&name.as_str()) || fields::field(name, value).is_none()
        {
            return false;
        }
    }
    is_plain_target(&outgoing.target)
}

/// Returns whether URL parsing leaves the target unchanged.
fn is_plain_target(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    target.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~%:@!$&()*+,;=?".contains(&byte))
        && !path.split('/').any(|segment| matches!(segment.replace("%2e", ".").as_str(), "." | ".."))
}
