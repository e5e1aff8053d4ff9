//! Checks of one drive, by itself and against the hop that it sends.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, DriveDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::drive::DriveContext;
use crate::scenario::hop::{Hop, HttpVersion, Transport};
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::relation::Relation;
use crate::scenario::tree::{KeyValue, Tree};

use super::drive_message;
use super::instruction::relay_behind;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for sent in &draft.drives {
        let DriveDraft { drive, tree } = sent;
        let hop = draft.hop(drive.send);
        let from = &draft.node(hop.from).name;
        if hop.from != NodeIx::CLIENT {
            let message = format!("a drive sends a hop from `client`, and `{}` is from `{from}`", hop.id);
            let diagnostic =
                Diagnostic::new("not-from-client", drive.place, message).label("not from `client`");
            let help = "send the hop from `client` that causes it in the end";
            complaints.report(diagnostic.also(hop.place, format!("from `{from}`")).help(help));
            continue;
        }
        if drive.concurrency > drive.times {
            let (times, concurrency) = (drive.times, drive.concurrency);
            let message = format!("`concurrency` is {concurrency}, and `times` is only {times}");
            let help = format!("use `times: {concurrency}` or more, or lower `concurrency`");
            let place = tree.value_place("concurrency");
            complaints.report(Diagnostic::new("too-concurrent", place, message).help(help));
        }
        if hop.relation == Relation::None && !matches!(drive.context, DriveContext::None { .. }) {
            let message = format!("no context may cross `{}`, and this drive sends one", hop.id);
            let diagnostic = Diagnostic::new("contradiction", drive.place, message).label("sends a context");
            complaints.report(
                diagnostic.also(hop.relation_place, "no context may cross").help("use `context: none`"),
            );
        }
        lower_case(tree, hop, complaints);
        raw_headers(tree, hop, complaints);
        query(tree, hop, complaints);
        upgrade(tree, hop, complaints);
        origin(tree, hop, complaints);
        answers(draft, drive.answers, tree, hop, complaints);
        drive_message::check(draft, sent, complaints);
        if let Some(body) = tree.entry("body") {
            complaints.extend(unused_body(draft, drive.send, body));
        }
    }
}

/// Returns the error of a body that the driver does not send, or that no receiver could decode.
fn unused_body(draft: &Draft<'_>, send: HopIx, body: &KeyValue) -> Option<Diagnostic> {
    let (hop, place) = (draft.hop(send), body.key.place);
    if let Some(relay) = relay_behind(draft, send) {
        let relay = draft.node(relay);
        let message = format!(
            "this `body` would not be sent: `{}` is a relay, and the driver sends it an instruction made from the hops",
            relay.name
        );
        let help = "remove `body`; `steps` at the hops define what relays do";
        let found = Diagnostic::new("not-for-relays", place, message).label("not sent");
        return Some(found.also(relay.place, "a relay").help(help));
    }
    if hop.transport.is_grpc() && body.value.text().is_none() {
        let message = format!("`{}` goes over gRPC, and JSON is not a protobuf message", hop.id);
        let help = "write the encoded message as text, as in `body: \"\\n\\x011\"` for `{ id: \"1\" }` with `id` as \
                    field 1; without `body` an empty message is sent";
        let found = Diagnostic::new("body-of-transport", place, message).label("would be sent as JSON");
        return Some(found.also(hop.place, "over gRPC").help(help));
    }
    None
}

/// Reports field names with capital letters: they make an HTTP/2 request malformed (RFC 9113 8.2).
fn lower_case(tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let http2 = match &hop.transport {
        Transport::Http(http) => http.version == HttpVersion::Http2,
        Transport::Grpc(_) => true,
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
    };
    let raw = tree.get("raw-headers").map_or(&[][..], Tree::one_or_more).iter();
    let raw = raw.filter_map(|line| Some((line.text()?.split(':').next()?, line.place)));
    let headers = tree.get("headers").map_or(&[][..], Tree::entries).iter();
    for (name, place) in headers.map(|header| (header.key.value.as_str(), header.key.place)).chain(raw) {
        if http2 && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let message = format!("HTTP/2 header names are lower case, and `{name}` is not");
            let help = format!("write `{}`", name.to_ascii_lowercase());
            complaints.report(Diagnostic::new("bad-name", place, message).help(help));
        }
    }
}

/// Reports an upgrade of anything but HTTP/1.1 (RFC 9110 7.8, RFC 9113 8.6).
fn upgrade(tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let Some(upgrade) = tree.entry("upgrade") else { return };
    let (id, word) = (&hop.id, hop.transport.word());
    let over = match &hop.transport {
        Transport::Http(http) if http.version == HttpVersion::Http1 => return,
        Transport::Http(_) => "HTTP/2",
        Transport::Grpc(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => word,
    };
    let message = format!("`upgrade` is a mechanism of HTTP/1.1, and `{id}` goes over {over}");
    let diagnostic = Diagnostic::new("upgrade-of-transport", upgrade.key.place, message);
    complaints.report(diagnostic.also(hop.place, "the hop").help("remove `upgrade`, or use an `http` hop"));
}

/// Reports a page's origin where a browser sends no preflight.
fn origin(tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let Some(origin) = tree.entry("origin") else { return };
    let (message, also, help) = if !hop.transport.is_http() {
        let message = format!("a browser sends HTTP, and `{}` goes over {}", hop.id, hop.transport.word());
        (message, (hop.place, "the hop"), "remove `origin`, or use an `http` hop")
    } else if let Some(upgrade) = tree.entry("upgrade") {
        let message = "a browser sends no preflight for a WebSocket, and lets a page set none of its headers"
            .to_owned();
        (message, (upgrade.key.place, "a WebSocket"), "remove one of the two")
    } else {
        return;
    };
    let diagnostic = Diagnostic::new("origin-of-transport", origin.key.place, message);
    complaints.report(diagnostic.also(also.0, also.1).help(help));
}

/// Reports a query where there is no target that could have one.
fn query(tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let Some(query) = tree.entry("query") else { return };
    if hop.transport.is_http() {
        return;
    }
    let message = format!("only HTTP has a query, and `{}` goes over {}", hop.id, hop.transport.word());
    let diagnostic = Diagnostic::new("query-of-transport", query.key.place, message);
    complaints.report(diagnostic.also(hop.place, "the hop").help("remove `query`, or use an `http` hop"));
}

/// Reports field lines of a message, whose headers are no lines.
fn raw_headers(tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let Some(raw) = tree.entry("raw-headers") else { return };
    if hop.transport.is_http() || hop.transport.is_grpc() {
        return;
    }
    let message =
        format!("`raw-headers` are field lines of HTTP, and `{}` goes over {}", hop.id, hop.transport.word());
    let help = "use `headers`, and `context` for a traceparent that does not parse";
    let diagnostic = Diagnostic::new("not-for-messages", raw.key.place, message);
    complaints.report(diagnostic.also(hop.place, "the hop").help(help));
}

fn answers(draft: &Draft<'_>, answers: Option<u32>, tree: &Tree, hop: &Hop, complaints: &mut Complaints) {
    let Some(answers) = answers else { return };
    let (fits, what) = match hop.transport {
        Transport::Http(_) => ((100..600).contains(&answers), "an HTTP status, from 100 to 599"),
        Transport::Grpc(_) => (answers <= 16, "a gRPC code, from 0 to 16"),
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => return,
    };
    if !fits {
        let to = &draft.node(hop.to).name;
        let message = format!("`answers` must be {what}: `{to}` answers over {}", hop.transport.word());
        complaints.report(Diagnostic::new("out-of-range", tree.value_place("answers"), message));
    }
}
