//! Where a broker is, as its clients are told: `host:port` of Kafka, `amqp://` and `http://` URLs of the others.
//!
//! No TLS: neither the taps nor the harness's own clients speak it to a broker.

use crate::runtime::host_address::Spelled;
use crate::scenario::BrokerKind;

/// An address taken apart, so that a tap's can be put in the place of the broker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Address {
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

impl Address {
    /// `None` when it is no address of such a broker.
    pub(in crate::runtime) fn read(kind: BrokerKind, text: &str) -> Option<Address> {
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
        (!host.is_empty()).then(|| Address { kind, before, host: host.to_owned(), port, after })
    }

    /// Of one that was started here, which lets `guest` in.
    pub(in crate::runtime) fn of_started(kind: BrokerKind, at: Spelled) -> Address {
        let (credentials, after) = match kind {
            BrokerKind::RabbitMq => ("guest:guest@", "/%2f"),
            BrokerKind::Kafka | BrokerKind::Sqs => ("", ""),
        };
        let before = format!("{}{credentials}", scheme(kind));
        let address = Address { kind, before, host: String::new(), port: 0, after: after.to_owned() };
        address.through(at)
    }

    /// The same with this in place of host and port.
    pub(in crate::runtime) fn through(&self, (host, port): Spelled) -> Address {
        Address { host, port, ..self.clone() }
    }

    /// As clients are told it.
    pub(in crate::runtime) fn text(&self) -> String {
        format!("{}{}:{}{}", self.before, self.host, self.port, self.after)
    }

    /// `host:port`, fit to be shown.
    pub(in crate::runtime) fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Fit to be looked up.
    pub(in crate::runtime) fn host_and_port(&self) -> (&str, u16) {
        (self.host.trim_matches(['[', ']']), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_takes_the_place_of_host_and_port_and_of_nothing_else() {
        let tap: Spelled = ("127.0.0.1".into(), 7);
        let cases = [
            (BrokerKind::Kafka, "kafka", "kafka:9092", "127.0.0.1:7"),
            (BrokerKind::Kafka, "a:1,b:2", "a:1", "127.0.0.1:7,b:2"),
            (BrokerKind::RabbitMq, "amqp://mail/orders", "mail:5672", "amqp://127.0.0.1:7/orders"),
            (BrokerKind::RabbitMq, "amqp://u:p%40@mail:1/%2f", "mail:1", "amqp://u:p%40@127.0.0.1:7/%2f"),
            (BrokerKind::RabbitMq, "amqp://[::1]:1", "[::1]:1", "amqp://127.0.0.1:7"),
            (BrokerKind::Sqs, "http://outbox:4566", "outbox:4566", "http://127.0.0.1:7"),
        ];
        for (kind, text, shown, through) in cases {
            let address = Address::read(kind, text).expect(text);
            assert_eq!(
                (address.shown(), address.through(tap.clone()).text()),
                (shown.to_owned(), through.to_owned())
            );
        }
        assert_eq!(
            Address::of_started(BrokerKind::RabbitMq, tap).text(),
            "amqp://guest:guest@127.0.0.1:7/%2f"
        );
    }

    #[test]
    fn what_is_no_address_of_the_broker_is_refused() {
        let cases = [
            (BrokerKind::Kafka, ""),
            (BrokerKind::Kafka, "kafka:none"),
            (BrokerKind::RabbitMq, "mail:5672"),
            (BrokerKind::RabbitMq, "amqps://mail"),
            (BrokerKind::Sqs, "https://sqs.example"),
        ];
        for (kind, text) in cases {
            assert_eq!(Address::read(kind, text), None, "{text}");
        }
    }
}
