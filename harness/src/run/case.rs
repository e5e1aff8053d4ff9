//! One case through all stages: evidence gathered, then judged.

use std::error::Error;
use std::sync::Arc;

use super::gather::{GatherError, Gathered, gather};
use super::judge::{JudgeSettings, judge};
use crate::breaks::Class;
use crate::evidence::{Evidence, Exchange};
use crate::plan::Plan;
use crate::rules::Finding;
use crate::runtime::RuntimeOptions;
use crate::verdict::{CaseEnd, CaseVerdict, Trouble};

/// What whoever runs a case settles beyond the scenario itself.
#[derive(Clone, Debug, Default)]
pub struct CaseOptions {
    pub runtime: RuntimeOptions,
    pub judge: JudgeSettings,
}

/// How a case ended, and what was seen if it could be run.
#[derive(Debug)]
pub struct CaseRun {
    pub end: CaseEnd,
    pub evidence: Option<Evidence>,
    /// Of each node that has output: its name and its last lines.
    pub logs: Vec<(String, Vec<String>)>,
}

pub async fn case(plan: Arc<Plan>, options: &CaseOptions) -> CaseRun {
    let Gathered { evidence, logs } = gather(plan.clone(), &options.runtime).await;
    match evidence {
        Ok(evidence) => {
            let mut verdict = judge(&plan, &evidence, &options.judge);
            verdict.outputs = outputs(&plan, &evidence, &verdict, &logs);
            CaseRun { end: CaseEnd::Judged(Box::new(verdict)), evidence: Some(evidence), logs }
        }
        Err(error) => CaseRun { end: CaseEnd::CouldNotRun(trouble(&plan, &error)), evidence: None, logs },
    }
}

/// What a reader of the verdict looks at next: the output of nodes that did not call on, or answered what was not due.
fn outputs(
    plan: &Plan,
    evidence: &Evidence,
    verdict: &CaseVerdict,
    logs: &[(String, Vec<String>)],
) -> Vec<(String, Vec<String>)> {
    let silent = |node: &str| {
        let of_node = |finding: &&Finding| finding.node.as_deref() == Some(node) && finding.known.is_none();
        verdict.findings.iter().filter(of_node).any(|finding| finding.class == Class::NotCrossed)
    };
    let refused = |node: &str| {
        let mut exchanges = evidence.exchanges.iter().filter(|exchange| !exchange.answer.is_success());
        let asked = |exchange: &Exchange| {
            let drive = &plan.scenario.drives[plan.stimulus(exchange.stimulus).drive];
            plan.scenario.node(plan.scenario.hop(drive.send).to).name == node
        };
        !verdict.gaps.is_empty() && exchanges.any(asked)
    };
    let is_service = |node: &str| {
        let found = plan.scenario.nodes.iter().find(|known| known.name == node);
        found.is_some_and(|known| known.kind.is_users_service())
    };
    let wanted = |node: &str| is_service(node) && (silent(node) || refused(node));
    logs.iter().filter(|(node, lines)| !lines.is_empty() && wanted(node)).cloned().collect()
}

fn trouble(plan: &Plan, error: &GatherError) -> Trouble {
    let mut caused_by = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        caused_by.push(error.to_string());
        cause = error.source();
    }
    Trouble {
        scenario: plan.scenario.name.clone(),
        case: plan.scenario.case.clone(),
        message: error.to_string(),
        caused_by,
        lines: error.lines().to_vec(),
    }
}
