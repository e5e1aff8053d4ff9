//! One stimulus as it is sent: its context first, then the headers of the drive in their order, then missing ones.

use serde_json::Value;

use super::DriverError;
use super::route::{DriveRoute, Payload, Way};
use crate::evidence::is_propagation_field;
use crate::plan::instruction::{filled, render};
use crate::plan::{Plan, Stimulus};
use crate::runtime::Addresses;
use crate::scenario::{BodyCarrier, Marker};
use crate::wire::percent;

pub(super) struct OutgoingRequest {
    /// `POST` for gRPC.
    pub method: String,
    /// Path and query; for gRPC the path of the method.
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// The body is a message over the WebSocket that the request opens.
    pub upgrades: bool,
}

impl OutgoingRequest {
    pub(super) fn new(
        plan: &Plan,
        route: &DriveRoute,
        stimulus: &Stimulus,
        addresses: &Addresses,
    ) -> Result<Self, DriverError> {
        let mark = stimulus.mark.to_string();
        let (body, content_type) = match &route.body {
            Payload::Empty => (Vec::new(), None),
            Payload::Bytes { content, content_type } => (content.with(&mark), Some(content_type.clone())),
            Payload::Instruction => {
                let steps = render(plan, stimulus.call, stimulus.ix, &|hop| addresses.for_sender(hop));
                (steps.to_string().into_bytes(), Some("application/json".to_owned()))
            }
        };
        let context = stimulus.sent.fields.iter().cloned();
        let own = route.headers.iter().map(|(name, value)| (name.clone(), value.with(&mark)));
        let headers = context.chain(own).collect();
        let mut outgoing = Self {
            method: String::new(),
            target: target(route, &mark),
            headers,
            body,
            upgrades: route.upgrades,
        };
        let content_type = outgoing.put_marker(route, &mark)?.or(content_type);
        let content_type = outgoing.put_context(route)?.or(content_type);
        match &route.way {
            Way::Http { method, .. } if route.upgrades => {
                outgoing.method = method.clone().unwrap_or_else(|| "GET".to_owned());
                let handshake = super::websocket::HANDSHAKE.iter();
                let lines = handshake.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
                outgoing.headers.extend(lines);
            }
            Way::Http { method, .. } => {
                let origin =
                    route.origin.iter().map(|origin| ("origin".to_owned(), origin.clone().into_bytes()));
                outgoing.headers.extend(origin);
                outgoing.method = method.clone().unwrap_or_else(|| outgoing.usual_method().to_owned());
                if let (false, Some(content_type)) = (outgoing.has("content-type"), content_type) {
                    outgoing.headers.push(("content-type".to_owned(), content_type.into_bytes()));
                }
            }
            Way::Grpc { .. } => {
                outgoing.method = "POST".to_owned();
                if matches!(route.body, Payload::Instruction) {
                    outgoing.body = instruction_message(&outgoing.body);
                }
            }
            Way::Kafka { .. } | Way::RabbitMq { .. } | Way::Sqs { .. } => {}
        }
        Ok(outgoing)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    fn usual_method(&self) -> &'static str {
        if self.body.is_empty() { "GET" } else { "POST" }
    }

    /// Adds the mark where the receiver declares its marker; returns the content type if it changes the body.
    fn put_marker(&mut self, route: &DriveRoute, mark: &str) -> Result<Option<String>, DriverError> {
        match &route.marker {
            Some(Marker::Header(name)) => self.headers.push((name.clone(), mark.as_bytes().to_vec())),
            Some(Marker::Query(name)) => {
                let joint = if self.target.contains('?') { '&' } else { '?' };
                self.target = format!("{}{joint}{name}={mark}", self.target);
            }
            Some(Marker::Body(member)) if !matches!(route.way, Way::Grpc { .. }) => {
                let marked = marked_body(&self.body, member, mark);
                self.body = marked.ok_or_else(|| DriverError::Marker { hop: route.hop_name.clone() })?;
                return Ok(Some("application/json".to_owned()));
            }
            Some(Marker::Path | Marker::Body(_)) | None => {}
        }
        Ok(None)
    }

    /// Moves the context from the headers into the body, where the hop has it there; returns the content type then.
    fn put_context(&mut self, route: &DriveRoute) -> Result<Option<String>, DriverError> {
        let Some(carrier) = &route.carrier else { return Ok(None) };
        let headers = std::mem::take(&mut self.headers);
        let (context, headers) =
            headers.into_iter().partition(|(name, _)| is_propagation_field(name.as_bytes()));
        self.headers = headers;
        let body = with_context(&self.body, &context, carrier);
        let (hop, place) = (&route.hop_name, carrier.shown());
        self.body = body.ok_or_else(|| DriverError::Carrier { hop: hop.clone(), place })?;
        Ok(Some("application/json".to_owned()))
    }
}

