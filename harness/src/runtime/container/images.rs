//! The images that the runtime starts by itself: their names and settings. A broker is ready when it answers in its own
//! protocol (`answers.rs`), whichever image it is.
//!
//! The first of these is used: the scenario's `image:`, `--image PART=NAME`, `UNBROKEN_IMAGE_PART`, one that
//! `fixtures/images/build` has made on this machine, the public one.

use std::collections::BTreeMap;
use std::fmt;

use crate::scenario::BrokerKind;

/// The purpose of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImagePurpose {
    Kafka,
    RabbitMq,
    Sqs,
    RelayModel,
    RelayRust,
}

/// The name of an image as `docker run` takes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(pub String);

/// Images in place of the usual ones.
#[derive(Clone, Debug, Default)]
pub struct Images {
    given: BTreeMap<ImagePurpose, ImageName>,
}

impl ImagePurpose {
    pub const ALL: [ImagePurpose; 5] = [
        ImagePurpose::Kafka,
        ImagePurpose::RabbitMq,
        ImagePurpose::Sqs,
        ImagePurpose::RelayModel,
        ImagePurpose::RelayRust,
    ];

    /// Returns the word that `--image` and `fixtures/images/build` use.
    pub fn word(self) -> &'static str {
        match self {
            ImagePurpose::Kafka => "kafka",
            ImagePurpose::RabbitMq => "rabbitmq",
            ImagePurpose::Sqs => "sqs",
            ImagePurpose::RelayModel => "relay-model",
            ImagePurpose::RelayRust => "relay-rust",
        }
    }

    /// Parses the word that `word` returns.
    pub fn parse(word: &str) -> Option<ImagePurpose> {
        ImagePurpose::ALL.into_iter().find(|part| part.word() == word)
    }

    /// Returns the part that is a broker of this kind.
    pub fn of_broker(kind: BrokerKind) -> ImagePurpose {
        match kind {
            BrokerKind::Kafka => ImagePurpose::Kafka,
            BrokerKind::RabbitMq => ImagePurpose::RabbitMq,
            BrokerKind::Sqs => ImagePurpose::Sqs,
        }
    }

    /// Returns the kind of broker that it is, if it is one.
    pub(super) fn broker(self) -> Option<BrokerKind> {
        match self {
            ImagePurpose::Kafka => Some(BrokerKind::Kafka),
            ImagePurpose::RabbitMq => Some(BrokerKind::RabbitMq),
            ImagePurpose::Sqs => Some(BrokerKind::Sqs),
            ImagePurpose::RelayModel | ImagePurpose::RelayRust => None,
        }
    }

    /// Returns the part of a relay that comes with unbroken.
    pub(super) fn of_relay(implementation: &str) -> Option<ImagePurpose> {
        match implementation {
            "model" => Some(ImagePurpose::RelayModel),
            "rust" => Some(ImagePurpose::RelayRust),
            _ => None,
        }
    }

    /// Returns the environment variable that names another image.
    pub fn variable(self) -> String {
        format!("UNBROKEN_IMAGE_{}", self.word().to_uppercase().replace('-', "_"))
    }

    /// Returns the name of the image that `fixtures/images/build` makes.
    pub fn built_here(self) -> ImageName {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        ImageName(match self {
            ImagePurpose::Kafka => "unbroken-kafka:4.4.0".to_owned(),
            ImagePurpose::RabbitMq => "unbroken-rabbitmq:3.10".to_owned(),
            ImagePurpose::Sqs => "unbroken-sqs:1.7.1".to_owned(),
            ImagePurpose::RelayModel => format!("unbroken-relay-model:{VERSION}"),
            ImagePurpose::RelayRust => format!("unbroken-relay-rust:{VERSION}"),
        })
    }

    /// Returns the public image; relays are not published.
    pub fn public(self) -> Option<ImageName> {
        let name = match self {
            ImagePurpose::Kafka => "apache/kafka:4.4.0",
            ImagePurpose::RabbitMq => "rabbitmq:4.1-alpine",
            ImagePurpose::Sqs => "softwaremill/elasticmq-native:1.7.1",
            ImagePurpose::RelayModel | ImagePurpose::RelayRust => return None,
        };
        Some(ImageName(name.to_owned()))
    }

    /// Returns the URL that its clients take.
    pub(super) fn url(self, at: &str) -> String {
        match self {
            ImagePurpose::RabbitMq => format!("amqp://guest:guest@{at}/%2f"),
            ImagePurpose::Sqs => format!("http://{at}"),
            ImagePurpose::Kafka | ImagePurpose::RelayModel | ImagePurpose::RelayRust => at.to_owned(),
        }
    }

    /// Returns the port on which it listens in its container.
    pub(super) fn port(self) -> u16 {
        match self {
            ImagePurpose::Kafka => 9092,
            ImagePurpose::RabbitMq => 5672,
            ImagePurpose::Sqs => 9324,
            ImagePurpose::RelayModel | ImagePurpose::RelayRust => 8080,
        }
    }
}

