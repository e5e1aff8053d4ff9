//! Every image that the runtime starts by itself: its name, and what it is told. Readiness of brokers is an answer in
//! their own protocol (`answers.rs`), whichever image it is.
//!
//! Which one is taken, the first that is there: the scenario's `image:`, `--image PART=NAME`, `UNBROKEN_IMAGE_PART`,
//! one that `fixtures/images/build` has made on this machine, the public one.

use std::collections::BTreeMap;
use std::fmt;

use crate::scenario::BrokerKind;

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Kafka,
    RabbitMq,
    Sqs,
    RelayModel,
    RelayRust,
}

/// A name as `docker run` takes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(pub String);

/// Images in place of the usual ones.
#[derive(Clone, Debug, Default)]
pub struct Images {
    given: BTreeMap<Part, ImageName>,
}

impl Part {
    pub const ALL: [Part; 5] = [Part::Kafka, Part::RabbitMq, Part::Sqs, Part::RelayModel, Part::RelayRust];

    /// As `--image` and `fixtures/images/build` call it.
    pub fn word(self) -> &'static str {
        match self {
            Part::Kafka => "kafka",
            Part::RabbitMq => "rabbitmq",
            Part::Sqs => "sqs",
            Part::RelayModel => "relay-model",
            Part::RelayRust => "relay-rust",
        }
    }

    pub fn read(word: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.word() == word)
    }

    pub fn of_broker(kind: BrokerKind) -> Part {
        match kind {
            BrokerKind::Kafka => Part::Kafka,
            BrokerKind::RabbitMq => Part::RabbitMq,
            BrokerKind::Sqs => Part::Sqs,
        }
    }

    pub(super) fn broker(self) -> Option<BrokerKind> {
        match self {
            Part::Kafka => Some(BrokerKind::Kafka),
            Part::RabbitMq => Some(BrokerKind::RabbitMq),
            Part::Sqs => Some(BrokerKind::Sqs),
            Part::RelayModel | Part::RelayRust => None,
        }
    }

    /// The relays that come with unbroken.
    pub(super) fn of_relay(implementation: &str) -> Option<Part> {
        match implementation {
            "model" => Some(Part::RelayModel),
            "rust" => Some(Part::RelayRust),
            _ => None,
        }
    }

    /// The variable that names another image.
    pub fn variable(self) -> String {
        format!("UNBROKEN_IMAGE_{}", self.word().to_uppercase().replace('-', "_"))
    }

    /// What `fixtures/images/build` makes.
    pub fn built_here(self) -> ImageName {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        ImageName(match self {
            Part::Kafka => "unbroken-kafka:4.4.0".to_owned(),
            Part::RabbitMq => "unbroken-rabbitmq:3.10".to_owned(),
            Part::Sqs => "unbroken-sqs:1.7.1".to_owned(),
            Part::RelayModel => format!("unbroken-relay-model:{VERSION}"),
            Part::RelayRust => format!("unbroken-relay-rust:{VERSION}"),
        })
    }

    /// The public one; the relays have none.
    pub fn public(self) -> Option<ImageName> {
        let name = match self {
            Part::Kafka => "apache/kafka:4.4.0",
            Part::RabbitMq => "rabbitmq:4.1-alpine",
            Part::Sqs => "softwaremill/elasticmq-native:1.7.1",
            Part::RelayModel | Part::RelayRust => return None,
        };
        Some(ImageName(name.to_owned()))
    }

    /// How clients are told an address of it.
    pub(super) fn url(self, at: &str) -> String {
        match self {
            Part::RabbitMq => format!("amqp://guest:guest@{at}/%2f"),
            Part::Sqs => format!("http://{at}"),
            Part::Kafka | Part::RelayModel | Part::RelayRust => at.to_owned(),
        }
    }

    /// The port on which it listens in its container.
    pub(super) fn port(self) -> u16 {
        match self {
            Part::Kafka => 9092,
            Part::RabbitMq => 5672,
            Part::Sqs => 9324,
            Part::RelayModel | Part::RelayRust => 8080,
        }
    }
}

/// LocalStack, the other SQS server that is known, listens elsewhere.
pub(super) fn port_of(part: Part, image: &ImageName) -> u16 {
    if part == Part::Sqs && image.0.contains("localstack") { 4566 } else { part.port() }
}

/// For containers: a listener of their own, so that the one for this machine may be advertised as this machine sees it.
const KAFKA_INSIDE: u16 = 9094;

