//! Hops: one directed crossing between two nodes over one transport, and what it must keep.

use std::net::SocketAddr;
use std::time::Duration;

use super::body_carrier::BodyCarrier;
use super::index::{HopIx, NodeIx};
use super::message::{KafkaHop, RabbitMqHop, SqsHop};
use super::relation::Relation;
use crate::source::Place;
use crate::wire::Format;

#[derive(Clone, Debug)]
pub struct Hop {
    pub id: String,
    pub place: Place,
    pub transport: Transport,
    pub from: NodeIx,
    pub to: NodeIx,
    pub relation: Relation,
    pub relation_place: Place,
    /// The number of crossings that one crossing of `within` (or one stimulus) causes.
    pub times: Times,
    /// The hop that causes this one; `None` only for hops from `client`.
    pub within: Option<HopIx>,
    /// The steps of a relay on the way, outermost first; the call itself stands innermost.
    pub steps: Vec<Step>,
    /// `baggage:`, where the hop says what becomes of it.
    pub baggage: Option<HopBaggage>,
    /// The formats in which the wire must carry the context; what is judged is read in the first.
    pub formats: Vec<Format>,
    /// `carrier:`, where the body carries the context; otherwise headers do.
    pub carrier: Option<BodyCarrier>,
    /// `host:`, the `Host` or `:authority` that the tap puts in place of its own.
    pub host: Option<String>,
    /// False for `tap: none`: judged without a wire witness.
    pub tapped: bool,
    /// `tap: { listen: ... }`, the addresses of its taps that stay the same in every run.
    pub fixed_tap: Option<FixedTap>,
    /// The hop is TLS; the tap terminates it with the run's own authority.
    pub tls: bool,
    /// `client-certificate:`, the PEM file of what the tap presents to a receiver that asks for a certificate.
    pub client_certificate: Option<String>,
    /// The broker moves here what the receiver of that hop gave up (dead-letter exchange, redrive); nobody publishes.
    pub dead_letter_of: Option<HopIx>,
}

/// The addresses of the taps of a hop, for nodes that are configured once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedTap {
    /// The address that the sender calls.
    pub listen: Option<SocketAddr>,
    /// The address to which the reader of a queue connects.
    pub reader: Option<SocketAddr>,
}

/// The fate of baggage on a hop, where the scenario declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopBaggage {
    /// It continues although a new trace starts.
    Kept,
    /// It must not cross.
    Dropped,
}

impl Hop {
    /// Returns whether baggage continues although a new trace starts.
    pub fn keeps_baggage(&self) -> bool {
        self.baggage == Some(HopBaggage::Kept)
    }

    /// Returns the format in which the context is judged.
    pub fn format(&self) -> Format {
        self.formats.first().copied().unwrap_or_default()
    }

    /// Returns whether no baggage may cross.
    pub fn drops_baggage(&self) -> bool {
        self.relation == Relation::None || self.baggage == Some(HopBaggage::Dropped)
    }

    /// Returns the names of the header fields without which no context and no baggage crosses the hop, in lower case.
    pub fn propagation_fields(&self) -> impl Iterator<Item = &'static str> {
        let in_headers = self.relation != Relation::None && self.carrier.is_none();
        let formats = if in_headers { &self.formats[..] } else { &[] };
        let fields = formats.iter().flat_map(|format| match format {
            Format::TraceContext => format.fields(),
            // What stands beside the ids is not always sent.
            other => &other.fields()[..1],
        });
        let fields = fields.copied();
        fields.chain((in_headers && !self.drops_baggage()).then_some("baggage"))
    }

    /// Returns whether one message crosses both hops: the same node sends it for the same cause to the same topic, or
    /// to the same exchange in such a way that it reaches both queues. What a broker moves is sent by nobody.
    pub fn shares_message(&self, other: &Hop) -> bool {
        let sent = self.dead_letter_of.is_none() && other.dead_letter_of.is_none();
        sent && self.from == other.from
            && self.within == other.within
            && self.transport.sent_alike(&other.transport)
    }

    /// Returns whether both are read from one queue, or in one group from one topic.
    pub fn shares_source(&self, other: &Hop) -> bool {
        let (one, two) = (&self.transport, &other.transport);
        one.via().is_some()
            && (one.via(), one.source(), one.group()) == (two.via(), two.source(), two.group())
    }
}

#[derive(Clone, Debug)]
pub enum Transport {
    Http(HttpHop),
    Grpc(GrpcHop),
    Kafka(KafkaHop),
    RabbitMq(RabbitMqHop),
    Sqs(SqsHop),
}

