//! Messages: the hops that a published message goes over, and the hops that a delivered one was read over.
//!
//! Which delivery belongs to which publish is decided in `deliveries`.

use crate::evidence::{Capture, CaptureEnd, Message, MessageDirection, Settlement};
use crate::plan::Plan;
use crate::scenario::{ExchangeKind, Hop, HopIx, RabbitMqHop, Transport};

/// Returns whether a published message goes over this hop, whichever node sent it.
pub fn is_published_to(plan: &Plan, hop: HopIx, capture: &Capture) -> bool {
    let message = capture.message.as_ref();
    message.is_some_and(|message| goes_over(plan, hop, plan.scenario.hop(hop), capture, message))
}

/// Returns whether a published message arrives where the hop's receiver reads.
pub fn goes_over(plan: &Plan, ix: HopIx, hop: &Hop, capture: &Capture, message: &Message) -> bool {
    if hop.transport.via() != Some(plan.tap(capture.tap).to) {
        return false;
    }
    match &hop.transport {
        Transport::Kafka(kafka) => kafka.topic == message.destination,
        Transport::Sqs(sqs) => sqs.queue == message.destination,
        Transport::RabbitMq(rabbit) => {
            let key = message.routing_key.as_deref().unwrap_or_default();
            plan.arrival_taps[ix.0].is_some() && routed(rabbit, &message.destination, key)
        }
        Transport::Http(_) | Transport::Grpc(_) => false,
    }
}

fn routed(hop: &RabbitMqHop, exchange: &str, key: &str) -> bool {
    if exchange.is_empty() {
        return key == hop.queue || (hop.delay.is_some() && key == hop.delay_queue());
    }
    hop.exchange.as_ref().is_some_and(|own| {
        own.name == exchange
            && match own.kind {
                ExchangeKind::Fanout => true,
                ExchangeKind::Direct => key == hop.routing_key,
                ExchangeKind::Topic => topic_matches(&hop.routing_key, key),
            }
    })
}

/// Matches a routing key: `*` is one word, `#` any number of them (RabbitMQ, topic exchanges).
fn topic_matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern.split_first(), key.split_first()) {
            (None, None) => true,
            (Some((&"#", rest)), _) => {
                words(rest, key) || key.split_first().is_some_and(|(_, key)| words(pattern, key))
            }
            (Some((&"*", rest)), Some((_, key))) => words(rest, key),
            (Some((word, rest)), Some((own, key))) => word == own && words(rest, key),
            _ => false,
        }
    }
    words(&pattern.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
}

pub fn is(capture: &Capture, direction: MessageDirection) -> bool {
    capture.message.as_ref().is_some_and(|message| message.direction == direction)
}

/// Returns the hops whose receiver read this.
pub fn read_over(plan: &Plan, capture: &Capture) -> Vec<HopIx> {
    let Some(message) = &capture.message else { return Vec::new() };
    let mut read = Vec::new();
    for (ix, hop) in plan.scenario.hops.iter().enumerate() {
        let group = match (hop.transport.group(), message.reader.as_deref()) {
            (Some(group), Some(reader)) => group == reader,
            (None, _) | (_, None) => true,
        };
        let source = hop.transport.source() == Some(message.destination.as_str());
        if plan.arrival_taps[ix] == Some(capture.tap) && group && source {
            read.push(HopIx(ix));
        }
    }
    read
}

/// Returns whether the broker refused a published message.
pub fn was_refused(capture: &Capture) -> bool {
    is(capture, MessageDirection::Published)
        && matches!(capture.end, CaptureEnd::Settled(Settlement::Refused) | CaptureEnd::Broken(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_pattern_matches_words() {
        for (pattern, key, fits) in [
            ("order.*", "order.new", true),
            ("order.*", "order.new.eu", false),
            ("order.#", "order.new.eu", true),
            ("#", "", true),
            ("*.eu", "order.eu", true),
            ("order", "orders", false),
        ] {
            assert_eq!(topic_matches(pattern, key), fits, "{pattern} {key}");
        }
    }
}
