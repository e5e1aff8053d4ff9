//! Crossings that no hop declares; they count only where a scenario asks for `hops.only-declared`.

use super::{Break, BreakKind, Breaks, Side, Value};
use crate::crossings::Crossings;

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    for capture in &all.undeclared {
        let tap = all.capture(*capture).tap;
        let Some(hop) = all.plan.hops_of(tap).next() else { continue };
        let undeclared = Break::new(BreakKind::Undeclared, Side::Sender, hop, all.plan.tap(tap).from);
        let undeclared = undeclared.values(Value::Implied, Value::Request(*capture));
        found.list.push(Break { capture: Some(*capture), ..undeclared });
    }
}