/// Environment and command of a broker. `seen_at` is where clients on this machine reach Kafka, which tells its clients
/// where to go; `None` when they reach the container's own address.
pub(super) fn broker_settings(
    part: Part,
    seen_at: Option<u16>,
) -> (Vec<(&'static str, String)>, Vec<String>) {
    match part {
        Part::Kafka => kafka(seen_at),
        // LocalStack's: queue URLs are made of the address that the client called, as ElasticMQ's are.
        Part::Sqs => {
            let variables = [("SERVICES", "sqs"), ("SQS_ENDPOINT_STRATEGY", "dynamic")];
            (variables.map(|(name, value)| (name, value.to_owned())).to_vec(), Vec::new())
        }
        Part::RabbitMq | Part::RelayModel | Part::RelayRust => (Vec::new(), Vec::new()),
    }
}

/// One node that is its own controller, as `apache/kafka` takes it from its environment.
fn kafka(seen_at: Option<u16>) -> (Vec<(&'static str, String)>, Vec<String>) {
    let outside = seen_at.map(|port| format!(",HOST://127.0.0.1:{port}")).unwrap_or_default();
    let (inside, listeners) = match seen_at {
        None => (9092, "PLAINTEXT://:9092,CONTROLLER://:9093".to_owned()),
        Some(_) => (KAFKA_INSIDE, format!("PLAINTEXT://:{KAFKA_INSIDE},HOST://:9092,CONTROLLER://:9093")),
    };
    let variables = [
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093"),
        ("KAFKA_INTER_BROKER_LISTENER_NAME", "PLAINTEXT"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
        ("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1"),
        ("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "1"),
        ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
    ];
    let mut variables: Vec<_> = variables.map(|(name, value)| (name, value.to_owned())).to_vec();
    variables.push(("KAFKA_LISTENERS", listeners));
    // Only the container knows its own address, and only once it runs.
    let start = format!(
        "export KAFKA_ADVERTISED_LISTENERS=\"PLAINTEXT://$(hostname -i | cut -d' ' -f1):{inside}{outside}\"; \
         exec /etc/kafka/docker/run"
    );
    (variables, ["sh", "-c", &start].map(str::to_owned).to_vec())
}

/// Where containers reach a broker of this kind.
pub(super) fn port_inside(part: Part, image: &ImageName, published: bool) -> u16 {
    if part == Part::Kafka && published { KAFKA_INSIDE } else { port_of(part, image) }
}

impl Images {
    pub fn set(&mut self, part: Part, image: ImageName) {
        self.given.insert(part, image);
    }

    /// What was asked for, by flag or environment.
    pub(super) fn given(&self, part: Part) -> Option<ImageName> {
        let from_environment = || std::env::var(part.variable()).ok().filter(|name| !name.is_empty());
        self.given.get(&part).cloned().or_else(|| from_environment().map(ImageName))
    }
}

impl ImageName {
    /// What is pulled, and which of it: by its digest where there is one.
    pub(super) fn to_pull(&self) -> (&str, &str) {
        match self.0.split_once('@') {
            Some((name, digest)) => (ImageName::untagged(name).0, digest),
            None => self.parts(),
        }
    }

    /// Name and tag; a digest stays whole behind its `@sha256`.
    pub(super) fn parts(&self) -> (&str, &str) {
        ImageName::untagged(&self.0)
    }

    fn untagged(name: &str) -> (&str, &str) {
        let last = name.rfind('/').map_or(0, |at| at + 1);
        match name[last..].rfind(':') {
            Some(at) => (&name[..last + at], &name[last + at + 1..]),
            None => (name, "latest"),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_where_its_tag_begins() {
        let cases = [
            ("kafka", ("kafka", "latest")),
            ("kafka:4", ("kafka", "4")),
            ("host.example:5000/kafka", ("host.example:5000/kafka", "latest")),
            ("host.example:5000/kafka:4", ("host.example:5000/kafka", "4")),
            ("kafka@sha256:ab", ("kafka@sha256", "ab")),
        ];
        for (name, parts) in cases {
            assert_eq!(ImageName(name.to_owned()).parts(), parts);
        }
        for name in ["host.example:5000/kafka@sha256:ab", "host.example:5000/kafka:4@sha256:ab"] {
            assert_eq!(ImageName(name.to_owned()).to_pull(), ("host.example:5000/kafka", "sha256:ab"));
        }
    }

    #[test]
    fn every_part_has_its_word_and_its_variable() {
        for part in Part::ALL {
            assert_eq!(Part::read(part.word()), Some(part));
        }
        assert_eq!(Part::RelayModel.variable(), "UNBROKEN_IMAGE_RELAY_MODEL");
    }
}
