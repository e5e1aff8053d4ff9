//! One case through all stages: evidence gathered, then judged.

use std::error::Error;
use std::sync::Arc;

use super::gather::{GatherError, Gathered, gather};
use super::judge::{JudgeSettings, judge};
use crate::evidence::Evidence;
use crate::plan::Plan;
use crate::runtime::RuntimeOptions;
use crate::verdict::{CaseEnd, Trouble};

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
            let verdict = judge(&plan, &evidence, &options.judge);
            CaseRun { end: CaseEnd::Judged(Box::new(verdict)), evidence: Some(evidence), logs }
        }
        Err(error) => CaseRun { end: CaseEnd::CouldNotRun(trouble(&plan, &error)), evidence: None, logs },
    }
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
