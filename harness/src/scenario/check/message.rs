//! Checks of one hop through a broker by itself: keys that need each other, batches, keys that messages do not have.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, Step, Transport};
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::message::{ExchangeKind, RabbitMqHop};
use crate::scenario::node::Marker;
use crate::scenario::relation::Relation;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, hop) in draft.hops.iter().enumerate().filter(|(_, hop)| hop.hop.transport.via().is_some()) {
        no_host(hop, complaints);
        key_of_whom(draft, hop, complaints);
        one_span_for_many(hop, complaints);
        batch_in_a_batch(draft, HopIx(index), complaints);
        if let Transport::RabbitMq(rabbit) = &hop.hop.transport {
            direct_reply(draft, hop, rabbit, complaints);
            exchange_keys(hop, rabbit, complaints);
        }
    }
    for (index, node) in draft.nodes.iter().enumerate() {
        let marker = node.node.marker.as_ref();
        if let (Some(Marker::Path | Marker::Query(_)), Some(tree)) = (marker, node.tree) {
            let place = tree.value_place("marker");
            marker_without_requests(draft, NodeIx(index), place, complaints);
        }
    }
}

fn no_host(hop: &HopDraft<'_>, complaints: &mut Complaints) {
    let Some(host) = hop.tree.entry("host") else { return };
    let word = hop.hop.transport.word();
    let message = format!("`host` needs HTTP or gRPC, and this hop goes over {word}");
    complaints.report(Diagnostic::new("stray-key", host.key.place, message).help("remove it"));
}

/// Reports a key at a service: only the driver and relays send with the key of the scenario.
fn key_of_whom(
    draft: &Draft<'_>,
    HopDraft { hop, transport, .. }: &HopDraft<'_>,
    complaints: &mut Complaints,
) {
    let sender = &draft.nodes[hop.from.0];
    let planned = sender.node.kind.sends_by_plan();
    let (Some(key), true, false) = (transport.entry("key"), sender.known, planned) else { return };
    let message = format!(
        "`key` has no effect: `{}` is not `client` or a relay, and chooses its keys itself",
        sender.node.name
    );
    complaints.report(Diagnostic::new("stray-key", key.key.place, message).help("remove it"));
}

/// Reports an end of a hop of direct answers that cannot be one: only a service of the user's consumes and answers so.
fn direct_reply(
    draft: &Draft<'_>,
    HopDraft { hop, tree, transport }: &HopDraft<'_>,
    rabbit: &RabbitMqHop,
    complaints: &mut Complaints,
) {
    if !rabbit.is_direct_reply() {
        return;
    }
    for key in ["exchange", "delay"] {
        if let Some(stray) = transport.entry(key) {
            let message = format!("`{key}` has no effect on answers: they go to `{}` directly", rabbit.queue);
            complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help("remove it"));
        }
    }
    let ends = [hop.from, hop.to].map(|end| &draft.nodes[end.0]);
    let planned = ends.iter().find(|end| end.known && !end.node.kind.is_users_service());
    if let Some(end) = planned {
        let message = format!("`{}` cannot answer, or be answered, over `{}`", end.node.name, rabbit.queue);
        let help = "use a queue of its own for the answers, or a `command` or `image` node";
        let diagnostic = Diagnostic::new("direct-reply", transport.value_place("queue"), message);
        complaints.report(diagnostic.also(tree.place, "this hop").help(help));
    }
}

fn exchange_keys(
    HopDraft { transport, .. }: &HopDraft<'_>,
    rabbit: &RabbitMqHop,
    complaints: &mut Complaints,
) {
    let Some(exchange) = &rabbit.exchange else {
        for stray in ["exchange-type", "routing-key"].iter().filter_map(|key| transport.entry(key)) {
            let message = format!("`{}` needs `exchange`", stray.key.value);
            let help = "remove it, or add `exchange`: the default exchange routes a message to the queue of its routing key";
            complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        return;
    };
    let pattern = rabbit.routing_key.split('.').any(|word| ["*", "#"].contains(&word));
    if exchange.kind == ExchangeKind::Topic && pattern {
        let message = format!(
            "messages are published with the routing key `{}`, and it is a pattern",
            rabbit.routing_key
        );
        let help = "write the key of the messages, without `*` and `#`; the queue is bound by it";
        let place = transport.value_place("routing-key");
        complaints.report(Diagnostic::new("bad-text", place, message).help(help));
    }
}

/// Reports `child` in batches: a span has one parent, so several messages can only be linked.
fn one_span_for_many(HopDraft { hop, transport, .. }: &HopDraft<'_>, complaints: &mut Complaints) {
    let (Some(batch), Relation::Child) = (transport.entry("batch"), hop.relation) else { return };
    if complaints.misfit(hop.relation_place) {
        return;
    }
    let message = "a batch has one span, which cannot be the child of several messages";
    let diagnostic =
        Diagnostic::new("contradiction", hop.relation_place, message).label("`child` in batches");
    complaints.report(diagnostic.also(batch.key.place, "batches").help("use `relation: link`"));
}

/// Reports a batch in a batch: a relay puts the numbers of the outer batch in, and nothing is left for the inner one.
fn batch_in_a_batch(draft: &Draft<'_>, ix: HopIx, complaints: &mut Complaints) {
    if !sends_batches(draft, draft.hop(ix)) {
        return;
    }
    let mut seen = vec![ix];
    let mut at = draft.hop(ix).within;
    while let Some(outer) = at.filter(|outer| !seen.contains(outer)) {
        if sends_batches(draft, draft.hop(outer)) {
            let (inner, outer) = (draft.hop(ix), draft.hop(outer));
            let message = format!(
                "`{}` is sent in batches inside the batches of `{}`, and a relay numbers the messages of one batch only",
                inner.id, outer.id
            );
            let diagnostic =
                Diagnostic::new("batch-in-batch", inner.place, message).label("batch in a batch");
            let help = "remove `batch` or `times` at one of them";
            complaints.report(diagnostic.also(outer.place, "outer batch").help(help));
            return;
        }
        seen.push(outer);
        at = draft.hop(outer).within;
    }
}

fn sends_batches(draft: &Draft<'_>, hop: &Hop) -> bool {
    let retried = hop.steps.iter().any(|step| matches!(step, Step::Retry(_)));
    let several = hop.times.min > 1 && hop.transport.batch().is_some_and(|most| most > 1);
    several && !retried && draft.is_relay(hop.from)
}

/// Reports a marker in a path or a query at a node without requests: messages have neither.
fn marker_without_requests(
    draft: &Draft<'_>,
    ix: NodeIx,
    place: crate::source::Place,
    complaints: &mut Complaints,
) {
    let mut hops =
        draft.hops.iter().map(|hop| &hop.hop).filter(|hop| [hop.from, hop.to].contains(&ix)).peekable();
    if draft.incomplete || hops.peek().is_none() || hops.any(|hop| hop.transport.via().is_none()) {
        return;
    }
    let message =
        format!("this marker needs requests, and `{}` sends and reads only messages", draft.node(ix).name);
    let help = "use `marker: { header: NAME }` or `marker: { body: MEMBER }`";
    complaints.report(Diagnostic::new("marker-of-transport", place, message).help(help));
}
