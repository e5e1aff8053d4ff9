//! Runs the selected requirements against a target: one process for each configuration, its vectors in parallel, a
//! verdict for each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::judge::{self, End, MismatchKind, SpanGap, VectorExchange, VectorJudgement};
use super::listener::{CallbackListener, RequestKey};
use super::progress::{OnProgress, SuiteProgress};
use super::results::{ConformanceVerdict, Counts, Implementation, RequirementResult, Results, VectorResult};
use super::selection::SelectedRequirement;
use super::span_sink::SpanSink;
use super::suite::{Configuration, Setting};
use super::target::{Address, Instance, Target, Upstream};
use super::transport::{self, BrokerClients, GrpcListener, TransportKind, TransportRoute};
use crate::error_chain;
use crate::plan::Seed;
use crate::plan::seed::Ids;
use crate::runtime::BrokerStarter;
use crate::scenario::Role;

mod exchange;
mod exchange_error;
mod forwarding;
mod propagation;
mod request;
mod run_error;
mod second_hop;
mod sender;
mod shell_word;
mod target_process;
mod telemetry;
mod trial;
mod vector_result;

use request::CallAddresses;
pub use run_error::RunError;
use sender::{Exchanges, RequestSender};
use target_process::InstanceStart;
use telemetry::SeenTelemetry;
use trial::{Trial, routes_of, trials};
use vector_result::{non_empty, result, shown, untried};

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
    /// Nothing is asked of telemetry.
    pub is_wire_only: bool,
    /// The transports of requests and calls.
    pub routes: Vec<TransportRoute>,
    /// Starts the brokers that the routes need.
    pub brokers: Option<BrokerStarter>,
}

/// Tries every selected vector. When `interrupted` resolves, the vectors that were not tried are inconclusive.
pub async fn run(
    target: &Target,
    wanted: &[SelectedRequirement],
    options: &Options,
    interrupted: impl Future<Output = ()>,
    on_progress: OnProgress<'_>,
) -> Result<Results, RunError> {
    let begun = Instant::now();
    let nonce = Ids::new(Seed(options.seed).part("callbacks")).next_u64();
    let listener = CallbackListener::start(options.listen, options.host.as_deref(), nonce).await;
    let listener = listener.map_err(|error| RunError::Listen(options.listen, error))?;
    let grpc = SocketAddr::new(options.listen.ip(), 0);
    let grpc =
        GrpcListener::start(grpc, listener.sink()).await.map_err(|error| RunError::Listen(grpc, error))?;
    let routes = wanted.iter().flat_map(|one| routes_of(&one.requirement.over, &options.routes));
    let transports: BTreeSet<TransportKind> =
        routes.flat_map(|route| [route.inward, route.outward]).collect();
    let clients = BrokerClients::start(transports, options.brokers.as_ref(), &listener.sink()).await?;
    // It is there in any case: an SDK without a collector looks for one at a port of its own choice.
    let collector = SpanSink::start().await?;
    let exporter = collector.variables();
    let (sink, unread) = match telemetry::missing(target, options) {
        Some(_) => (None, Some(collector)),
        None => (Some(collector), None),
    };
    let mut run = SuiteRun {
        target,
        options,
        on_progress,
        listener,
        grpc,
        clients,
        sink,
        _unread: unread,
        exporter,
        telemetry: SeenTelemetry::default(),
        implementation: Implementation {
            target: target.name.clone(),
            name: target.implementation.clone(),
            links: target.links.clone(),
            ..Implementation::default()
        },
        vectors: wanted.iter().flat_map(|wanted| trials(wanted, &options.routes)).collect(),
        results: BTreeMap::new(),
    };
    let is_interrupted = tokio::select! {
        ended = run.groups() => ended.map(|()| false)?,
        () = interrupted => true,
    };
    Ok(run.finish(wanted, begun.elapsed(), is_interrupted))
}

/// Vectors by their numbers, with their exchanges.
type JudgedVectors = BTreeMap<usize, (VectorJudgement, Vec<VectorExchange>)>;

struct SuiteRun<'a> {
    target: &'a Target,
    options: &'a Options,
    on_progress: OnProgress<'a>,
    listener: CallbackListener,
    grpc: GrpcListener,
    clients: BrokerClients,
    /// The collector of the target's spans; `None` where nothing is asked of them.
    sink: Option<SpanSink>,
    _unread: Option<SpanSink>,
    /// The variables that make an SDK export to either.
    exporter: Vec<(String, String)>,
    telemetry: SeenTelemetry,
    implementation: Implementation,
    /// A listener's key counts in this list.
    vectors: Vec<Trial<'a>>,
    results: BTreeMap<usize, VectorResult>,
}

