//! Questions over HTTP: is it up, what is here, forget it. Answers are OTLP/JSON where OTLP has a form for them.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use in_memory_collector::{Collector, LogRecord, RequestRecord, Span, TraceId, otlp_json};
use tokio::net::TcpListener;

pub async fn serve(listener: TcpListener, collector: Collector) {
    while let Ok((stream, _)) = listener.accept().await {
        let collector = collector.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let answer = answer(&collector, request.method(), request.uri());
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away is its own business.
            drop(connection.await);
        });
    }
}

fn answer(collector: &Collector, method: &Method, uri: &http::Uri) -> Response<Full<Bytes>> {
    let asked = match QueryParameters::parse(uri.query().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(why) => return text(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    match (method, uri.path()) {
        (&Method::GET, "/healthz") => text(StatusCode::OK, "ok"),
        (&Method::GET, "/stats") => json(stats(collector)),
        (&Method::GET, "/v1/traces") => json(otlp_json::traces(&asked.spans(collector))),
        (&Method::GET, "/v1/logs") => json(otlp_json::logs(&asked.records(collector))),
        (&Method::GET, "/requests") => json(requests(&collector.requests())),
        (&Method::POST, "/clear") => {
            collector.clear();
            text(StatusCode::OK, "cleared")
        }
        (_, "/healthz" | "/stats" | "/v1/traces" | "/v1/logs" | "/requests" | "/clear") => {
            text(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        }
        _ => text(StatusCode::NOT_FOUND, "nothing here"),
    }
}

/// The reason why the parameters of a query are not understood.
#[derive(Debug, thiserror::Error)]
enum BadQuery {
    #[error("`{0}`: {1}")]
    Trace(String, String),
    #[error("`{0}` is neither trace= nor endpoint=")]
    Parameter(String),
}

/// `?trace=HEX&endpoint=NAME`, both optional.
#[derive(Debug, Default)]
struct QueryParameters {
    trace: Option<TraceId>,
    endpoint: Option<String>,
}

impl QueryParameters {
    fn parse(query: &str) -> Result<Self, BadQuery> {
        let mut asked = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("trace", id)) => {
                    asked.trace = Some(
                        id.parse::<TraceId>()
                            .map_err(|error| BadQuery::Trace(id.to_owned(), error.to_string()))?,
                    )
                }
                Some(("endpoint", name)) => asked.endpoint = Some(name.to_owned()),
                _ => return Err(BadQuery::Parameter(pair.to_owned())),
            }
        }
        Ok(asked)
    }

    fn spans(&self, collector: &Collector) -> Vec<Span> {
        let mut spans = match (self.trace, &self.endpoint) {
            (Some(trace), _) => collector.trace(trace),
            (None, Some(endpoint)) => collector.spans_of(endpoint),
            (None, None) => collector.spans(),
        };
        spans.retain(|span| self.endpoint.as_ref().is_none_or(|name| **name == **span.endpoint()));
        spans
    }

    fn records(&self, collector: &Collector) -> Vec<LogRecord> {
        let mut records = collector.logs();
        records.retain(|record| {
            self.trace.is_none_or(|trace| record.trace_id() == Some(trace))
                && self.endpoint.as_ref().is_none_or(|name| **name == **record.endpoint())
        });
        records
    }
}

fn stats(collector: &Collector) -> String {
    let stats = collector.stats();
    format!(
        "{{\"spans\":{},\"traces\":{},\"logs\":{},\"duplicates\":{},\"bytes\":{},\"limitBytes\":{},\"inFlight\":{}}}",
        stats.spans,
        stats.traces,
        stats.logs,
        stats.duplicates,
        stats.bytes,
        stats.limit_bytes,
        collector.in_flight()
    )
}

fn requests(records: &[RequestRecord]) -> String {
    let lines: Vec<String> = records.iter().map(RequestRecord::json).collect();
    format!("[{}]", lines.join(","))
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    response
}

fn json(body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
