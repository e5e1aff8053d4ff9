//! CORS: the answers that a browser needs before it lets a page send its spans here.
//!
//! Not in OTLP; the OpenTelemetry Collector has it too. Clause: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;

use super::reply::HttpReply;

/// The pages that may send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Pages of any origin: what a test wants.
    #[default]
    Any,
    /// Pages of these origins, each as a browser writes it: `https://shop.example`.
    Only(Vec<String>),
    /// No page.
    Off,
}

/// For how long a browser may remember a preflight.
const MAX_AGE_SECONDS: &str = "7200";

impl Cors {
    fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Cors::Any => true,
            Cors::Only(origins) => origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()),
            Cors::Off => false,
        }
    }

    /// Adds to an answer what lets the page read it.
    pub fn allow(&self, request: &Parts, headers: &mut HeaderMap) {
        let Some(origin) = request.headers.get(header::ORIGIN).filter(|origin| self.allows(origin)) else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }

    /// Returns the answer to a preflight, if the request is one that is allowed.
    pub fn preflight(&self, request: &Parts) -> Option<HttpReply> {
        let asked = request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method != http::Method::OPTIONS || !asked {
            return None;
        }
        request.headers.get(header::ORIGIN).filter(|origin| self.allows(origin))?;
        let mut reply = HttpReply::new(204)
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, "POST")
            .with(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        let wanted = request.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let wanted = wanted.unwrap_or(HeaderValue::from_static("content-type"));
        reply.headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        self.allow(request, &mut reply.headers);
        Some(reply)
    }
}
