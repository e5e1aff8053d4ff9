//! Runs the chosen requirements against a target: one process for each configuration, vectors side by side in it, a
//! verdict for each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::judge::{self, Answer, End, Exchange, Judged, MismatchKind};
use super::listener::Listener;
use super::results::{Implementation, RequirementResult, Results, VectorResult, Verdict};
use super::selection::Wanted;
use super::suite::{Configuration, Role, Vector};
use super::target::{Instance, InstanceError, Target};
use crate::plan::Seed;
use crate::plan::seed::Ids;

mod drive;
mod request;

use drive::Drive;

/// The settings of a run that do not depend on the target.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of requests that are under way at once, at least one.
    pub jobs: usize,
    pub seed: u64,
    /// The time limit of one request.
    pub timeout: Duration,
    /// The address that receives the calls of the target.
    pub listen: SocketAddr,
    /// By which name the target reaches that address; the address itself by default.
    pub host: Option<String>,
    pub level: u8,
    pub is_strict: bool,
}

/// The reason why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("nothing can be received at {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error(transparent)]
    Target(#[from] InstanceError),
    #[error(
        "the target at {address} does not call back ({why}): it must answer `POST` with a JSON array of steps \
         (`fixtures/CONTRACT.md`)"
    )]
    NotCalledBack { address: String, why: String },
}

/// Tries every vector that is wanted. When `interrupted` resolves, what has not been tried is inconclusive.
pub async fn run(
    target: &Target,
    wanted: &[Wanted],
    options: &Options,
    interrupted: impl Future<Output = ()>,
) -> Result<Results, RunError> {
    let begun = Instant::now();
    let nonce = Ids::new(Seed(options.seed).part("callbacks")).next_u64();
    let listener = Listener::start(options.listen, options.host.as_deref(), nonce).await;
    let listener = listener.map_err(|error| RunError::Listen(options.listen, error))?;
    let mut run = Run {
        target,
        options,
        listener,
        implementation: Implementation { target: target.name.clone(), ..Implementation::default() },
        vectors: wanted.iter().flat_map(planned).collect(),
        results: BTreeMap::new(),
    };
    let is_interrupted = tokio::select! {
        ended = run.groups() => ended.map(|()| false)?,
        () = interrupted => true,
    };
    Ok(run.finish(wanted, begun.elapsed(), is_interrupted))
}

fn planned(wanted: &Wanted) -> impl Iterator<Item = Planned<'_>> {
    wanted.vectors.iter().map(move |vector| Planned { wanted, vector })
}

#[derive(Clone, Copy)]
struct Planned<'a> {
    wanted: &'a Wanted,
    vector: &'a Vector,
}

impl Planned<'_> {
    fn group(&self) -> (Role, &Configuration) {
        (self.wanted.requirement.role, &self.wanted.requirement.configuration)
    }

    /// `TP-12/version.ff`, which its ids are minted from.
    fn title(&self) -> String {
        format!("{}/{}", self.wanted.requirement.id, self.vector.name)
    }
}

struct Run<'a> {
    target: &'a Target,
    options: &'a Options,
    listener: Listener,
    implementation: Implementation,
    /// A listener's key counts in this list.
    vectors: Vec<Planned<'a>>,
    results: BTreeMap<usize, VectorResult>,
}

