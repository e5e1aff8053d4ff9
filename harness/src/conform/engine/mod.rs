//! Runs the selected requirements against a target: one process for each configuration, its vectors in parallel, a
//! verdict for each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::judge::{self, End, MismatchKind, TargetAnswer, VectorExchange, VectorJudgement};
use super::listener::CallbackListener;
use super::results::{ConformanceVerdict, Implementation, RequirementResult, Results, VectorResult};
use super::selection::SelectedRequirement;
use super::suite::{Configuration, Vector};
use super::target::{Instance, InstanceError, Target};
use crate::error_chain;
use crate::plan::Seed;
use crate::plan::seed::Ids;
use crate::scenario::Role;

mod request;
mod sender;

use sender::RequestSender;

/// The settings of a run that do not depend on the target.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of requests in progress at the same time, at least one.
    pub jobs: usize,
    pub seed: u64,
    /// The time limit of one request.
    pub timeout: Duration,
    /// The address that receives the calls of the target.
    pub listen: SocketAddr,
    /// The name by which the target reaches that address; default: the address.
    pub host: Option<String>,
    pub level: u8,
    pub is_strict: bool,
}

/// The reason why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot listen at {0} for the calls of the target")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error(transparent)]
    Target(#[from] InstanceError),
    #[error(
        "the target at {address} does not call back ({why}): it must answer `POST` with a JSON array of steps \
         (`fixtures/CONTRACT.md`)"
    )]
    NotCalledBack { address: String, why: String },
}

/// Tries every selected vector. When `interrupted` resolves, the vectors that were not tried are inconclusive.
pub async fn run(
    target: &Target,
    wanted: &[SelectedRequirement],
    options: &Options,
    interrupted: impl Future<Output = ()>,
) -> Result<Results, RunError> {
    let begun = Instant::now();
    let nonce = Ids::new(Seed(options.seed).part("callbacks")).next_u64();
    let listener = CallbackListener::start(options.listen, options.host.as_deref(), nonce).await;
    let listener = listener.map_err(|error| RunError::Listen(options.listen, error))?;
    let mut run = SuiteRun {
        target,
        options,
        listener,
        implementation: Implementation {
            target: target.name.clone(),
            name: target.implementation.clone(),
            links: target.links.clone(),
            ..Implementation::default()
        },
        vectors: wanted.iter().flat_map(trials).collect(),
        results: BTreeMap::new(),
    };
    let is_interrupted = tokio::select! {
        ended = run.groups() => ended.map(|()| false)?,
        () = interrupted => true,
    };
    Ok(run.finish(wanted, begun.elapsed(), is_interrupted))
}

fn trials(wanted: &SelectedRequirement) -> impl Iterator<Item = Trial<'_>> {
    wanted.vectors.iter().map(move |vector| Trial { wanted, vector })
}

/// One vector of a selected requirement.
#[derive(Clone, Copy)]
struct Trial<'a> {
    wanted: &'a SelectedRequirement,
    vector: &'a Vector,
}

impl Trial<'_> {
    fn group(&self) -> (Role, &Configuration) {
        (self.wanted.requirement.role, &self.wanted.requirement.configuration)
    }

    /// Returns `TP-12/version.ff`, from which its ids are minted.
    fn title(&self) -> String {
        format!("{}/{}", self.wanted.requirement.id, self.vector.name)
    }
}

struct SuiteRun<'a> {
    target: &'a Target,
    options: &'a Options,
    listener: CallbackListener,
    implementation: Implementation,
    /// A listener's key counts in this list.
    vectors: Vec<Trial<'a>>,
    results: BTreeMap<usize, VectorResult>,
}

