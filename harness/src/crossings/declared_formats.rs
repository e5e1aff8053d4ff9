//! The formats in which a capture is read: those of the hops that its tap sees.
//!
//! Hops that nothing in a capture tells apart declare the same formats (`scenario::check::formats`).

use crate::evidence::{Capture, MessageDirection};
use crate::plan::Plan;
use crate::scenario::Hop;
use crate::wire::Format;

/// The hops of each tap, by `TapIx`.
#[derive(Debug)]
pub struct DeclaredFormats<'p> {
    /// Hops whose requests or published messages the tap sees.
    sent: Vec<Vec<&'p Hop>>,
    /// Hops whose delivered messages it sees: a node may take one format and send another over one connection.
    delivered: Vec<Vec<&'p Hop>>,
}

impl<'p> DeclaredFormats<'p> {
    pub fn of(plan: &'p Plan) -> Self {
        let (mut sent, mut delivered) =
            (vec![Vec::new(); plan.taps.len()], vec![Vec::new(); plan.taps.len()]);
        for (ix, hop) in plan.scenario.hops.iter().enumerate() {
            if let Some(tap) = plan.hop_taps[ix] {
                sent[tap.0].push(hop);
            }
            if let Some(tap) = plan.arrival_taps[ix] {
                delivered[tap.0].push(hop);
            }
        }
        Self { sent, delivered }
    }

    /// Returns the formats of the hop that a capture may be of, the first if several may be.
    pub fn of_capture(&self, capture: &Capture) -> &'p [Format] {
        let direction = capture.message.as_ref().map(|message| message.direction);
        let hops = match direction {
            None | Some(MessageDirection::Published) => &self.sent[capture.tap.0],
            Some(MessageDirection::Delivered) => &self.delivered[capture.tap.0],
        };
        let Some(first) = hops.first() else { return &[] };
        let Some(message) = &capture.message else { return &first.formats };
        let same = hops.iter().find(|hop| hop.transport.source() == Some(message.destination.as_str()));
        &same.unwrap_or(first).formats
    }
}
