//! The process of a target during a group of vectors; it is started again after it ends.

use super::telemetry;
use crate::conform::suite::Configuration;
use crate::conform::target::{Instance, InstanceError, Target, Upstream};

/// The most starts of a target that ends again and again.
const MOST_STARTS: usize = 32;

/// The way to start the target again.
#[derive(Clone)]
pub(super) struct InstanceStart<'a> {
    pub target: &'a Target,
    pub configuration: &'a Configuration,
    /// Variables besides those of the configuration.
    pub variables: Vec<(String, String)>,
    /// The service behind the target, if it is a forwarder.
    pub upstream: Option<Upstream>,
}

/// The reason why the target is not started again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestartError {
    #[error("the target ended {MOST_STARTS} times and is not started again")]
    TooOften,
    #[error(transparent)]
    Start(#[from] InstanceError),
}

/// The target's process; it is started again after it ends.
pub(super) struct TargetProcess<'a> {
    start: &'a InstanceStart<'a>,
    instance: Option<Instance>,
    starts: usize,
}

impl<'a> TargetProcess<'a> {
    pub fn new(instance: Instance, start: &'a InstanceStart<'a>) -> TargetProcess<'a> {
        TargetProcess { start, instance: Some(instance), starts: 1 }
    }

    /// Returns the instance as it was left, without a new start.
    pub fn running(&self) -> Option<&Instance> {
        self.instance.as_ref()
    }

    /// Returns the instance; starts another one where it has ended.
    pub async fn instance(&mut self) -> Result<&Instance, RestartError> {
        let alive = self.instance.take().filter(|instance| !instance.has_ended());
        let instance = match alive {
            Some(instance) => instance,
            None if self.starts >= MOST_STARTS => return Err(RestartError::TooOften),
            None => {
                self.starts += 1;
                let InstanceStart { target, configuration, variables, upstream } = self.start;
                Instance::start(target, configuration, variables, upstream.as_ref()).await?
            }
        };
        Ok(self.instance.insert(instance))
    }

    /// Exports what the target still has, and stops it. Returns the reason why spans may be missing.
    pub async fn end(&mut self) -> Option<String> {
        let mut gap = (self.starts > 1)
            .then(|| "the target ended during the run, and its spans may be lost".to_owned());
        if let Some(instance) = self.instance.take() {
            gap = gap.or(telemetry::flush(&instance).await);
            instance.stop().await;
        }
        gap
    }
}
