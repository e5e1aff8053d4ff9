//! Statements over all contexts of a vector together.

use std::collections::BTreeSet;

use super::VectorExchange;
use super::mismatch::{Mismatch, MismatchKind};
use super::outgoing::contexts_of;
use crate::conform::suite::{Across, Configuration, Setting, Vector};
use crate::wire::{Flags, Format, RemoteContext};

/// Checks the statements of a vector, about the first of these formats.
pub(super) fn check(
    vector: &Vector,
    formats: &[Format],
    exchanges: &[VectorExchange],
) -> Result<(), Mismatch> {
    let format = formats.get(..1).unwrap_or_default();
    let contexts: Vec<Vec<RemoteContext>> = exchanges
        .iter()
        .map(|exchange| exchange.calls.iter().flat_map(|call| contexts_of(format, &call.fields)).collect())
        .collect();
    for statement in &vector.across {
        let seen = match statement {
            Across::OneTraceARequest => several_traces(&contexts),
            Across::DistinctTraces => shared_traces(&contexts),
            Across::DistinctParents => repeated_parents(&contexts),
            Across::LowerCaseNames => upper_case_name(exchanges),
            Across::UniformTraceIds => skewed(&contexts),
            Across::OneDecision => decisions(contexts.iter().flatten()),
            Across::OneDecisionARequest => contexts.iter().find_map(|calls| decisions(calls.iter())),
            Across::AsciiFields => unprintable(exchanges),
            Across::SampledShare => wrong_share(&vector.configuration, &contexts),
        };
        if let Some(seen) = seen {
            return Err(MismatchKind::Across(*statement, seen).into());
        }
    }
    Ok(())
}

fn upper_case_name(exchanges: &[VectorExchange]) -> Option<String> {
    let fields = exchanges.iter().flat_map(|exchange| &exchange.calls).flat_map(|call| &call.fields);
    let mut names = fields.map(|(name, _)| name).filter(|name| is_propagation(name));
    let name = names.find(|name| name.iter().any(u8::is_ascii_uppercase))?;
    Some(format!("`{}`", String::from_utf8_lossy(name)))
}

fn unprintable(exchanges: &[VectorExchange]) -> Option<String> {
    let fields = exchanges.iter().flat_map(|exchange| &exchange.calls).flat_map(|call| &call.fields);
    let mut propagation = fields.filter(|(name, _)| is_propagation(name));
    let is_odd = |bytes: &[u8]| !bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let (name, value) = propagation.find(|(name, value)| is_odd(name) || is_odd(value))?;
    Some(format!("`{}: {}`", name.escape_ascii(), value.escape_ascii()))
}

fn is_propagation(name: &[u8]) -> bool {
    Format::of_field(name).is_some() || name.eq_ignore_ascii_case(b"baggage")
}

fn several_traces(contexts: &[Vec<RemoteContext>]) -> Option<String> {
    let ids = contexts.iter().map(|calls| calls.iter().map(|call| call.trace_id).collect::<BTreeSet<_>>());
    ids.map(|ids| ids.len()).find(|count| *count > 1).map(|count| format!("{count} trace ids"))
}

fn decisions<'a>(calls: impl Iterator<Item = &'a RemoteContext>) -> Option<String> {
    let (mut sampled, mut all) = (0, 0);
    for call in calls {
        sampled += usize::from(is_sampled(call));
        all += 1;
    }
    (sampled > 0 && sampled < all).then(|| format!("sampled in {sampled} of {all} calls"))
}

/// The share may differ from the ratio by this many standard deviations: a false alarm in a million checks.
const WIDEST_SHARE: f64 = 4.89;

fn wrong_share(configuration: &Configuration, contexts: &[Vec<RemoteContext>]) -> Option<String> {
    let ratio: f64 = configuration.get(Setting::SamplerArgument)?.parse().ok()?;
    let firsts = contexts.iter().filter_map(|calls| calls.first());
    let (sampled, all) =
        firsts.fold((0_u32, 0_u32), |(sampled, all), call| (sampled + u32::from(is_sampled(call)), all + 1));
    let (expected, count) = (ratio * f64::from(all), f64::from(all));
    let widest = WIDEST_SHARE * (count * ratio * (1.0 - ratio)).sqrt();
    let is_wrong = (f64::from(sampled) - expected).abs() > widest;
    is_wrong.then(|| format!("{sampled} of {all} requests were sampled, and the ratio is {ratio}"))
}

fn is_sampled(call: &RemoteContext) -> bool {
    call.decision.is_sampled() == Some(true)
}

fn shared_traces(contexts: &[Vec<RemoteContext>]) -> Option<String> {
    let firsts: Vec<_> =
        contexts.iter().filter_map(|calls| calls.first()).map(|call| call.trace_id).collect();
    let distinct: BTreeSet<_> = firsts.iter().collect();
    (distinct.len() < firsts.len())
        .then(|| format!("{} trace ids for {} requests", distinct.len(), firsts.len()))
}

fn repeated_parents(contexts: &[Vec<RemoteContext>]) -> Option<String> {
    let all: Vec<_> = contexts.iter().flatten().map(|call| call.span_id).collect();
    let distinct: BTreeSet<_> = all.iter().collect();
    (distinct.len() < all.len()).then(|| format!("{} parent ids for {} calls", distinct.len(), all.len()))
}

/// Fewer ids do not show how they are distributed.
const ENOUGH: usize = 4096;

/// Applies a chi-square test to the 256 values of each of the right-most seven bytes. False alarms: less than one in
/// ten million runs, over all seven bytes together.
fn skewed(contexts: &[Vec<RemoteContext>]) -> Option<String> {
    let random: Vec<_> = contexts
        .iter()
        .filter_map(|calls| calls.first())
        .filter(|call| call.flags.is_some_and(Flags::random))
        .collect();
    if random.len() < ENOUGH {
        return None;
    }
    let expected = random.len() as f64 / 256.0;
    (9..16).find_map(|at| {
        let mut counts = [0_u32; 256];
        for call in &random {
            counts[usize::from(call.trace_id.as_bytes()[at])] += 1;
        }
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        (chi > critical(255.0, 5.55)).then(|| format!("byte {at} of {} trace ids is skewed", random.len()))
    })
}

/// Returns the value that a chi-square variable with this many degrees of freedom exceeds as rarely as a normal
/// variable exceeds `z` (Wilson and Hilferty, 1931).
fn critical(degrees: f64, z: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    degrees * (1.0 - spread + z * spread.sqrt()).powi(3)
}