impl SuiteRun<'_> {
    /// Tries every configuration, one after the other.
    async fn groups(&mut self) -> Result<(), RunError> {
        let groups = self.vectors_by_group();
        let requests = self.vectors.iter().map(|trial| trial.vector.requests).sum();
        (self.on_progress)(SuiteProgress::Started { configurations: groups.len(), requests });
        let mut is_first = true;
        for group in groups {
            let (role, configuration) = self.vectors[group[0]].group();
            let configuration = configuration.clone();
            let name = configuration.words();
            let started = SuiteProgress::ConfigurationStarted { name: name.clone(), vectors: group.len() };
            (self.on_progress)(started);
            match self.target.cannot(role, &configuration) {
                Some(why) => self.without(&group, ConformanceVerdict::Unsupported, &why),
                None => match self.group(&group, role, &configuration).await {
                    Ok(()) => is_first = false,
                    // A target that never worked gets no report.
                    Err(error) if is_first => return Err(error),
                    Err(error) => {
                        self.without(
                            &group,
                            ConformanceVerdict::Inconclusive,
                            &error_chain::one_line(&error),
                        );
                        self.add_output(&group, error.lines());
                    }
                },
            }
            let results = group.iter().filter_map(|at| self.results.get(at));
            let counts = Counts::of(results.map(|result| result.verdict));
            let requests = group.iter().map(|at| self.vectors[*at].vector.requests).sum();
            (self.on_progress)(SuiteProgress::ConfigurationEnded { name, counts, requests });
        }
        Ok(())
    }

    /// Returns the numbers of the vectors, those of one role and configuration together.
    fn vectors_by_group(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (at, trial) in self.vectors.iter().enumerate() {
            match groups.iter_mut().find(|group| self.vectors[group[0]].group() == trial.group()) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        groups
    }

    /// Adds the last output lines of a target that did not work.
    fn add_output(&mut self, group: &[usize], lines: &[String]) {
        for at in group {
            if let Some(result) = self.results.get_mut(at) {
                result.output = lines.to_vec();
            }
        }
    }

    async fn group(
        &mut self,
        group: &[usize],
        role: Role,
        configuration: &Configuration,
    ) -> Result<(), RunError> {
        let upstream = (role == Role::Forwarder)
            .then(|| Upstream { http: self.listener.authority().to_owned(), grpc: self.grpc.address() });
        let mut variables = self.exporter.clone();
        variables.extend(self.clients.variables(configuration.get(Setting::ConsumerBatch)));
        let mut instance = Instance::start(self.target, configuration, &variables, upstream.as_ref()).await?;
        if group.iter().any(|at| self.vectors[*at].route.inward == TransportKind::Http2) {
            instance.speaks_http2 = transport::speaks_http2(instance.socket).await;
        }
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
            match self.lacks(self.vectors[*at], &instance) {
                Some(why) => self.without(&[*at], ConformanceVerdict::Unsupported, &why),
                None => able.push(*at),
            }
        }
        let sender = RequestSender {
            start: InstanceStart { target: self.target, configuration, variables, upstream },
            options: self.options,
            on_progress: self.on_progress,
            listener: &self.listener,
            grpc: self.grpc.address(),
            clients: &self.clients,
            sink: self.sink.as_ref(),
        };
        let instance = sender.probe(instance).await?;
        let collector_fault = self.sink.as_ref().zip(configuration.get(Setting::Collector));
        if let Some((sink, fault)) = collector_fault {
            // The spans of the probe are no part of it.
            telemetry::flush(&instance).await;
            sink.misbehave(fault);
        }
        let address = instance.address.clone();
        let exports_on_request = telemetry::exports_on_request(&instance);
        let Exchanges { mut exchanges, gap } = sender.all(instance, &self.vectors, &able).await;
        self.second_hops(&sender, &mut exchanges).await;
        let gap = if collector_fault.is_none() { gap } else { None };
        if let Some(sink) = &self.sink {
            sink.heal();
        }
        self.add_telemetry(&mut exchanges, gap, exports_on_request).await;
        let mut judged = BTreeMap::new();
        for (at, exchanges) in exchanges {
            judged.insert(at, (judge::judge(self.vectors[at].vector, &exchanges), exchanges));
        }
        self.twins(&mut judged);
        self.keep(judged, &address);
        Ok(())
    }

    /// Keeps the verdicts of a group.
    fn keep(&mut self, judged: JudgedVectors, address: &Address) {
        for (at, (judged, exchanges)) in judged {
            let trial = self.vectors[at];
            let exchange = shown(&exchanges);
            let key = RequestKey { vector: at, request: 0 };
            let (grpc, route) = (self.grpc.address(), trial.route);
            let addresses = CallAddresses { listener: &self.listener, grpc, key, route };
            let curl = match exchange {
                Some(exchange) => trial.curl(address, exchange, addresses),
                None => String::new(),
            };
            self.results.insert(at, VectorResult { curl, ..result(trial, judged, exchange) });
        }
    }

    /// Adds the spans to the exchanges whose vectors state something about spans. A target that exports on request and
    /// has exported nothing has no spans; of another one that is not known.
    async fn add_telemetry(
        &mut self,
        exchanges: &mut BTreeMap<usize, Vec<VectorExchange>>,
        gap: Option<String>,
        exports_on_request: bool,
    ) {
        let Some(sink) = &mut self.sink else { return };
        sink.settled().await;
        self.telemetry.take(sink.new_spans(), exchanges, sender::probe_trace(self.options));
        self.telemetry.take_metrics(sink.metrics());
        let is_silent = self.telemetry.is_empty() && !exports_on_request;
        let gap = gap.map(SpanGap::Lost).or(is_silent.then_some(SpanGap::NothingExported));
        let vectors = &self.vectors;
        let stated = exchanges.iter_mut().filter(|(at, _)| !vectors[**at].vector.telemetry.is_empty());
        for exchange in stated.flat_map(|(_, exchanges)| exchanges) {
            exchange.telemetry = self.telemetry.of(exchange, gap.clone());
        }
    }

    /// Returns the reason why a vector is not tried on this instance.
    fn lacks(&self, trial: Trial<'_>, instance: &Instance) -> Option<String> {
        let requirement = &trial.wanted.requirement;
        if let Some(why) = self.target.lacks_support(&requirement.id, &trial.vector.name) {
            return Some(why);
        }
        let then = &trial.vector.then;
        if !then.is_default()
            && let Some(why) = self.target.cannot(requirement.role, then)
        {
            return Some(why);
        }
        let mut needs = requirement.needs.iter().chain(&trial.vector.needs).map(String::as_str);
        let propagate = trial.vector.propagation.as_ref().map(|_| propagation::CAPABILITY);
        if let Some(need) = propagate.into_iter().chain(&mut needs).find(|need| !instance.can(need)) {
            return Some(format!("the target does not have the capability `{need}`"));
        }
        if let Some(why) = exchange::lacks(instance, trial.route) {
            return Some(why);
        }
        let missing = telemetry::missing(self.target, self.options)?;
        let asks = !trial.vector.telemetry.is_empty()
            || trial.vector.configuration.get(Setting::Collector).is_some();
        asks.then(|| missing.to_owned())
    }

    /// Fails vectors whose twin was not continued: a new trace proves nothing if a valid context is not continued
    /// either.
    fn twins(&self, judged: &mut JudgedVectors) {
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
            other.route == trial.route
                && other.wanted.requirement.id == trial.wanted.requirement.id
                && other.vector.name == *twin
        })
    }

    /// Gives the same verdict to vectors that were not tried.
    fn without(&mut self, group: &[usize], verdict: ConformanceVerdict, why: &str) {
        for at in group {
            self.results.insert(*at, untried(self.vectors[*at], verdict, why));
        }
    }

    fn finish(mut self, wanted: &[SelectedRequirement], took: Duration, is_interrupted: bool) -> Results {
        let mut trials = self.vectors.iter().copied().enumerate().peekable();
        let mut requirements = Vec::new();
        for wanted in wanted {
            let mut vectors = Vec::new();
            while let Some((at, trial)) = trials.next_if(|(_, trial)| std::ptr::eq(trial.wanted, wanted)) {
                let interrupted =
                    || untried(trial, ConformanceVerdict::Inconclusive, "the run was interrupted");
                vectors.push(self.results.remove(&at).unwrap_or_else(interrupted));
            }
            let (suite, requirement) = (wanted.suite.clone(), wanted.requirement.clone());
            requirements.push(RequirementResult { suite, requirement, vectors });
        }
        Results {
            requirements,
            fixed: Vec::new(),
            implementation: self.implementation,
            level: self.options.level,
            is_strict: self.options.is_strict,
            seed: self.options.seed,
            took,
            is_interrupted,
            shard: None,
        }
    }
}
