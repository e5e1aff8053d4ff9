//! HTTP/1.1 and HTTP/2 through `reqwest`, with kept connections; what it cannot express goes through `raw`.
//!
//! TLS does not go through `reqwest`: its TLS features ask every program that is built with them for a
//! process-wide provider. The connector that gRPC uses serves `hyper`'s pool here instead.

use ::http::HeaderValue;
use reqwest::redirect::Policy;

use super::outgoing::Outgoing;
use super::route::{Route, Way, cause};
use super::{DriverError, fields, raw};
use crate::evidence::Answer;
use crate::scenario::HttpVersion;

pub(super) struct Http {
    http1: reqwest::Client,
    http2: reqwest::Client,
    #[cfg(feature = "tls")]
    secured: Option<super::https::Secured>,
}

/// Whether what is to be sent can be.
pub(super) fn check(route: &Route, outgoing: &Outgoing, version: HttpVersion) -> Result<(), DriverError> {
    match version {
        HttpVersion::Http1 => raw::check(route, outgoing),
        HttpVersion::Http2 => fields::check(route, outgoing),
    }
}

impl Http {
    pub(super) fn new(routes: &[Route], authority: Option<&str>) -> Result<Self, DriverError> {
        let secured = routes.iter().find(|route| route.tls && matches!(route.way, Way::Http { .. }));
        let client = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .tcp_nodelay(true)
        };
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|error| DriverError::Client(Box::new(error)))
        };
        #[cfg(not(feature = "tls"))]
        if let Some(route) = secured {
            let _ = authority;
            return Err(DriverError::NotBuilt { hop: route.hop_name.clone(), feature: "tls" });
        }
        Ok(Self {
            http1: built(client().http1_only())?,
            http2: built(client().http2_prior_knowledge())?,
            #[cfg(feature = "tls")]
            secured: secured.map(|route| super::https::Secured::new(route, authority)).transpose()?,
        })
    }

    pub(super) async fn send(&self, route: &Route, outgoing: Outgoing, version: HttpVersion) -> Answer {
        let by_hand = version == HttpVersion::Http1 && !is_plain(&outgoing);
        #[cfg(feature = "tls")]
        if let Some(secured) = self.secured.as_ref().filter(|_| route.tls) {
            return match by_hand {
                true => raw::send_secured(route, &outgoing, secured.http1()).await,
                false => secured.send(route, outgoing, version).await,
            };
        }
        if by_hand {
            return raw::send(route, &outgoing).await;
        }
        let client = match version {
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 => &self.http2,
        };
        match self.pooled(client, route, outgoing).await {
            Ok(status) => Answer::Http(status),
            Err(error) if error.is_connect() => Answer::Failed(route.unreachable(&cause(&error))),
            Err(error) => Answer::Failed(route.broken_off(&cause(&error))),
        }
    }

    async fn pooled(
        &self,
        client: &reqwest::Client,
        route: &Route,
        outgoing: Outgoing,
    ) -> reqwest::Result<u16> {
        let method = reqwest::Method::from_bytes(outgoing.method.as_bytes()).unwrap_or(reqwest::Method::POST);
        let mut headers = fields::map(&outgoing);
        if let Some(host) = route.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()) {
            headers.entry(::http::header::HOST).or_insert(host);
        }
        let url = format!("http://{}{}", route.address, outgoing.target);
        let mut response = client.request(method, url).headers(headers).body(outgoing.body).send().await?;
        let status = response.status().as_u16();
        while response.chunk().await?.is_some() {}
        Ok(status)
    }
}

/// Whether an HTTP library sends exactly this: lower-case names, each once, values and target that it takes.
fn is_plain(outgoing: &Outgoing) -> bool {
    const FRAMING: [&str; 3] = ["connection", "content-length", "transfer-encoding"];
    let lines = &outgoing.headers;
    let plain = |(ix, (name, value)): (usize, &(String, Vec<u8>))| {
        !name.bytes().any(|byte| byte.is_ascii_uppercase())
            && fields::field(name, value).is_some()
            && !FRAMING.contains(&name.as_str())
            && lines[..ix].iter().all(|(earlier, _)| earlier != name)
    };
    lines.iter().enumerate().all(plain) && is_plain_target(&outgoing.target)
}

/// A target that URL parsing leaves as it is.
fn is_plain_target(target: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~%:@!$&()*+,;=?".contains(&byte);
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    target.starts_with('/')
        && target.bytes().all(plain)
        && !path.split('/').any(|segment| matches!(segment.replace("%2e", ".").as_str(), "." | ".."))
}