impl Run<'_> {
    /// Every configuration, one after the other.
    async fn groups(&mut self) -> Result<(), RunError> {
        let mut left: Vec<usize> = (0..self.vectors.len()).collect();
        let mut is_first = true;
        while let Some(first) = left.first().copied() {
            let (role, configuration) = self.vectors[first].group();
            let configuration = configuration.clone();
            let same = |at: &usize| self.vectors[*at].group() == (role, &configuration);
            let (group, rest): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(same);
            left = rest;
            match self.target.cannot(role, &configuration) {
                Some(why) => self.without(&group, Verdict::Unsupported, &why),
                None => match self.group(&group, &configuration).await {
                    Ok(()) => is_first = false,
                    // A target that was never seen to work gets no report.
                    Err(error) if is_first => return Err(error),
                    Err(error) => self.without(&group, Verdict::Inconclusive, &chain(&error)),
                },
            }
        }
        Ok(())
    }

    async fn group(&mut self, group: &[usize], configuration: &Configuration) -> Result<(), RunError> {
        let instance = Instance::start(self.target, configuration).await?;
        if let Some(capabilities) = &instance.capabilities {
            let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
            self.implementation.name = some(&capabilities.sdk.name);
            self.implementation.version = some(&capabilities.sdk.version);
            self.implementation.language = some(&capabilities.sdk.language);
        }
        let mut able = Vec::new();
        for at in group {
            let can = |need: &&String| instance.capabilities.as_ref().is_some_and(|c| c.can.contains(*need));
            let needs = &self.vectors[*at].wanted.requirement.needs;
            match needs.iter().find(|need| !can(need)) {
                Some(need) => {
                    let why = format!("the target does not have the capability `{need}`");
                    self.without(&[*at], Verdict::Unsupported, &why);
                }
                None => able.push(*at),
            }
        }
        let drive =
            Drive { target: self.target, options: self.options, listener: &self.listener, configuration };
        let instance = drive.probe(instance).await?;
        let authority = instance.address.clone();
        let exchanges = drive.all(instance, &self.vectors, &able).await;
        let mut judged = BTreeMap::new();
        for (at, exchanges) in exchanges {
            judged.insert(at, (judge::judge(self.vectors[at].vector, &exchanges), exchanges));
        }
        self.twins(&mut judged);
        for (at, (judged, exchanges)) in judged {
            let planned = self.vectors[at];
            let curl = |exchange: &Exchange| {
                request::curl(&authority, exchange, &request::body(&self.listener, at, planned.vector))
            };
            self.results.insert(at, result(planned, judged, &exchanges, curl));
        }
        Ok(())
    }

    /// A new trace proves nothing where a valid context is not continued either.
    fn twins(&self, judged: &mut BTreeMap<usize, (Judged, Vec<Exchange>)>) {
        let of = |at: usize| {
            let planned = &self.vectors[at];
            let twin = planned.vector.twin.as_ref()?;
            (0..self.vectors.len()).find(|other| {
                let other = &self.vectors[*other];
                other.wanted.requirement.id == planned.wanted.requirement.id && other.vector.name == *twin
            })
        };
        let fits = |judged: &Judged| matches!(judged.end, End::Fits(_));
        let unproven: Vec<(usize, usize)> = judged
            .keys()
            .filter_map(|at| Some((*at, of(*at)?)))
            .filter(|(_, twin)| judged.get(twin).is_some_and(|(twin, _)| !fits(twin)))
            .collect();
        for (at, twin) in unproven {
            if let Some((judged, _)) = judged.get_mut(&at).filter(|(judged, _)| fits(judged)) {
                let twin = self.vectors[twin].vector.name.clone();
                judged.end = End::Misfits(Box::new(MismatchKind::TwinNotContinued(twin).into()));
            }
        }
    }

    /// The same verdict for vectors that were not tried.
    fn without(&mut self, group: &[usize], verdict: Verdict, why: &str) {
        for at in group {
            let name = self.vectors[*at].vector.name.clone();
            self.results.insert(*at, untried(name, verdict, why));
        }
    }

    fn finish(mut self, wanted: &[Wanted], took: Duration, is_interrupted: bool) -> Results {
        let mut at = 0..self.vectors.len();
        let mut result = |vector: &Vector| {
            let found = at.next().and_then(|at| self.results.remove(&at));
            found.unwrap_or_else(|| {
                untried(vector.name.clone(), Verdict::Inconclusive, "the run was interrupted")
            })
        };
        let requirements = wanted.iter().map(|wanted| RequirementResult {
            suite: wanted.suite.clone(),
            requirement: wanted.requirement.clone(),
            vectors: wanted.vectors.iter().map(&mut result).collect(),
        });
        Results {
            requirements: requirements.collect(),
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

fn untried(name: String, verdict: Verdict, why: &str) -> VectorResult {
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

fn result(
    planned: Planned<'_>,
    judged: Judged,
    exchanges: &[Exchange],
    curl: impl Fn(&Exchange) -> String,
) -> VectorResult {
    let strength = planned.wanted.requirement.strength;
    // The one that the verdict is about: the first that went wrong by itself, else the first.
    let is_odd = |exchange: &&Exchange| !matches!(exchange.answer, Answer::Status(status) if status < 400);
    let shown = exchanges.iter().find(is_odd).or(exchanges.first());
    let calls = shown.map(|exchange| exchange.calls.iter()).into_iter().flatten();
    let mut result = VectorResult {
        sent: shown.map(|exchange| exchange.sent.clone()).unwrap_or_default(),
        received: calls.map(|call| request::of_propagation(&call.fields)).collect(),
        curl: shown.map(curl).unwrap_or_default(),
        notes: judged.notes,
        reason: None,
        ..untried(planned.vector.name.clone(), Verdict::Pass, "")
    };
    match judged.end {
        End::Fits(outcome) => result.outcome = Some(outcome),
        End::Misfits(mismatch) => {
            result.verdict = Verdict::of_misfit(strength);
            result.mismatch = Some(mismatch);
        }
        End::Inconclusive(why) => {
            result.verdict = Verdict::Inconclusive;
            result.reason = Some(why);
        }
    }
    result
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
