//! The words of breaks: made here and nowhere else, after grouping, for the one example of a finding that is shown.
//!
//! One file for each family of classes. A message says what happened, where and with which request, lower case and
//! without a full stop; what to do next stands in `next_steps`. Nothing is decided here: no row looks at a text.

use crate::breaks::{Break, BreakKind, Remark};
use crate::crossings::Crossings;
use crate::evidence::{Span, SpanIx};
use crate::plan::StimulusIx;
use crate::wire::SpanId;
use crate::wire::hex::encode as hex;

mod answers;
pub(super) mod collectors;
mod context;
mod hops;
mod lists;
mod preflights;
mod request;
mod sampling;
mod span_ids;
mod spans;
mod unseen;
mod values;
mod witnesses;

pub use answers::answer;
pub(super) use answers::end;
pub use request::call;
pub use unseen::unseen;
pub(super) use values::misfit;

/// One break with everything that its words are made from.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    all: &'a Crossings<'a>,
    broken: &'a Break,
    /// A note stands for many crossings: it names the kind of request and not one of them.
    is_note: bool,
}

impl<'a> Example<'a> {
    /// Returns the example of a finding.
    pub fn of(all: &'a Crossings<'a>, broken: &'a Break) -> Example<'a> {
        Example { all, broken, is_note: false }
    }

    /// Returns one of the breaks that a note counts.
    pub fn of_note(all: &'a Crossings<'a>, broken: &'a Break) -> Example<'a> {
        Example { all, broken, is_note: true }
    }

    /// Returns what happened, in one sentence.
    pub fn message(self) -> String {
        match self.broken.kind {
            BreakKind::NotCrossed(miss) => hops::not_crossed(self, miss),
            BreakKind::Undeclared => hops::undeclared(self),
            BreakKind::Refused => hops::refused(self),
            BreakKind::PreflightRefused => preflights::refused(self),
            BreakKind::TraceSplit(fate) => collectors::split(self, fate),
            BreakKind::TraceDropped => collectors::dropped(self),
            BreakKind::TraceKept => collectors::kept(self),
            BreakKind::CollectorAltered(part) => collectors::altered(self, part),
            BreakKind::Leaked(field) => context::leaked(self, field),
            BreakKind::BaggageLeaked => lists::baggage_leaked(self),
            BreakKind::NotInjected => context::not_injected(self),
            BreakKind::Malformed { field, how } => context::malformed(self, field, how),
            BreakKind::Duplicated(how) => context::duplicated(self, how),
            BreakKind::Swapped(swap) => context::swapped(self, swap),
            BreakKind::Joined(join) => context::joined(self, join),
            BreakKind::Restarted(restart) => context::restarted(self, restart),
            BreakKind::PassedThrough => context::passed_through(self),
            BreakKind::Stripped(fields) => context::stripped(self, fields),
            BreakKind::Altered(fields) => context::altered(self, fields),
            BreakKind::NotAdded => hops::not_added(self),
            BreakKind::Adopted => context::adopted(self),
            BreakKind::NotExtracted(how) => context::not_extracted(self, how),
            BreakKind::Reparented(how) => span_ids::reparented(self, how),
            BreakKind::LinkMissing(owner) => span_ids::link_missing(self, owner),
            BreakKind::LinkWrong(how) => span_ids::link_wrong(self, how),
            BreakKind::FlagChanged { flag, set } => sampling::flag_changed(self, flag, set),
            BreakKind::SampledOut(span) => sampling::sampled_out(self, span),
            BreakKind::SampledIn(span) => sampling::sampled_in(self, span),
            BreakKind::NotExported(silence) => sampling::not_exported(self, silence),
            BreakKind::TracestateLeaked => lists::tracestate_leaked(self),
            BreakKind::TracestateAltered(change) => lists::tracestate_altered(self, change),
            BreakKind::TracestateCut => lists::tracestate_cut(self),
            BreakKind::TracestateLost => lists::tracestate_lost(self),
            BreakKind::TracestateReordered(order) => lists::tracestate_reordered(self, order),
            BreakKind::BaggageLost(how) => lists::baggage_lost(self, how),
            BreakKind::BaggageAltered(change) => lists::baggage_altered(self, change),
            BreakKind::TelemetryDiffers(field) => spans::telemetry_differs(self, field),
            BreakKind::SpanIdRepeated => spans::id_repeated(self),
            BreakKind::SpanMalformed(defect) => spans::malformed(self, defect),
            BreakKind::ParentMissing => spans::parent_missing(self),
            BreakKind::KindWrong => spans::kind_wrong(self),
            BreakKind::TimeInverted => spans::time_inverted(self),
            BreakKind::ResourceMissing => spans::resource_missing(self),
            BreakKind::LogUncorrelated(defect) => spans::log_uncorrelated(self, defect),
            BreakKind::ContractBroken(defect) => spans::contract_broken(self, defect),
        }
    }

    /// Returns the field that spans report differently, for the line about an SDK.
    pub fn quirk(self) -> &'static str {
        match self.broken.kind {
            BreakKind::TelemetryDiffers(field) => spans::reported(field),
            other => other.class().word(),
        }
    }

    /// Returns what was due, in words or bytes.
    pub fn expected(self) -> String {
        values::expected(self)
    }

    /// Returns what was there instead.
    pub fn actual(self) -> String {
        values::actual(self)
    }

    /// Returns which witness would have shown more.
    pub fn missing_witness(self) -> Option<String> {
        Some(witnesses::witness(self, self.broken.missing_witness?))
    }

    pub fn remark(self, remark: Remark) -> String {
        witnesses::remark(self, remark)
    }

    /// Returns the name of the node that broke it, in backticks.
    fn who(self) -> String {
        format!("`{}`", self.all.node_name(self.broken.node))
    }

    /// Returns the name of the node at the other end of the hop, in backticks.
    fn sender(self) -> String {
        format!("`{}`", self.all.node_name(self.all.plan.scenario.hop(self.broken.hop).from))
    }

    fn receiver(self) -> String {
        format!("`{}`", self.all.node_name(self.all.plan.scenario.hop(self.broken.hop).to))
    }

    /// Returns the request or message that it speaks of, by what its wire calls it.
    fn request(self) -> String {
        request::named(self)
    }

    /// Returns the span that it speaks of.
    fn span(self) -> Option<&'a Span> {
        Some(self.all.spans.get(self.broken.span?))
    }