impl SuiteRun<'_> {
    /// Tries every configuration, one after the other.
    async fn groups(&mut self) -> Result<(), RunError> {
        let mut left: Vec<usize> = (0..self.vectors.len()).collect();
        let mut is_first = true;
        while let Some(first) = left.first().copied() {
            let (role, configuration) = self.vectors[first].group();
            let configuration = configuration.clone();
            let group: Vec<usize> =
                left.extract_if(.., |at| self.vectors[*at].group() == (role, &configuration)).collect();
            match self.target.cannot(role, &configuration) {
                Some(why) => self.without(&group, ConformanceVerdict::Unsupported, &why),
                None => match self.group(&group, &configuration).await {
                    Ok(()) => is_first = false,
                    // A target that never worked gets no report.
                    Err(error) if is_first => return Err(error),
                    Err(error) => {
                        self.without(
                            &group,
                            ConformanceVerdict::Inconclusive,
                            &error_chain::one_line(&error),
                        );
                    }
                },
            }
        }
        Ok(())
    }

    async fn group(&mut self, group: &[usize], configuration: &Configuration) -> Result<(), RunError> {
        let instance = Instance::start(self.target, configuration).await?;
        if let Some(capabilities) = &instance.capabilities {
            let sdk = &capabilities.sdk;
            if self.implementation.name.is_none() {
                self.implementation.name = non_empty(&sdk.name);
            }
            self.implementation.version = non_empty(&sdk.version);
            self.implementation.language = non_empty(&sdk.language);
        }
        let mut able = Vec::new();
        for at in group {
            let trial = self.vectors[*at];
            if let Some(why) = self.target.lacks_support(&trial.wanted.requirement.id, &trial.vector.name) {
                self.without(&[*at], ConformanceVerdict::Unsupported, &why);
                continue;
            }
            let needs = &trial.wanted.requirement.needs;
            match needs.iter().find(|need| !instance.can(need)) {
                Some(need) => {
                    let why = format!("the target does not have the capability `{need}`");
                    self.without(&[*at], ConformanceVerdict::Unsupported, &why);
                }
                None => able.push(*at),
            }
        }
        let sender = RequestSender {
            target: self.target,
            options: self.options,
            listener: &self.listener,
            configuration,
        };
        let instance = sender.probe(instance).await?;
        let address = instance.address.clone();
        let exchanges = sender.all(instance, &self.vectors, &able).await;
        let mut judged = BTreeMap::new();
        for (at, exchanges) in exchanges {
            judged.insert(at, (judge::judge(self.vectors[at].vector, &exchanges), exchanges));
        }
        self.twins(&mut judged);
        for (at, (judged, exchanges)) in judged {
            let trial = self.vectors[at];
            let exchange = shown(&exchanges);
            let body = request::body(&self.listener, at, trial.vector);
            let curl = exchange.map(|exchange| request::curl(&address, exchange, &body)).unwrap_or_default();
            self.results.insert(at, VectorResult { curl, ..result(trial, judged, exchange) });
        }
        Ok(())
    }

    /// Fails vectors whose twin was not continued: a new trace proves nothing if a valid context is not continued
    /// either.
    fn twins(&self, judged: &mut BTreeMap<usize, (VectorJudgement, Vec<VectorExchange>)>) {
        let unproven: Vec<(usize, usize)> = judged
            .keys()
            .filter_map(|at| Some((*at, self.twin(*at)?)))
            .filter(|(_, twin)| judged.get(twin).is_some_and(|(twin, _)| !twin.fits()))
            .collect();
        for (at, twin) in unproven {
            if let Some((judged, _)) = judged.get_mut(&at).filter(|(judged, _)| judged.fits()) {
                let twin = self.vectors[twin].vector.name.clone();
                judged.end = End::Misfits(Box::new(MismatchKind::TwinNotContinued(twin).into()));
            }
        }
    }

    /// Returns the number of a vector's twin.
    fn twin(&self, at: usize) -> Option<usize> {
        let trial = &self.vectors[at];
        let twin = trial.vector.twin.as_ref()?;
        self.vectors.iter().position(|other| {
            other.wanted.requirement.id == trial.wanted.requirement.id && other.vector.name == *twin
        })
    }

    /// Gives the same verdict to vectors that were not tried.
    fn without(&mut self, group: &[usize], verdict: ConformanceVerdict, why: &str) {
        for at in group {
            let name = self.vectors[*at].vector.name.clone();
            self.results.insert(*at, untried(name, verdict, why));
        }
    }

    fn finish(mut self, wanted: &[SelectedRequirement], took: Duration, is_interrupted: bool) -> Results {
        let mut at = 0;
        let mut requirements = Vec::new();
        for wanted in wanted {
            let mut vectors = Vec::new();
            for vector in &wanted.vectors {
                let result = self.results.remove(&at).unwrap_or_else(|| {
                    untried(vector.name.clone(), ConformanceVerdict::Inconclusive, "the run was interrupted")
                });
                vectors.push(result);
                at += 1;
            }
            let (suite, requirement) = (wanted.suite.clone(), wanted.requirement.clone());
            requirements.push(RequirementResult { suite, requirement, vectors });
        }
        Results {
            requirements,
            implementation: self.implementation,
            level: self.options.level,
            is_strict: self.options.is_strict,
            seed: self.options.seed,
            took,
            is_interrupted,
        }
    }
}

/// The transport of every vector so far.
const TRANSPORT: &str = "http/1.1";

fn untried(name: String, verdict: ConformanceVerdict, why: &str) -> VectorResult {
    VectorResult {
        name,
        transport: TRANSPORT,
        verdict,
        outcome: None,
        mismatch: None,
        reason: Some(why.to_owned()),
        notes: Vec::new(),
        sent: Vec::new(),
        received: Vec::new(),
        curl: String::new(),
    }
}

/// Returns the exchange that the verdict is about: the first that failed by itself, otherwise the first.
fn shown(exchanges: &[VectorExchange]) -> Option<&VectorExchange> {
    let failed =
        exchanges.iter().find(|one| !matches!(one.answer, TargetAnswer::Status(status) if status < 400));
    failed.or(exchanges.first())
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn result(trial: Trial<'_>, judged: VectorJudgement, shown: Option<&VectorExchange>) -> VectorResult {
    let strength = trial.wanted.requirement.strength;
    let calls = shown.map(|exchange| exchange.calls.iter()).into_iter().flatten();
    let mut result = VectorResult {
        sent: shown.map(|exchange| exchange.sent.clone()).unwrap_or_default(),
        received: calls.map(|call| request::of_propagation(&call.fields)).collect(),
        notes: judged.notes,
        reason: None,
        ..untried(trial.vector.name.clone(), ConformanceVerdict::Pass, "")
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
    }
    result
}
