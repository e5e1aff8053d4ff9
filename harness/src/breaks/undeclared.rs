//! Crossings that no hop declares; they count only where a scenario asks for `hops.only-declared`.

use super::fault::Break;
use super::{Breaks, Class, Side, name};
use crate::crossings::Crossings;

pub fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    for capture in &all.undeclared {
        let capture = &all.evidence.captures[capture.0];
        let tap = all.plan.tap(capture.tap);
        let Some(hop) = all.plan.hops_of(capture.tap).next() else { continue };
        let call = format!("{} {}", capture.method, capture.path);
        let message =
            format!("{} made a call to {} that no hop declares", name(all, tap.from), name(all, tap.to));
        let told = Break::new(Class::Undeclared, Side::Sender, hop, tap.from);
        found.list.push(told.told(message, "only declared crossings".into(), call));
    }
}
