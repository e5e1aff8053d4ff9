//! The transport of a vector's request and that of the calls that it causes.

use super::TransportKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransportRoute {
    pub inward: TransportKind,
    pub outward: TransportKind,
}

impl TransportRoute {
    /// HTTP/1.1 in both directions, for which vectors are written.
    pub const HTTP: TransportRoute =
        TransportRoute { inward: TransportKind::Http1, outward: TransportKind::Http1 };

    /// Returns every pair of these transports and HTTP/1.1.
    pub fn among(carriers: &[TransportKind]) -> Vec<TransportRoute> {
        let is_chosen =
            |carrier: &&TransportKind| **carrier == TransportKind::Http1 || carriers.contains(*carrier);
        let chosen: Vec<TransportKind> = TransportKind::ALL.iter().filter(is_chosen).copied().collect();
        let mut routes = Vec::new();
        for inward in &chosen {
            let outward = chosen.iter().filter(|carrier| carrier.carries_calls());
            routes.extend(outward.map(|outward| TransportRoute { inward: *inward, outward: *outward }));
        }
        routes
    }

    /// Returns true for a route through a forwarder: HTTP stays HTTP/1.1 behind it, gRPC stays gRPC.
    pub fn is_forwarded(self) -> bool {
        match self.inward {
            TransportKind::Http1 | TransportKind::Http2 => self.outward == TransportKind::Http1,
            TransportKind::Grpc => self.outward == TransportKind::Grpc,
            TransportKind::Kafka | TransportKind::RabbitMq | TransportKind::Sqs => false,
        }
    }

    /// Returns `http/1.1`, or `kafka -> grpc` where the two differ.
    pub fn words(self) -> String {
        if self.inward == self.outward {
            return self.inward.word().to_owned();
        }
        format!("{} -> {}", self.inward.word(), self.outward.word())
    }

    /// Returns the first capability of its transports that a target does not have.
    pub fn missing(self, can: impl Fn(&str) -> bool) -> Option<&'static str> {
        let needs = [self.inward, self.outward].into_iter().filter_map(TransportKind::capability);
        needs.into_iter().find(|need| !can(need))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_the_chosen_transports_and_http_is_a_route() {
        assert_eq!(TransportRoute::among(&[]), [TransportRoute::HTTP]);
        let words: Vec<String> = TransportRoute::among(&[TransportKind::Http2, TransportKind::Kafka])
            .into_iter()
            .map(TransportRoute::words)
            .collect();
        let expected = [
            "http/1.1",
            "http/1.1 -> kafka",
            "http/2 -> http/1.1",
            "http/2 -> kafka",
            "kafka -> http/1.1",
            "kafka",
        ];
        assert_eq!(words, expected);
    }
}
