//! Fills the templates that are settled before anything listens: addresses of brokers and names of images.

use super::error::RuntimeError;
use crate::masking;
use crate::plan::Plan;
use crate::scenario::{NodeIx, SecretName, Template, TemplatePart};

/// Returns the text of a template that may use the environment and the scenario's folder only.
pub(super) fn setting(template: &Template, node: NodeIx, plan: &Plan) -> Result<String, RuntimeError> {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            TemplatePart::Text(part) => text.push_str(part),
            TemplatePart::Env(name) => text.push_str(&environment_variable(name, node, plan)?),
            TemplatePart::Secret(secret) => text.push_str(&secret_value(secret, node, plan)?),
            TemplatePart::ScenarioDir => text.push_str(&plan.folder.display().to_string()),
            // The scenario's check refuses them here.
            TemplatePart::Url(_)
            | TemplatePart::Grpc(_)
            | TemplatePart::Broker(..)
            | TemplatePart::Export(..)
            | TemplatePart::OtlpEndpoint
            | TemplatePart::OtlpAddress(_)
            | TemplatePart::Neighbour(..)
            | TemplatePart::GrpcNeighbour(..)
            | TemplatePart::SelfPort
            | TemplatePart::NamedPort(_)
            | TemplatePart::SelfDir
            | TemplatePart::Mark => {}
        }
    }
    Ok(text)
}

/// Returns the value of `${env.NAME}`, read from the harness's own environment.
pub(super) fn environment_variable(name: &str, node: NodeIx, plan: &Plan) -> Result<String, RuntimeError> {
    let node = plan.scenario.node(node).name.clone();
    std::env::var(name).map_err(|_| RuntimeError::EnvMissing { node, name: name.to_owned() })
}

/// Returns the value of `${secret.NAME}`, which no output shows from now on.
pub(super) fn secret_value(secret: &SecretName, node: NodeIx, plan: &Plan) -> Result<String, RuntimeError> {
    let node = plan.scenario.node(node).name.clone();
    masking::read(&secret.name, plan.scenario.position(secret.place).as_deref())
        .map_err(|error| RuntimeError::Secret { node, error })
}
