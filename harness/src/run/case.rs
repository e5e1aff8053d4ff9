//! One case through all stages: evidence is gathered, then judged.

use std::sync::Arc;

use super::case_run::CaseRun;
use super::gather::{GatherError, GatheredCase, gather};
use super::judge::{JudgeSettings, judge};
use super::masked_case::masked;
use super::waiting::WaitLines;
use crate::breaks::Class;
use crate::error_chain;
use crate::evidence::{Evidence, Exchange};
use crate::plan::Plan;
use crate::runtime::RuntimeOptions;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict};

/// The settings of a case beyond its scenario.
#[derive(Clone, Debug, Default)]
pub struct CaseOptions {
    pub runtime: RuntimeOptions,
    pub judge: JudgeSettings,
}

/// Runs a case, judges it, and masks what no output may show.
pub async fn case(plan: Arc<Plan>, options: &CaseOptions) -> CaseRun {
    case_with_lines(plan, options, &WaitLines::default()).await
}

/// Runs a case as `case` does, and says what takes long.
pub(super) async fn case_with_lines(plan: Arc<Plan>, options: &CaseOptions, lines: &WaitLines) -> CaseRun {
    let GatheredCase { evidence, logs } = gather(plan.clone(), &options.runtime, lines).await;
    let run = match evidence {
        Ok(evidence) => {
            let mut verdict = judge(&plan, &evidence, &options.judge);
            verdict.outputs = outputs(&plan, &evidence, &verdict, &logs);
            CaseRun { end: CaseEnd::Judged(Box::new(verdict)), evidence: Some(evidence), logs }
        }
        Err(error) => CaseRun { end: CaseEnd::CouldNotRun(case_error(&plan, &error)), evidence: None, logs },
    };
    masked(run, &options.runtime.mask)
}

/// Returns the output of the services that did not make a call, or gave an answer that the scenario does not expect.
fn outputs(
    plan: &Plan,
    evidence: &Evidence,
    verdict: &CaseVerdict,
    logs: &[(String, Vec<String>)],
) -> Vec<(String, Vec<String>)> {
    let mut outputs = Vec::new();
    for (node, lines) in logs.iter().filter(|(_, lines)| !lines.is_empty()) {
        let wanted = made_no_call(verdict, node) || answered_wrongly(plan, evidence, verdict, node);
        if wanted && is_service(plan, node) && !is_shown(verdict, lines) {
            outputs.push((node.clone(), lines.clone()));
        }
    }
    outputs
}

/// Returns whether the lines stand with the death of the node already.
fn is_shown(verdict: &CaseVerdict, lines: &[String]) -> bool {
    verdict.gaps.iter().any(|gap| gap.lines == lines)
}

fn made_no_call(verdict: &CaseVerdict, node: &str) -> bool {
    verdict.findings.iter().any(|finding| {
        finding.node.as_deref() == Some(node) && finding.known.is_none() && finding.class == Class::NotCrossed
    })
}

fn answered_wrongly(plan: &Plan, evidence: &Evidence, verdict: &CaseVerdict, node: &str) -> bool {
    !verdict.gaps.is_empty()
        && evidence
            .exchanges
            .iter()
            .any(|exchange| !exchange.answer.is_success() && receiver(plan, exchange) == node)
}

/// Returns the name of the node that a stimulus was sent to.
fn receiver<'a>(plan: &'a Plan, exchange: &Exchange) -> &'a str {
    let drive = &plan.scenario.drives[plan.stimulus(exchange.stimulus).drive];
    &plan.scenario.node(plan.scenario.hop(drive.send).to).name
}

fn is_service(plan: &Plan, node: &str) -> bool {
    let node = plan.scenario.nodes.iter().find(|known| known.name == node);
    node.is_some_and(|node| node.kind.is_users_service())
}

fn case_error(plan: &Plan, error: &GatherError) -> CaseError {
    CaseError {
        scenario: plan.scenario.name.clone(),
        case: plan.scenario.case.clone(),
        message: error.to_string(),
        caused_by: error_chain::causes(error).map(ToString::to_string).collect(),
        lines: error.lines().to_vec(),
    }
}
