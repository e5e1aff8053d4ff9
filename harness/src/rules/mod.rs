//! The rules: classes of breaks, hygiene and budgets become findings. Pure, like crossings and breaks before it.
//!
//! Each class belongs to exactly one rule; `TABLE` is all there is, in the order of `scenario::Expectation`.

use crate::breaks::{Break, BreakKind, Class};
use crate::crossings::{ContextField, Crossings};
use crate::scenario::{Expectation, Expectations};

pub mod baggage;
mod call_kinds;
pub mod collectors;
pub mod context;
pub mod details;
pub mod finding;
pub mod fingerprint;
pub mod grouping;
pub mod hops;
mod instrumentation_advice;
pub mod isolation;
pub mod lines;
pub mod next_steps;
pub mod relay;
pub mod sampling;
pub mod spans;
pub mod tracestate;
pub mod wording;

pub use finding::{Finding, Line, Note};

/// One rule: the classes that it owns, and what it looks at.
#[derive(Debug)]
pub struct Rule {
    pub expectation: Expectation,
    pub classes: &'static [Class],
    /// The standard's sentence in our words, with its clause and link.
    pub clause: &'static str,
    /// Returns the number of crossings, spans or records that it looks at; with 0 it does not apply.
    pub looked_at: fn(&Crossings<'_>) -> u32,
}

/// All rules.
pub static TABLE: &[&Rule] = &[
    &hops::CROSSED,
    &hops::KEEP_RELATION,
    &hops::ONLY_DECLARED,
    &context::NOT_LEAKED,
    &context::NOT_ADOPTED,
    &sampling::WHOLE_PATH,
    &tracestate::KEPT,
    &baggage::KEPT,
    &isolation::ISOLATION,
    &spans::MATCH_WIRE,
    &spans::WELL_FORMED,
    &spans::CONNECTED,
    &spans::KIND,
    &spans::RESOURCE_NAMED,
    &spans::LOGS_CORRELATED,
    &collectors::KEPT,
    &collectors::UNCHANGED,
    &relay::KEEPS_CONTRACT,
];

/// Returns the rule that owns a class.
pub fn owner(class: Class) -> &'static Rule {
    TABLE
        .iter()
        .find(|rule| rule.classes.contains(&class))
        .expect("every class belongs to a rule; a test holds it")
}

/// Returns whether a scenario requests a rule. `hops.only-declared` must be requested by name: other calls are legal.
pub fn is_asked(rule: Expectation, expect: &Expectations) -> bool {
    match expect {
        Expectations::All => rule != Expectation::HopsOnlyDeclared,
        Expectations::Only(listed) => listed.iter().any(|(asked, _)| *asked == rule),
    }
}

/// Returns whether a break of this class counts: its rule is requested, or a witness failed.
pub fn counts(class: Class, expect: &Expectations) -> bool {
    class.is_of_a_witness() || is_asked(owner(class).expectation, expect)
}

/// Returns the clause of the field that a break is about, where that is a list; otherwise the clause of its rule.
fn clause(all: &Crossings<'_>, one: &Break) -> &'static str {
    let rule = owner(one.class());
    let of_rule = if rule.expectation == Expectation::HopsKeepRelation {
        hops::clause(one.class(), all.plan.scenario.hop(one.hop).relation)
    } else {
        rule.clause
    };
    if one.class() == Class::BaggageLeaked {
        return context::BAGGAGE_CLAUSE;
    }
    if one.kind == BreakKind::PreflightRefused {
        return hops::PREFLIGHT_CLAUSE;
    }
    if one.class() == Class::Refused {
        return hops::REFUSED_CLAUSE;
    }
    if one.class() == Class::NotAdded {
        return hops::NOT_ADDED_CLAUSE;
    }
    if !one.class().is_of_any_field() {
        return of_rule;
    }
    match one.caret.field() {
        Some(ContextField::TraceState) => tracestate::KEPT.clause,
        Some(ContextField::Baggage) => baggage::KEPT.clause,
        Some(ContextField::TraceParent) | None => of_rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_belongs_to_exactly_one_rule() {
        for class in Class::ALL {
            let owners = TABLE.iter().filter(|rule| rule.classes.contains(class)).count();
            assert_eq!(owners, 1, "{}", class.word());
        }
    }

    #[test]
    fn the_table_has_every_expectation_in_its_order() {
        let table: Vec<_> = TABLE.iter().map(|rule| rule.expectation).collect();
        assert_eq!(table, Expectation::ALL);
    }
}