impl Transport {
    pub fn word(&self) -> &'static str {
        match self {
            Transport::Http(_) => "http",
            Transport::Grpc(_) => "grpc",
            Transport::Kafka(_) => "kafka",
            Transport::RabbitMq(_) => "rabbitmq",
            Transport::Sqs(_) => "sqs",
        }
    }

    /// Returns the broker that stands between; `None` where the sender calls the receiver.
    pub fn via(&self) -> Option<NodeIx> {
        match self {
            Transport::Http(_) | Transport::Grpc(_) => None,
            Transport::Kafka(hop) => Some(hop.via),
            Transport::RabbitMq(hop) => Some(hop.via),
            Transport::Sqs(hop) => Some(hop.via),
        }
    }

    /// Returns whether what is sent over one of the two is sent over the other.
    pub fn sent_alike(&self, other: &Transport) -> bool {
        match (self, other) {
            (Transport::Kafka(one), Transport::Kafka(two)) => (one.via, &one.topic) == (two.via, &two.topic),
            (Transport::RabbitMq(one), Transport::RabbitMq(two)) => one.via == two.via && one.sent_alike(two),
            (Transport::Sqs(one), Transport::Sqs(two)) => (one.via, &one.queue) == (two.via, &two.queue),
            (
                Transport::Http(_)
                | Transport::Grpc(_)
                | Transport::Kafka(_)
                | Transport::RabbitMq(_)
                | Transport::Sqs(_),
                _,
            ) => false,
        }
    }

    /// Returns the consumer group that reads; only Kafka has one.
    pub fn group(&self) -> Option<&str> {
        match self {
            Transport::Kafka(hop) => Some(&hop.group),
            Transport::Http(_) | Transport::Grpc(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
        }
    }

    /// Returns whether a request is called over HTTP.
    pub fn is_http(&self) -> bool {
        match self {
            Transport::Http(_) => true,
            Transport::Grpc(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        }
    }

    /// Returns whether a request is called over gRPC.
    pub fn is_grpc(&self) -> bool {
        match self {
            Transport::Grpc(_) => true,
            Transport::Http(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        }
    }

    /// Returns whether the call is a gRPC stream.
    pub fn is_stream(&self) -> bool {
        match self {
            Transport::Grpc(grpc) => grpc.stream,
            Transport::Http(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        }
    }

    /// Returns whether the broker moves messages that their reader gives up to another queue.
    pub fn moves_dead_letters(&self) -> bool {
        match self {
            Transport::RabbitMq(_) | Transport::Sqs(_) => true,
            Transport::Http(_) | Transport::Grpc(_) | Transport::Kafka(_) => false,
        }
    }

    /// Returns whether the clients of the transport keep each header name once.
    pub fn keeps_names_once(&self) -> bool {
        match self {
            Transport::RabbitMq(_) | Transport::Sqs(_) => true,
            Transport::Http(_) | Transport::Grpc(_) | Transport::Kafka(_) => false,
        }
    }

    /// Returns whether no tap sees a message that is read again: Kafka is read beside, not through.
    pub fn hides_redelivery(&self) -> bool {
        match self {
            Transport::Kafka(_) => true,
            Transport::Http(_) | Transport::Grpc(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        }
    }

    /// Returns how many messages are processed at once, where they are processed in batches.
    pub fn batch(&self) -> Option<u32> {
        match self {
            Transport::Http(_) | Transport::Grpc(_) => None,
            Transport::Kafka(hop) => hop.batch,
            Transport::RabbitMq(hop) => hop.batch,
            Transport::Sqs(hop) => hop.batch,
        }
    }

    /// Returns the topic or queue that the receiver reads.
    pub fn source(&self) -> Option<&str> {
        match self {
            Transport::Http(_) | Transport::Grpc(_) => None,
            Transport::Kafka(hop) => Some(&hop.topic),
            Transport::RabbitMq(hop) => Some(&hop.queue),
            Transport::Sqs(hop) => Some(&hop.queue),
        }
    }
}

#[derive(Clone, Debug)]
pub struct HttpHop {
    /// Any method when absent; the driver sends POST when there is a body and GET otherwise.
    pub method: Option<String>,
    /// Any path when absent.
    pub path: Option<PathPattern>,
    /// The version that the driver speaks; default HTTP/1.1.
    pub version: HttpVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    Http1,
    /// Prior knowledge over plaintext, ALPN over TLS.
    Http2,
}

#[derive(Clone, Debug)]
pub struct GrpcHop {
    /// `package.Service/Method`; any method when absent.
    pub method: Option<String>,
    /// A relay calls `HandleStream` instead of `Handle`.
    pub stream: bool,
}

/// A path in which `{name}` stands for one segment and a trailing `*` for the rest; without a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(pub String);

impl PathPattern {
    /// Returns whether the path of a request target, without its query, fits.
    pub fn matches(&self, target: &str) -> bool {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let mut given = path.split('/');
        for wanted in self.0.split('/') {
            if wanted == "*" {
                return true;
            }
            let Some(segment) = given.next() else { return false };
            let open = is_open(wanted) && !segment.is_empty();
            if !open && wanted != segment {
                return false;
            }
        }
        given.next().is_none()
    }

    /// Returns whether a mark can stand in the path.
    pub fn has_room(&self) -> bool {
        self.0.split('/').any(|segment| segment == "*" || is_open(segment))
    }
}

/// Returns whether any text may stand in place of this segment of a pattern.
pub(super) fn is_open(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub min: u32,
    pub max: u32,
}

impl Times {
    pub const ONCE: Times = Times { min: 1, max: 1 };
}

/// A step that a relay takes for a hop. All but `Fail` are done by the sender around the call; `Fail` by the receiver
/// at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Wait(Duration),
    Spawn,
    Retry(u32),
    Restart,
    Log(String),
    /// `500`, `panic`, and for messages `nack` or `reject`.
    Fail(String),
}
