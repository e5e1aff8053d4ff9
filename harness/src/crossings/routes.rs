//! The hops that a capture goes over, each with the node that sent it. Only a message goes over several.

use super::Crossings;
use super::messages::goes_over;
use super::sent_by::SentBy;
use crate::evidence::{Capture, CaptureIx, Message, MessageDirection, mark_of};
use crate::plan::{Plan, StimulusIx, TapProtocol, fan_out};
use crate::scenario::{Hop, HopIx, NodeIx, NodeKind, Transport};

/// A hop, and the node that sent something over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub hop: HopIx,
    pub sender: NodeIx,
}

/// A capture with its routes; without any where it fits no hop, or is a delivery.
#[derive(Clone, Debug)]
pub(super) struct RoutedCapture {
    pub capture: CaptureIx,
    pub routes: Vec<Route>,
}

impl RoutedCapture {
    pub fn of(all: &Crossings<'_>, sent_by: &SentBy<'_>, ix: CaptureIx) -> RoutedCapture {
        let capture = all.capture(ix);
        let routes = match &capture.message {
            None => {
                let hop = call_hop(all.plan, capture);
                hop.map(|hop| Route { hop, sender: all.plan.scenario.hop(hop).from }).into_iter().collect()
            }
            Some(message) => match message.direction {
                MessageDirection::Delivered => Vec::new(),
                MessageDirection::Published => message_routes(all, sent_by, ix, message),
            },
        };
        RoutedCapture { capture: ix, routes }
    }

    pub fn first_hop(&self) -> Option<HopIx> {
        self.routes.first().map(|route| route.hop)
    }

    /// Chooses, of calls that differ only in their cause, the one that the stimulus causes in the end. Messages are
    /// narrowed by their sender.
    pub fn narrow(&mut self, plan: &Plan, capture: &Capture, stimulus: StimulusIx) {
        let driven = fan_out(&plan.scenario, plan.stimulus(stimulus).hop);
        let [route] = self.routes.as_mut_slice() else { return };
        if capture.message.is_some() || driven.contains(&plan.scenario.first_cause(route.hop)) {
            return;
        }
        for other in plan.hops_of(capture.tap).filter(|hop| fits(plan, *hop, capture)) {
            if driven.contains(&plan.scenario.first_cause(other)) {
                route.hop = other;
                return;
            }
        }
    }
}

/// Returns the hops that a published message goes over.
fn message_routes(all: &Crossings<'_>, sent_by: &SentBy<'_>, ix: CaptureIx, message: &Message) -> Vec<Route> {
    let (plan, capture) = (all.plan, all.capture(ix));
    let kafka = plan.tap(capture.tap).protocol == TapProtocol::Kafka;
    let (mut own, mut again, mut by_hand) = (Vec::new(), Vec::new(), Vec::new());
    for (at, hop) in plan.scenario.hops.iter().enumerate() {
        let at = HopIx(at);
        if !goes_over(plan, at, hop, capture, message) {
            continue;
        }
        if plan.hop_taps[at.0] == Some(capture.tap) {
            let sent = if hop.dead_letter_of.is_some() { &mut by_hand } else { &mut own };
            sent.push(Route { hop: at, sender: hop.from });
        }
        if plan.arrival_taps[at.0] == Some(capture.tap) && is_by_reader(all, sent_by, ix, hop) {
            again.push(Route { hop: at, sender: hop.to });
        }
    }
    if own.is_empty() && again.is_empty() && by_hand.is_empty() {
        again.extend(through_own_queue(all, sent_by, ix));
    }
    if !own.is_empty() && (!kafka || again.is_empty()) {
        narrowed(all, sent_by, ix, own)
    } else if !again.is_empty() {
        again
    } else {
        by_hand
    }
}

/// Returns the hop over which a message comes back to the node that sent it, through a queue of its own that no hop
/// declares: there it waits, and the broker moves it on.
fn through_own_queue(all: &Crossings<'_>, sent_by: &SentBy<'_>, ix: CaptureIx) -> Option<Route> {
    let (plan, capture) = (all.plan, all.capture(ix));
    let tap = plan.tap(capture.tap);
    if tap.protocol != TapProtocol::Amqp {
        return None;
    }
    let hops = plan.scenario.hops.iter().enumerate();
    let mut read = hops.filter(|(at, hop)| hop.to == tap.from && plan.arrival_taps[*at] == Some(capture.tap));
    let (at, hop) = read.find(|(_, hop)| sent_by.comes_back(ix, hop.transport.source()))?;
    Some(Route { hop: HopIx(at), sender: hop.to })
}

