//! The result of a vector: tried with a verdict, or not tried.

use super::request;
use super::trial::Trial;
use crate::conform::judge::{End, TargetAnswer, VectorExchange, VectorJudgement};
use crate::conform::results::{ConformanceVerdict, VectorResult};

pub(super) fn untried(trial: Trial<'_>, verdict: ConformanceVerdict, why: &str) -> VectorResult {
    VectorResult {
        name: trial.vector.name.clone(),
        transport: trial.route.words(),
        verdict,
        outcome: None,
        mismatch: None,
        known: None,
        reason: Some(why.to_owned()),
        notes: Vec::new(),
        output: Vec::new(),
        sent: Vec::new(),
        received: Vec::new(),
        curl: String::new(),
    }
}

/// Returns the exchange that the verdict is about: the first that failed by itself, otherwise the first.
pub(super) fn shown(exchanges: &[VectorExchange]) -> Option<&VectorExchange> {
    let failed = exchanges.iter().find(|one| match one.answer {
        TargetAnswer::Status(status) => status >= 400,
        TargetAnswer::Delivered => false,
        TargetAnswer::None(_)
        | TargetAnswer::BrokenOff(_)
        | TargetAnswer::Ended(..)
        | TargetAnswer::NotSent(_) => true,
    });
    failed.or(exchanges.first())
}

pub(super) fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn result(
    trial: Trial<'_>,
    judged: VectorJudgement,
    shown: Option<&VectorExchange>,
) -> VectorResult {
    let strength = trial.wanted.requirement.strength;
    let calls = shown.map(|exchange| exchange.calls.iter()).into_iter().flatten();
    let mut result = VectorResult {
        sent: shown.map(|exchange| exchange.sent.clone()).unwrap_or_default(),
        received: calls.map(|call| request::of_propagation(&call.fields)).collect(),
        notes: judged.notes,
        output: shown.map(|exchange| exchange.output.clone()).unwrap_or_default(),
        reason: None,
        ..untried(trial, ConformanceVerdict::Pass, "")
    };
    match judged.end {
        End::Fits(outcome) => result.outcome = Some(outcome),
        End::Misfits(mismatch) => {
            result.verdict = ConformanceVerdict::of_misfit(strength);
            result.mismatch = Some(mismatch);
        }
        End::Inconclusive(why) => {
            result.verdict = ConformanceVerdict::Inconclusive;
            result.reason = Some(why);
        }
        End::Unsupported(why) => {
            result.verdict = ConformanceVerdict::Unsupported;
            result.reason = Some(why);
        }
    }
    result
}