/// Returns a JSON body with the fields at the place of the carrier.
fn with_context(body: &[u8], fields: &[(String, Vec<u8>)], carrier: &BodyCarrier) -> Option<Vec<u8>> {
    let mut document = match body {
        [] => Value::Object(serde_json::Map::new()),
        body => serde_json::from_slice(body).ok()?,
    };
    for (name, value) in fields {
        carrier.put(&mut document, name, std::str::from_utf8(value).ok()?)?;
    }
    Some(document.to_string().into_bytes())
}

/// Returns the target of the request: its path, and the query of the drive.
fn target(route: &DriveRoute, mark: &str) -> String {
    let encoded = |bytes: &[u8]| String::from_utf8(percent::encode(bytes)).expect("it encodes as ASCII");
    let mut target = path(route, mark);
    for (number, (name, value)) in route.query.iter().enumerate() {
        let joint = if number == 0 { '?' } else { '&' };
        target += &format!("{joint}{}={}", encoded(name.as_bytes()), encoded(&value.with(mark)));
    }
    target
}

/// Returns the path with its open segments filled; the mark is the path of a receiver that is marked by path and has no
/// pattern.
fn path(route: &DriveRoute, mark: &str) -> String {
    match &route.way {
        Way::Grpc { path, .. } => path.clone(),
        Way::Http { path: Some(path), .. } => filled(path, mark),
        Way::Http { path: None, .. } if route.marker == Some(Marker::Path) => format!("/{mark}"),
        Way::Http { path: None, .. } => "/".to_owned(),
        Way::Kafka { .. } | Way::RabbitMq { .. } | Way::Sqs { .. } => String::new(),
    }
}

/// Adds the mark to a JSON object as the member that `path` names, with a dot for each level; `None` if the body is not
/// an object.
fn marked_body(body: &[u8], path: &str, mark: &str) -> Option<Vec<u8>> {
    let mut value = match body {
        [] => Value::Object(serde_json::Map::new()),
        body => serde_json::from_slice(body).ok()?,
    };
    let mut at = &mut value;
    for name in path.split('.') {
        at = at.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *at = Value::String(mark.to_owned());
    Some(value.to_string().into_bytes())
}

/// Encodes `message Instruction { string steps = 1; }` (relay contract, section 1).
pub(crate) fn instruction_message(steps: &[u8]) -> Vec<u8> {
    const STEPS: u8 = (1 << 3) | 2;
    let mut message = vec![STEPS];
    let mut length = steps.len();
    while length >= 0x80 {
        message.push(u8::try_from(length & 0x7f).expect("seven bits fit a byte") | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).expect("seven bits fit a byte"));
    message.extend_from_slice(steps);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_added_to_a_json_body_at_the_path_of_the_marker() {
        let marked =
            |body: &[u8], path| marked_body(body, path, "ub1-2").map(|b| String::from_utf8(b).unwrap());
        assert_eq!(marked(b"", "id").as_deref(), Some(r#"{"id":"ub1-2"}"#));
        assert_eq!(marked(br#"{"a":{"b":1}}"#, "a.c").as_deref(), Some(r#"{"a":{"b":1,"c":"ub1-2"}}"#));
        assert_eq!(marked(b"[1]", "id"), None);
        assert_eq!(marked(b"<a/>", "id"), None);
    }

    #[test]
    fn the_context_goes_into_the_object_of_the_carrier() {
        let fields = [("traceparent".to_owned(), b"00-1".to_vec())];
        let cases: [(&[u8], &str, Option<&str>); 3] = [
            (b"", ".", Some(r#"{"traceparent":"00-1"}"#)),
            (
                br#"{"params":{"name":"x"}}"#,
                "params._meta",
                Some(r#"{"params":{"_meta":{"traceparent":"00-1"},"name":"x"}}"#),
            ),
            (b"not JSON", ".", None),
        ];
        for (body, path, expected) in cases {
            let put = with_context(body, &fields, &BodyCarrier::at(path));
            assert_eq!(put.as_deref(), expected.map(str::as_bytes), "{path}");
        }
    }

    #[test]
    fn an_instruction_message_has_its_length_as_a_varint() {
        assert_eq!(instruction_message(b"[]"), [0x0a, 2, b'[', b']']);
        let long = instruction_message(&[b' '; 300]);
        assert_eq!((&long[..3], long.len()), (&[0x0a, 0xac, 0x02][..], 303));
    }
}