/// Returns the port on which an image listens: LocalStack, the other known SQS server, has one of its own.
pub(super) fn port_of(part: ImagePurpose, image: &ImageName) -> u16 {
    if part == ImagePurpose::Sqs && image.0.contains("localstack") { 4566 } else { part.port() }
}

/// Kafka's listener for containers; the one for this machine is advertised with an address of this machine.
const KAFKA_INSIDE: u16 = 9094;

/// Environment and command of a broker.
#[derive(Debug, Default)]
pub(super) struct BrokerSettings {
    pub(super) env: Vec<(&'static str, String)>,
    pub(super) command: Vec<String>,
}

/// Returns the settings of a broker. `seen_at` is the port of this machine at which Kafka is published, because Kafka
/// advertises its own address; `None` where clients reach the container's own address.
pub(super) fn broker_settings(part: ImagePurpose, seen_at: Option<u16>) -> BrokerSettings {
    match part {
        ImagePurpose::Kafka => kafka(seen_at),
        // LocalStack's settings: queue URLs are made of the address that the client called, as ElasticMQ's are.
        ImagePurpose::Sqs => {
            let variables = [("SERVICES", "sqs"), ("SQS_ENDPOINT_STRATEGY", "dynamic")];
            let env = variables.map(|(name, value)| (name, value.to_owned())).to_vec();
            BrokerSettings { env, command: Vec::new() }
        }
        ImagePurpose::RabbitMq | ImagePurpose::RelayModel | ImagePurpose::RelayRust => {
            BrokerSettings::default()
        }
    }
}

/// Returns the settings of one Kafka node that is its own controller, in the environment of `apache/kafka`.
fn kafka(seen_at: Option<u16>) -> BrokerSettings {
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
    BrokerSettings { env: variables, command: ["sh", "-c", &start].map(str::to_owned).to_vec() }
}

/// Returns the port at which containers reach a broker.
pub(super) fn port_inside(part: ImagePurpose, image: &ImageName, published: bool) -> u16 {
    if part == ImagePurpose::Kafka && published { KAFKA_INSIDE } else { port_of(part, image) }
}

impl Images {
    /// Sets the image that a flag names.
    pub fn set(&mut self, part: ImagePurpose, image: ImageName) {
        self.given.insert(part, image);
    }

    /// Returns the image that a flag or the environment names.
    pub(super) fn given(&self, part: ImagePurpose) -> Option<ImageName> {
        if let Some(given) = self.given.get(&part) {
            return Some(given.clone());
        }
        std::env::var(part.variable()).ok().filter(|name| !name.is_empty()).map(ImageName)
    }
}

impl ImageName {
    /// Returns the name to pull and its tag, or its digest where there is one.
    pub(super) fn to_pull(&self) -> (&str, &str) {
        match self.0.split_once('@') {
            Some((name, digest)) => (ImageName::untagged(name).0, digest),
            None => self.parts(),
        }
    }

    /// Returns name and tag; a digest stays whole behind its `@sha256`.
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
    fn a_name_is_split_before_its_tag() {
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
    fn every_part_has_a_word_and_a_variable() {
        for part in ImagePurpose::ALL {
            assert_eq!(ImagePurpose::parse(part.word()), Some(part));
        }
        assert_eq!(ImagePurpose::RelayModel.variable(), "UNBROKEN_IMAGE_RELAY_MODEL");
    }
}
