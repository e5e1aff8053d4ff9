//! The bytes of one request, the ids in it, and the request as a shell command.

use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::shell_word::shell_word;
use crate::conform::judge::VectorExchange;
use crate::conform::listener::{CallbackListener, RequestKey};
use crate::conform::suite::{self, InstructionStep, RequestIds};
use crate::conform::target::Address;
use crate::conform::transport::{OUTWARD, TransportKind, TransportRoute};
use crate::evidence::RawFields;
use crate::plan::Seed;
use crate::plan::seed::Ids;
use crate::wire::{Format, hex, x_ray};

/// Mints the ids of a vector's request. Each has a letter and a digit among its first 15 digits, so that upper case
/// differs and no id is a number.
pub(super) fn mint(seed: Seed, number: usize) -> RequestIds {
    let mut ids = Ids::new(seed.part(&number.to_string()));
    RequestIds {
        trace_id: odd_id(|| hex::encode(&ids.trace_id())),
        parent_id: odd_id(|| hex::encode(&ids.span_id())),
    }
}

/// Mints until an id has a letter and a digit.
fn odd_id(mut mint: impl FnMut() -> String) -> String {
    loop {
        let id = mint();
        let first = &id[..15];
        if first.contains(|c: char| c.is_ascii_digit()) && first.contains(|c: char| c.is_ascii_lowercase()) {
            return id;
        }
    }
}

/// The addresses of the calls that a request causes.
#[derive(Clone, Copy)]
pub(super) struct CallAddresses<'a> {
    pub listener: &'a CallbackListener,
    /// For calls over gRPC.
    pub grpc: SocketAddr,
    pub key: RequestKey,
    pub route: TransportRoute,
}

impl CallAddresses<'_> {
    /// Returns the instruction of a request, with the addresses of its calls.
    pub fn body(&self, steps: &[InstructionStep], minted: &RequestIds) -> String {
        suite::instruction(steps, minted, &|number, options| self.call(number, options)).to_string()
    }

    fn call(&self, number: Option<usize>, options: &str) -> Value {
        let (listener, key) = (self.listener, self.key);
        let address = match self.route.outward {
            TransportKind::Http1 | TransportKind::Http2 => listener.url(key, number.unwrap_or_default()),
            TransportKind::Grpc => format!("grpc://{}", self.grpc),
            TransportKind::Kafka => format!("kafka://{OUTWARD}{options}"),
            TransportKind::RabbitMq => format!("amqp:///{OUTWARD}{options}"),
            TransportKind::Sqs => format!("sqs://{OUTWARD}{options}"),
        };
        let path = match number {
            Some(number) => listener.path(key, number),
            None => listener.batch_path(key),
        };
        // The next relay gets the arguments unchanged: they identify a call that has no path.
        let arguments = match self.route.outward {
            TransportKind::Http1 | TransportKind::Http2 => json!([]),
            TransportKind::Grpc | TransportKind::Kafka | TransportKind::RabbitMq | TransportKind::Sqs => {
                json!([{ "url": format!("mark:{path}"), "arguments": [] }])
            }
        };
        json!({ "url": address, "arguments": arguments })
    }
}

/// Returns a whole HTTP/1.1 request with the vector's fields unchanged.
pub(super) fn bytes(address: &Address, fields: &RawFields, body: &str) -> Vec<u8> {
    let mut bytes = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nContent-Type: application/json\r\n",
        address.path,
        address.authority()
    )
    .into_bytes();
    for (name, value) in fields {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    let end = format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

/// Returns the `curl` command that repeats the request. A listener is needed at the addresses that the target calls.
pub(super) fn curl(address: &Address, exchange: &VectorExchange, body: &str) -> String {
    let mut line = String::from("curl -i -H 'Content-Type: application/json'");
    for (name, value) in &exchange.sent {
        let name = String::from_utf8_lossy(name);
        // The form in which curl sends a field without a value.
        let field = if value.is_empty() {
            shell_word(format!("{name};").as_bytes())
        } else {
            shell_word(&[name.as_bytes(), b": ", value].concat())
        };
        let _ = write!(line, " -H {field}");
    }
    let _ =
        write!(line, " -d {} {}", shell_word(body.as_bytes()), shell_word(address.to_string().as_bytes()));
    line
}

/// Returns the fields that a report may show: propagation fields, and names that are similar.
pub(super) fn of_propagation(fields: &RawFields) -> RawFields {
    fields.iter().filter(|(name, _)| is_of_propagation(name)).cloned().collect()
}

/// Returns the propagation fields of a call as another carrier has them: the system attribute of SQS with X-Ray's
/// context is a header elsewhere.
pub(super) fn sent_onward(fields: &RawFields, over: TransportKind) -> RawFields {
    let mut sent = of_propagation(fields);
    for (name, _) in &mut sent {
        if over != TransportKind::Sqs && name.eq_ignore_ascii_case(x_ray::SQS_ATTRIBUTE.as_bytes()) {
            *name = x_ray::HEADER.as_bytes().to_vec();
        }
    }
    sent
}

fn is_of_propagation(name: &[u8]) -> bool {
    const PREFIXES: &[&[u8]] = &[b"trace", b"baggage", b"uberctx-"];
    let name = name.to_ascii_lowercase();
    Format::of_field(&name).is_some() || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_the_fields_as_they_are() {
        let address: Address = "http://127.0.0.1:9/a?b".parse().unwrap();
        let fields = vec![(b"TraceParent".to_vec(), b"\xff".to_vec()), (b"traceparent".to_vec(), Vec::new())];
        let bytes = bytes(&address, &fields, "[]");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:9\r\n"), "{text}");
        assert!(bytes.windows(16).any(|part| part == b"TraceParent: \xff\r\n"), "{text}");
        assert!(text.contains("traceparent: \r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"), "{text}");
    }

    #[test]
    fn the_system_attribute_of_sqs_is_a_header_in_other_carriers() {
        let fields = vec![(b"AWSTraceHeader".to_vec(), b"Root=1".to_vec()), (b"host".to_vec(), Vec::new())];
        let onward = |over| sent_onward(&fields, over).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(onward(TransportKind::Kafka), [b"x-amzn-trace-id".to_vec()]);
        assert_eq!(onward(TransportKind::Sqs), [b"AWSTraceHeader".to_vec()]);
    }

    #[test]
    fn ids_are_the_same_for_the_same_seed_and_have_a_letter_and_a_digit() {
        let minted: Vec<RequestIds> = (0..200).map(|number| mint(Seed(7), number)).collect();
        assert_eq!(minted[3], mint(Seed(7), 3));
        assert_ne!(minted[3], minted[4]);
        for RequestIds { trace_id, parent_id } in minted {
            assert!(trace_id.to_uppercase() != trace_id && parent_id.to_uppercase() != parent_id);
        }
    }
}
