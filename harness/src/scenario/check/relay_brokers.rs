//! Checks that a relay uses at most one broker of each kind: the relay contract has one address for each kind
//! (`fixtures/CONTRACT.md`, section 3).
//!
//! A service of the user's gets addresses by templates, of as many brokers as it needs.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::{Broker, BrokerKind};

/// A relay's way to a broker.
struct BrokerUse<'a> {
    relay: NodeIx,
    via: NodeIx,
    broker: &'a Broker,
    hop: &'a HopDraft<'a>,
}

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    let mut ways: Vec<BrokerUse<'_>> = Vec::new();
    for way in draft.hops.iter().flat_map(|hop| ways_of(draft, hop)) {
        let mut known = ways.iter();
        match known.find(|first| first.relay == way.relay && first.broker.kind == way.broker.kind) {
            // Each further broker is reported once, however many hops go through it.
            Some(first) if !way.is_reached_with(first) && !ways.iter().any(|known| known.is(&way)) => {
                complaints.report(second(draft, first, &way));
                ways.push(way);
            }
            Some(_) => {}
            None => ways.push(way),
        }
    }
}

/// Returns the way to the broker of each relay that sends or reads over the hop.
fn ways_of<'a>(draft: &'a Draft<'_>, hop: &'a HopDraft<'a>) -> impl Iterator<Item = BrokerUse<'a>> {
    let described = hop.hop.transport.via().and_then(|via| Some((via, draft.node(via).kind.as_broker()?)));
    // What a broker moves is sent by nobody.
    let from = hop.hop.dead_letter_of.is_none().then_some(hop.hop.from);
    let relays = from.into_iter().chain([hop.hop.to]).filter(|node| draft.is_relay(*node));
    relays.filter_map(move |relay| {
        let (via, broker) = described?;
        Some(BrokerUse { relay, via, broker, hop })
    })
}

impl BrokerUse<'_> {
    fn is(&self, other: &BrokerUse<'_>) -> bool {
        (self.relay, self.via) == (other.relay, other.via)
    }

    /// Returns whether a relay that knows the first broker uses this one: the same, or another name of it. Before
    /// RabbitMQ and SQS each name has a tap of its own, which would see nothing.
    fn is_reached_with(&self, first: &BrokerUse<'_>) -> bool {
        let named_twice = self.broker.address.is_some() && self.broker.address == first.broker.address;
        self.via == first.via || (named_twice && self.broker.kind == BrokerKind::Kafka)
    }
}

fn second(draft: &Draft<'_>, first: &BrokerUse<'_>, way: &BrokerUse<'_>) -> Diagnostic {
    let (relay, kind) = (&draft.node(way.relay).name, way.broker.kind.word());
    let (one, two) = (&draft.node(first.via).name, &draft.node(way.via).name);
    let message =
        format!("the relay `{relay}` can use one {kind} broker, and its hops use `{one}` and `{two}`");
    let help = format!(
        "use one of the two, let another relay use `{two}`, or replace `{relay}` with a `command` or `image`"
    );
    Diagnostic::new("brokers-of-relay", way.hop.transport.value_place("via"), message)
        .label("second")
        .also(first.hop.transport.value_place("via"), "first")
        .help(help)
}
