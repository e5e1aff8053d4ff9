//! Hops that share a way: one tap stands on it, and each request must belong to one hop.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, HttpHop, PathPattern, Transport, is_open};
use crate::scenario::index::NodeIx;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    let mut ways: BTreeMap<(NodeIx, NodeIx, &str), Vec<&HopDraft<'_>>> = BTreeMap::new();
    for hop in &draft.hops {
        let way = (hop.hop.from, hop.hop.to, hop.hop.transport.word());
        ways.entry(way).or_default().push(hop);
    }
    for hops in ways.values() {
        for (index, second) in hops.iter().enumerate() {
            if let Some(first) = hops[..index].iter().find(|first| overlap(&first.hop, &second.hop)) {
                complaints.report(same_requests(&first.hop, &second.hop));
            }
            let taps = hops.first().filter(|first| index > 0 && first.hop.transport.via().is_none());
            if let Some(first) = taps {
                same_tap(first, second, complaints);
            }
        }
    }
}

fn same_requests(first: &Hop, second: &Hop) -> Diagnostic {
    let what = if first.transport.via().is_some() { "message" } else { "request" };
    let message = format!("one {what} can match both `{}` and `{}`", first.id, second.id);
    let help = match second.transport {
        Transport::Http(_) => {
            "give them different `method`, `path` or `within`; for repeated calls use `times`"
        }
        Transport::Grpc(_) => "give them different `method` or `within`; for repeated calls use `times`",
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => {
            "give them a different topic, queue, group or `within`; for repeated messages use `times`"
        }
    };
    Diagnostic::new("hops-overlap", second.place, message)
        .label("ambiguous")
        .also(first.place, "same nodes, same transport")
        .help(help)
}

/// Reports settings that differ at hops behind one tap, which applies them to all hops.
fn same_tap(first: &HopDraft<'_>, second: &HopDraft<'_>, complaints: &mut Complaints) {
    let (one, two) = (&first.hop, &second.hop);
    let differing = [
        ("tls", one.tls != two.tls),
        ("client-certificate", one.client_certificate != two.client_certificate),
        ("host", one.host != two.host),
        ("tap", one.tapped != two.tapped),
    ];
    for (key, _) in differing.iter().filter(|(_, differs)| *differs) {
        let message =
            format!("`{}` and `{}` share a tap and set different values of `{key}`", one.id, two.id);
        let diagnostic = Diagnostic::new("contradiction", two.place, message).label("second value");
        complaints.report(diagnostic.also(one.place, "first value").help("use the same value at both hops"));
    }
}

/// Returns whether a request may belong to either hop. Hops with different causes are distinguished by their cause.
fn overlap(one: &Hop, two: &Hop) -> bool {
    if one.within != two.within {
        return false;
    }
    match (&one.transport, &two.transport) {
        (Transport::Http(one), Transport::Http(two)) => http(one, two),
        (Transport::Grpc(one), Transport::Grpc(two)) => {
            let same_method = either_any(&one.method, &two.method);
            // A relay's two methods differ by the key `stream` alone.
            same_method && (one.method.is_some() || two.method.is_some() || one.stream == two.stream)
        }
        // Other messages differ in where they are sent, and readings of one message in who reads it.
        _ => one.shares_message(two) && one.shares_source(two),
    }
}

fn http(one: &HttpHop, two: &HttpHop) -> bool {
    let paths = match (&one.path, &two.path) {
        (Some(one), Some(two)) => paths(one, two),
        _ => true,
    };
    paths && either_any(&one.method, &two.method)
}

fn either_any(one: &Option<String>, two: &Option<String>) -> bool {
    one.is_none() || two.is_none() || one == two
}

/// Returns whether some path fits both.
fn paths(one: &PathPattern, two: &PathPattern) -> bool {
    let mut others = two.0.split('/');
    for segment in one.0.split('/') {
        let Some(other) = others.next() else { return segment == "*" };
        if segment == "*" || other == "*" {
            return true;
        }
        let (any, other_any) = (is_open(segment), is_open(other));
        let same = match (any, other_any) {
            (true, true) => true,
            (true, false) => !other.is_empty(),
            (false, true) => !segment.is_empty(),
            (false, false) => segment == other,
        };
        if !same {
            return false;
        }
    }
    others.next().is_none_or(|rest| rest == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_where_one_path_fits_both() {
        let table = [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/a/{id}", "/a/b", true),
            ("/a/{id}", "/a/", false),
            ("/a/{id}", "/a/{name}", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/a", true),
            ("/b/*", "/a", false),
            ("/a/b", "/a", false),
            ("/a/{id}", "/{x}/b", true),
        ];
        for (one, two, expected) in table {
            let (one, two) = (PathPattern(one.into()), PathPattern(two.into()));
            assert_eq!(paths(&one, &two), expected, "{one:?} {two:?}");
            assert_eq!(paths(&two, &one), expected, "{two:?} {one:?}");
        }
    }
}
