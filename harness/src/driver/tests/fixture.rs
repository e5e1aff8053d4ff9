//! Cases of one hop made by hand, and services that keep what they were sent.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::super::{Driver, DriverError};
use crate::evidence::Recorder;
use crate::plan::{Plan, Seed};
use crate::runtime::Addresses;
use crate::scenario::{
    Broker, BrokerKind, Drive, DriveBody, DriveContext, Expectations, GrpcHop, Hop, HopIx, HttpHop,
    HttpVersion, Node, NodeIx, NodeKind, PathPattern, Relation, Relay, Role, Scenario, StopSignal, Template,
    TemplatePart, Times, Transport, Trust, Url,
};
use crate::source::{Place, Source};
use crate::wire::{Decision, Format, Level};

pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// One hop from `client` to `shop`, driven once; tests change what they are about.
pub struct Case {
    pub shop: Node,
    pub hop: Hop,
    pub drive: Drive,
    pub authority: Option<String>,
    /// The broker of hops that use one; it is node 2.
    pub broker: Option<BrokerKind>,
}

impl Case {
    pub fn http(version: HttpVersion) -> Case {
        Case::over(Transport::Http(HttpHop { method: None, path: None, version }))
    }

    pub fn grpc(method: Option<&str>, stream: bool) -> Case {
        Case::over(Transport::Grpc(GrpcHop { method: method.map(str::to_owned), stream }))
    }

    /// Through a broker, which is node 2.
    pub fn message(kind: BrokerKind, transport: Transport) -> Case {
        Case { broker: Some(kind), ..Case::over(transport) }
    }

    fn over(transport: Transport) -> Case {
        let shop = node("shop", NodeKind::Url(Url { http: None, grpc: None }));
        let hop = Hop {
            id: "order".to_owned(),
            place: Place::default(),
            transport,
            from: NodeIx::CLIENT,
            to: NodeIx(1),
            relation: Relation::Child,
            relation_place: Place::default(),
            times: Times::ONCE,
            within: None,
            steps: Vec::new(),
            baggage: None,
            formats: vec![Format::TraceContext],
            host: None,
            carrier: None,
            tapped: true,
            fixed_tap: None,
            tls: false,
            client_certificate: None,
            dead_letter_of: None,
        };
        let drive = Drive {
            query: Vec::new(),
            canary: true,
            origin: None,
            place: Place::default(),
            send: HopIx(0),
            times: 1,
            concurrency: 1,
            context: DriveContext::Valid { decision: Decision::Sampled, random: false },
            headers: Vec::new(),
            body: DriveBody::Empty,
            within: Some(Duration::from_secs(20)),
            hangs_up: false,
            upgrades: false,
            answers: None,
        };
        Case { shop, hop, drive, authority: None, broker: None }
    }

    pub fn relay(mut self) -> Case {
        let implementation = "model".to_owned();
        self.shop.kind = NodeKind::Relay(Relay { implementation, faults: Vec::new(), env: Vec::new() });
        self
    }

    pub fn at(mut self, method: Option<&str>, path: Option<&str>) -> Case {
        if let Transport::Http(http) = &mut self.hop.transport {
            http.method = method.map(str::to_owned);
            http.path = path.map(|path| PathPattern(path.to_owned()));
        }
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Case {
        self.drive.headers.push((name.to_owned(), Template::text(value)));
        self
    }

    pub fn header_of(mut self, name: &str, part: TemplatePart) -> Case {
        self.drive.headers.push((name.to_owned(), Template { parts: vec![part] }));
        self
    }

    pub fn body(mut self, text: &str) -> Case {
        let content_type = "application/json".to_owned();
        self.drive.body = DriveBody::Bytes { content: Template::text(text), content_type };
        self
    }

    pub fn plan(&self) -> Arc<Plan> {
        let mut nodes = vec![node("client", NodeKind::Client), self.shop.clone()];
        let broker = |kind| node("broker", NodeKind::Broker(Broker { kind, address: None, image: None }));
        nodes.extend(self.broker.map(broker));
        let scenario = Scenario {
            source: Source::new("case.yaml", ""),
            name: "case".to_owned(),
            name_place: Place::default(),
            case: String::new(),
            about: None,
            nodes,
            hops: vec![self.hop.clone()],
            drives: vec![self.drive.clone()],
            expect: Expectations::All,
            otlp_listen: None,
            expect_traces: Vec::new(),
            timeout: Duration::from_secs(20),
            own_names: Vec::new(),
        };
        Arc::new(Plan::build(Arc::new(scenario), PathBuf::from("."), Seed(7)))
    }

    pub fn driver(&self, address: SocketAddr) -> Result<Driver, DriverError> {
        self.driver_through(address, address.to_string())
    }

    /// `broker` is the address that a sender is configured with.
    pub fn driver_through(&self, address: SocketAddr, broker: String) -> Result<Driver, DriverError> {
        let addresses = Addresses {
            hops: vec![Some(address)],
            in_containers: Vec::new(),
            brokers: vec![self.broker.map(|_| broker)],
            authority: self.authority.clone(),
        };
        Driver::new(self.plan(), addresses, Recorder::new(100, false))
    }
}

fn node(name: &str, kind: NodeKind) -> Node {
    Node {
        name: name.to_owned(),
        place: Place::default(),
        kind,
        role: Role::Participant,
        service: None,
        exports_to: None,
        telemetry: true,
        is_gateway: false,
        needs: Vec::new(),
        is_helper: false,
        strips: Vec::new(),
        adds: Vec::new(),
        trust: Trust::Continue,
        longest_field_line: None,
        tracestate_key: None,
        sets_baggage: Vec::new(),
        adds_baggage: Vec::new(),
        stop: StopSignal::Terminate,
        marker: None,
        formats: Vec::new(),
        level: Level::One,
    }
}

/// A service that gives the same answer to every request, and the requests as they stood on the wire, each
/// with the number of its connection.
pub async fn service(answer: &'static [u8]) -> (SocketAddr, UnboundedReceiver<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(stream, connection, answer, requests.clone()));
        }
    });
    (address, seen)
}

/// Serves one connection until it ends; an empty answer, or one without a length, closes it.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    connection: usize,
    answer: &'static [u8],
    requests: UnboundedSender<(usize, String)>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let _ = requests.send((connection, request));
        let framed = [&b"content-length"[..], b"chunked"].iter().any(|word| contains(answer, word));
        if stream.write_all(answer).await.is_err() || !framed {
            return;
        }
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Head and body as text, bytes above 0x7f as their Latin-1 characters.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    let lower = text.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    for _ in 0..length.unwrap_or_default() {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    Some(text)
}

/// The header lines of a request.
pub fn lines(request: &str) -> Vec<&str> {
    let head = request.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").skip(1).collect()
}
