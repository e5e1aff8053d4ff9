//! The address of a broker as its clients take it: `host:port` of Kafka, `amqp://` and `http://` URLs of the others.
//!
//! Plaintext only: neither the taps nor the harness's own clients speak TLS to a broker.

use crate::runtime::host_address::HostPort;
use crate::scenario::{BrokerKind, BrokerPart};

/// The parts of an address, so that the address of a tap can replace that of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAddress {
    kind: BrokerKind,
    /// Scheme and credentials.
    before: String,
    host: String,
    port: u16,
    /// Virtual host or path; for Kafka further addresses.
    after: String,
}

fn scheme(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "",
        BrokerKind::RabbitMq => "amqp://",
        BrokerKind::Sqs => "http://",
    }
}

fn usual_port(kind: BrokerKind) -> u16 {
    match kind {
        BrokerKind::Kafka => 9092,
        BrokerKind::RabbitMq => 5672,
        BrokerKind::Sqs => 80,
    }
}

impl BrokerAddress {
    /// Parses an address; `None` when it is not one of a broker of this kind.
    pub fn parse(kind: BrokerKind, text: &str) -> Option<BrokerAddress> {
        let text = text.trim();
        let rest = text.strip_prefix(scheme(kind))?;
        let authority = &rest[..rest.find(['/', '?', ',']).unwrap_or(rest.len())];
        let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
        let (host, port) = match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (host_and_port, usual_port(kind)),
        };
        let credentials = authority.len() - host_and_port.len();
        let before = text[..scheme(kind).len() + credentials].to_owned();
        let after = rest[authority.len()..].to_owned();
        (!host.is_empty()).then(|| BrokerAddress { kind, before, host: host.to_owned(), port, after })
    }

    /// Returns the address of a broker that was started here, which accepts the user `guest`.
    pub fn of_started(kind: BrokerKind, at: HostPort) -> BrokerAddress {
        let (credentials, after) = match kind {
            BrokerKind::RabbitMq => ("guest:guest@", "/%2f"),
            BrokerKind::Kafka | BrokerKind::Sqs => ("", ""),
        };
        let before = format!("{}{credentials}", scheme(kind));
        let address = BrokerAddress { kind, before, host: String::new(), port: 0, after: after.to_owned() };
        address.through(at)
    }

    /// Returns the same address with another host and port.
    pub fn through(&self, at: HostPort) -> BrokerAddress {
        BrokerAddress { host: at.host, port: at.port, ..self.clone() }
    }

    /// Returns the part of the address that a template stands for.
    pub fn part(&self, part: BrokerPart) -> String {
        match part {
            BrokerPart::Address => self.text(),
            BrokerPart::Host => self.host_and_port().0.to_owned(),
            BrokerPart::Port => self.port.to_string(),
        }
    }

    /// Returns the address as clients take it.
    pub fn text(&self) -> String {
        format!("{}{}:{}{}", self.before, self.host, self.port, self.after)
    }

    /// Returns `host:port`, without credentials.
    pub fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Returns host and port for a lookup.
    pub fn host_and_port(&self) -> (&str, u16) {
        (self.host.trim_matches(['[', ']']), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_replaces_host_and_port_and_nothing_else() {
        let tap = HostPort { host: "127.0.0.1".into(), port: 7 };
        let cases = [
            (BrokerKind::Kafka, "kafka", "kafka:9092", "127.0.0.1:7"),
            (BrokerKind::Kafka, "a:1,b:2", "a:1", "127.0.0.1:7,b:2"),
            (BrokerKind::RabbitMq, "amqp://mail/orders", "mail:5672", "amqp://127.0.0.1:7/orders"),
            (BrokerKind::RabbitMq, "amqp://u:p%40@mail:1/%2f", "mail:1", "amqp://u:p%40@127.0.0.1:7/%2f"),
            (BrokerKind::RabbitMq, "amqp://[::1]:1", "[::1]:1", "amqp://127.0.0.1:7"),
            (BrokerKind::Sqs, "http://outbox:4566", "outbox:4566", "http://127.0.0.1:7"),
        ];
        for (kind, text, shown, through) in cases {
            let address = BrokerAddress::parse(kind, text).expect(text);
            assert_eq!(
                (address.shown(), address.through(tap.clone()).text()),
                (shown.to_owned(), through.to_owned())
            );
        }
        assert_eq!(
            BrokerAddress::of_started(BrokerKind::RabbitMq, tap).text(),
            "amqp://guest:guest@127.0.0.1:7/%2f"
        );
    }

    #[test]
    fn an_address_of_another_kind_is_refused() {
        let cases = [
            (BrokerKind::Kafka, ""),
            (BrokerKind::Kafka, "kafka:none"),
            (BrokerKind::RabbitMq, "mail:5672"),
            (BrokerKind::RabbitMq, "amqps://mail"),
            (BrokerKind::Sqs, "https://sqs.example"),
        ];
        for (kind, text) in cases {
            assert_eq!(BrokerAddress::parse(kind, text), None, "{text}");
        }
    }
}