/// Returns whether the node that reads a hop sent this message: again to the same queue, or by hand to where the broker
/// would have moved it.
fn is_by_reader(all: &Crossings<'_>, sent_by: &SentBy<'_>, ix: CaptureIx, hop: &Hop) -> bool {
    let tap = all.plan.tap(all.capture(ix).tap);
    if tap.protocol != TapProtocol::Kafka {
        return hop.to == tap.from;
    }
    // One tap for all clients of the broker: the span that the record names shows its sender.
    let by_span = sent_by.names_span(hop.to, ix) && !sent_by.names_span(hop.from, ix);
    hop.to != hop.from && (by_span || (sends(all.plan, hop.to) && sent_by.sent_again(hop.from, ix)))
}

/// Returns whether a node sends anything by itself: a stub only answers.
fn sends(plan: &Plan, node: NodeIx) -> bool {
    !matches!(plan.scenario.node(node).kind, NodeKind::Stub(_))
}

/// Returns, of hops that look alike, those that share what the mark's call sends; else those whose sender's span is
/// named.
fn narrowed(all: &Crossings<'_>, sent_by: &SentBy<'_>, ix: CaptureIx, found: Vec<Route>) -> Vec<Route> {
    let named = marked_hop(all.plan, all.capture(ix)).filter(|hop| found.iter().any(|one| one.hop == *hop));
    let hop = named.or_else(|| {
        let by_span = found.iter().find(|route| sent_by.names_span(route.sender, ix));
        by_span.or(found.first()).map(|route| route.hop)
    });
    let Some(meant) = hop.map(|hop| all.plan.scenario.hop(hop)) else { return Vec::new() };
    let mut alike = found;
    alike.retain(|route| {
        let hop = all.plan.scenario.hop(route.hop);
        (hop.from, hop.within) == (meant.from, meant.within)
    });
    alike
}

/// Returns the hop of the call that a mark of this run names.
pub(super) fn marked_hop(plan: &Plan, capture: &Capture) -> Option<HopIx> {
    let mark = mark_of(&capture.marked).filter(|mark| mark.run == plan.run)?;
    plan.calls.get(mark.call?.0).map(|call| call.hop)
}

/// Returns the hops over which a stimulus may have made this call; none for a message.
pub(super) fn alike_hops(plan: &Plan, capture: &Capture, stimulus: StimulusIx) -> Vec<HopIx> {
    let fitting = plan.hops_of(capture.tap).filter(|hop| fits(plan, *hop, capture));
    let mut alike: Vec<HopIx> = fitting.collect();
    if alike.len() > 1 {
        let driven = fan_out(&plan.scenario, plan.stimulus(stimulus).hop);
        alike.retain(|hop| driven.contains(&plan.scenario.first_cause(*hop)));
    }
    alike
}

/// Returns the hop whose method and path fit; where several do, the one whose call the mark names.
fn call_hop(plan: &Plan, capture: &Capture) -> Option<HopIx> {
    let fitting: Vec<HopIx> = plan.hops_of(capture.tap).filter(|hop| fits(plan, *hop, capture)).collect();
    let named = marked_hop(plan, capture).filter(|hop| fitting.contains(hop));
    named.or_else(|| fitting.first().copied())
}

fn fits(plan: &Plan, hop: HopIx, capture: &Capture) -> bool {
    let hop = plan.scenario.hop(hop);
    match &hop.transport {
        Transport::Http(http) => {
            let method =
                http.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&capture.method));
            method && http.path.as_ref().is_none_or(|path| path.matches(&capture.path))
        }
        // Messages are attributed by their destination.
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => false,
        // A relay calls `unbroken.relay.v1.Relay` whatever the method is called.
        Transport::Grpc(grpc) => {
            let by_relay = plan.scenario.node(hop.from).kind.keeps_relay_contract();
            by_relay
                || grpc.method.as_ref().is_none_or(|method| capture.path.trim_start_matches('/') == method)
        }
    }
}