    fn described(self, span: SpanIx) -> String {
        described(self.all.spans.get(span))
    }

    /// Returns the name of the span that it speaks of, in backticks.
    fn span_name(self) -> String {
        self.span().map_or_else(String::new, |span| format!("`{}`", span.name))
    }

    fn stimulus(self) -> String {
        self.broken.stimulus.map_or_else(|| "its stimulus".to_owned(), stimulus)
    }
}

/// Returns the name of a stimulus in texts; counted from 1.
fn stimulus(stimulus: StimulusIx) -> String {
    format!("stimulus {}", stimulus.0 + 1)
}

/// Returns ``CLIENT span `GET` 00f067aa0ba902b7``.
fn described(span: &Span) -> String {
    let id = SpanId::from_bytes(&span.span_id)
        .map_or_else(|| "with an invalid id".to_owned(), |id| id.to_string());
    format!("{} span `{}` {id}", span.kind.word(), span.name)
}

/// Returns the same with the trace and the parent that the span has.
fn placed(span: &Span) -> String {
    let parent =
        if span.parent_id.is_empty() { "without a parent".to_owned() } else { under(&span.parent_id) };
    format!("{} in trace {}, {parent}", described(span), hex(&span.trace_id))
}

fn under(parent: &[u8]) -> String {
    format!("under {}", hex(parent))
}
