//! Sends the requests of one configuration. Starts the target again if it ends in between.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, timeout_at};

use super::request::CallAddresses;
use super::target_process::{InstanceStart, TargetProcess};
use super::{Options, RunError, Trial, forwarding, propagation, request, telemetry};
use crate::conform::judge::{ExchangeTelemetry, TargetAnswer, VectorExchange};
use crate::conform::listener::{CallbackListener, RequestKey, UpstreamAnswer};
use crate::conform::progress::{OnProgress, SuiteProgress};
use crate::conform::span_sink::SpanSink;
use crate::conform::suite::{CarrierKind, InstructionStep, RequestIds};
use crate::conform::target::Instance;
use crate::conform::transport::{BrokerClients, TransportRoute};
use crate::error_chain;
use crate::evidence::RawFields;
use crate::plan::Seed;
use crate::wire::hex;

/// The time in which a call may come after the answer.
const LATE_CALLS: Duration = Duration::from_secs(1);
/// The time in which the end of a process becomes known after its connection broke.
const END_IS_KNOWN: Duration = Duration::from_millis(500);
/// The time in which a target exports by itself: batch processors wait 5 s by default.
const EXPORTED_WITHIN: Duration = Duration::from_secs(6);
/// The vector number of the call that shows that the target calls back at all.
const PROBE: RequestKey = RequestKey { vector: usize::MAX, request: 0 };

#[derive(Clone)]
pub(super) struct RequestSender<'a> {
    pub start: InstanceStart<'a>,
    pub options: &'a Options,
    pub on_progress: OnProgress<'a>,
    pub listener: &'a CallbackListener,
    /// The address for calls over gRPC.
    pub grpc: SocketAddr,
    pub clients: &'a BrokerClients,
    /// The collector of the target's spans; `None` where nothing is asked of them.
    pub sink: Option<&'a SpanSink>,
}

/// The requests with their answers and calls, by the numbers of the vectors.
pub(super) struct Exchanges {
    pub exchanges: BTreeMap<usize, Vec<VectorExchange>>,
    /// The reason why spans may be missing.
    pub gap: Option<String>,
}

fn probe_ids(options: &Options) -> RequestIds {
    request::mint(Seed(options.seed).part("probe"), 0)
}

/// Returns the trace id of the probe.
pub(super) fn probe_trace(options: &Options) -> Vec<u8> {
    hex::decode(probe_ids(options).trace_id.as_bytes()).unwrap_or_default()
}

/// One request that is to be sent.
#[derive(Clone)]
pub(super) struct TargetRequest {
    pub key: RequestKey,
    minted: RequestIds,
    pub sent: RawFields,
    pub route: TransportRoute,
    steps: Vec<InstructionStep>,
    pub question: Option<CarrierQuestion>,
    /// The answer of the service that is called, where it is not the usual one.
    upstream: Option<UpstreamAnswer>,
}

/// A request with its answer.
struct AnsweredRequest {
    request: TargetRequest,
    answer: TargetAnswer,
    /// The last output lines of the target after an error, or without an answer.
    output: Vec<String>,
}

/// A carrier for the propagators alone.
#[derive(Clone)]
pub(super) struct CarrierQuestion {
    pub carrier: CarrierKind,
    pub body: String,
}

impl AnsweredRequest {
    fn not_sent(request: TargetRequest, why: &str) -> AnsweredRequest {
        AnsweredRequest { request, answer: TargetAnswer::NotSent(why.to_owned()), output: Vec::new() }
    }
}

impl RequestSender<'_> {
    /// Checks that the target calls back the address in the request. The content of the call does not matter.
    pub async fn probe(&self, instance: Instance) -> Result<Instance, RunError> {
        let minted = probe_ids(self.options);
        let line = format!("00-{}-{}-01", minted.trace_id, minted.parent_id).into_bytes();
        let sent = vec![(b"traceparent".to_vec(), line)];
        let request = TargetRequest {
            key: PROBE,
            minted,
            sent,
            route: TransportRoute::HTTP,
            steps: vec![InstructionStep::call()],
            question: None,
            upstream: None,
        };
        let AnsweredRequest { answer, output: lines, .. } = self.answered(&instance, request).await;
        if !self.listener.calls(PROBE).is_empty() {
            return Ok(instance);
        }
        let why = match answer {
            TargetAnswer::Status(status) => format!("it answered {status}"),
            TargetAnswer::Delivered => "it took the message".to_owned(),
            TargetAnswer::None(within) => format!("no answer within {} s", within.as_secs_f32()),
            TargetAnswer::BrokenOff(why) | TargetAnswer::NotSent(why) => why,
            TargetAnswer::Ended(how, _) => format!("it ended, {how}"),
        };
        let lines = if lines.is_empty() { instance.last_lines().await } else { lines };
        Err(RunError::NotCalledBack { address: instance.address.to_string(), why, lines })
    }

    /// Sends every request of these vectors, and stops the instance at the end.
    pub async fn all(&self, instance: Instance, vectors: &[Trial<'_>], chosen: &[usize]) -> Exchanges {
        let mut queue = VecDeque::new();
        for at in chosen {
            queue.extend(self.requests(vectors[*at], *at));
        }
        self.all_of(instance, vectors, queue).await
    }

    /// Sends what the first call of each exchange carries, and stops the instance at the end. An exchange without a
    /// call is omitted.
    pub async fn onward(
        &self,
        instance: Instance,
        vectors: &[Trial<'_>],
        exchanges: &BTreeMap<usize, Vec<VectorExchange>>,
    ) -> Exchanges {
        let mut queue = VecDeque::new();
        for (vector, exchanges) in exchanges {
            let Trial { vector: planned, route, .. } = vectors[*vector];
            for (number, exchange) in exchanges.iter().enumerate() {
                let Some(call) = exchange.calls.first() else { continue };
                let key = RequestKey { vector: *vector, request: number };
                self.listener.forget(key);
                let (minted, steps) = (exchange.minted.clone(), planned.steps.clone());
                let sent = request::sent_onward(&call.fields, route.inward);
                queue.push_back(TargetRequest {
                    key,
                    minted,
                    sent,
                    route,
                    steps,
                    question: None,
                    upstream: None,
                });
            }
        }
        self.all_of(instance, vectors, queue).await
    }

    async fn all_of(
        &self,
        instance: Instance,
        vectors: &[Trial<'_>],
        mut queue: VecDeque<TargetRequest>,
    ) -> Exchanges {
        let mut answers: Vec<AnsweredRequest> = Vec::new();
        let mut process = TargetProcess::new(instance, &self.start);
        while !queue.is_empty() {
            let mut suspects = Vec::new();
            for answered in self.in_parallel(&mut process, &mut queue).await {
                let ended = matches!(answered.answer, TargetAnswer::Ended(..));
                let list = if ended { &mut suspects } else { &mut answers };
                list.push(answered);
            }
            answers.extend(self.one_by_one(&mut process, suspects).await);
        }
        self.await_export(&process, vectors, &answers).await;
        let gap = process.end().await;
        let mut exchanges: BTreeMap<usize, Vec<VectorExchange>> = BTreeMap::new();
        answers.sort_by_key(|answered| answered.request.key);
        for AnsweredRequest { request, answer, output } in answers {
            let TargetRequest { key, minted, sent, question, .. } = request;
            let calls = self.listener.calls(key);
            let telemetry = ExchangeTelemetry::default();
            let answer_fields = self.listener.answer_of(key);
            let is_without_span = question.is_some();
            let sent = match &question {
                Some(question) => propagation::as_fields(question.carrier, sent),
                None => sent,
            };
            let exchange = VectorExchange {
                minted,
                sent,
                answer,
                calls,
                is_without_span,
                answer_fields,
                telemetry,
                output,
            };
            exchanges.entry(key.vector).or_default().push(exchange);
        }
        Exchanges { exchanges, gap }
    }

    /// Waits for the spans of sampled requests, if a vector states something about them and the target does not export
    /// on request: it may lose what it has when it is stopped.
    async fn await_export(
        &self,
        process: &TargetProcess<'_>,
        vectors: &[Trial<'_>],
        answers: &[AnsweredRequest],
    ) {
        let (Some(sink), Some(instance)) = (self.sink, process.running()) else { return };
        if telemetry::exports_on_request(instance) {
            return;
        }
        let stated = answers.iter().map(|answered| answered.request.key);
        let stated = stated.filter(|key| !vectors[key.vector].vector.telemetry.is_empty());
        let traces = stated.flat_map(|key| telemetry::sampled_traces(&self.listener.calls(key))).collect();
        sink.until_exported(traces, Instant::now() + EXPORTED_WITHIN).await;
    }

    fn requests(&self, planned: Trial<'_>, vector: usize) -> impl Iterator<Item = TargetRequest> {
        let seed = planned.seed(self.options);
        let (fields, steps) = (&planned.vector.send, &planned.vector.steps);
        (0..planned.vector.requests).map(move |number| {
            let minted = request::mint(seed, number);
            let sent = fields.iter().map(|(name, value)| (name.fill(&minted), value.fill(&minted))).collect();
            let key = RequestKey { vector, request: number };
            let question = planned.vector.propagation.as_ref().map(|propagation| CarrierQuestion {
                carrier: propagation.carrier,
                body: propagation::body(propagation, planned.vector, &minted),
            });
            let (route, upstream) = (planned.route, forwarding::upstream_answer(planned.vector, &minted));
            TargetRequest { key, minted, sent, route, steps: steps.clone(), question, upstream }
        })
    }

    /// Sends from the queue until it is empty or the target has ended.
    async fn in_parallel(
        &self,
        process: &mut TargetProcess<'_>,
        queue: &mut VecDeque<TargetRequest>,
    ) -> Vec<AnsweredRequest> {
        let instance = match process.instance().await {
            Ok(instance) => instance,
            Err(error) => {
                let why = error_chain::one_line(&error);
                return queue.drain(..).map(|request| AnsweredRequest::not_sent(request, &why)).collect();
            }
        };
        let mut pending = FuturesUnordered::new();
        let mut answers = Vec::new();
        loop {
            while pending.len() < self.options.jobs.max(1) && !instance.has_ended() {
                let Some(request) = queue.pop_front() else { break };
                pending.push(self.answered(instance, request));
            }
            match pending.next().await {
                Some(answered) => {
                    (self.on_progress)(SuiteProgress::Answered);
                    answers.push(answered);
                }
                None => return answers,
            }
        }
    }

    /// Finds the request that ends the target, among those that were in progress: sends each again, alone.
    async fn one_by_one(
        &self,
        process: &mut TargetProcess<'_>,
        suspects: Vec<AnsweredRequest>,
    ) -> Vec<AnsweredRequest> {
        if suspects.len() < 2 {
            return suspects;
        }
        let mut answers = Vec::new();
        for AnsweredRequest { request, .. } in &suspects {
            self.listener.forget(request.key);
            answers.push(match process.instance().await {
                Ok(instance) => self.answered(instance, request.clone()).await,
                Err(error) => AnsweredRequest::not_sent(request.clone(), &error_chain::one_line(&error)),
            });
        }
        // No single request ends it: what it did is reported on all that were in progress.
        let recurred = answers.iter().any(|answered| matches!(answered.answer, TargetAnswer::Ended(..)));
        if recurred { answers } else { suspects }
    }

    /// Sends a request. Keeps the last output lines of the target if that is not answered well.
    async fn answered(&self, instance: &Instance, request: TargetRequest) -> AnsweredRequest {
        let answer = self.send(instance, &request).await;
        let output = match answer {
            TargetAnswer::Status(500..) | TargetAnswer::None(_) | TargetAnswer::BrokenOff(_) => {
                instance.last_lines().await
            }
            TargetAnswer::Status(_)
            | TargetAnswer::Delivered
            | TargetAnswer::Ended(..)
            | TargetAnswer::NotSent(_) => Vec::new(),
        };
        AnsweredRequest { request, answer, output }
    }

    async fn send(&self, instance: &Instance, request: &TargetRequest) -> TargetAnswer {
        let deadline = Instant::now() + self.options.timeout;
        let TargetRequest { key, route, steps, minted, .. } = request;
        let addresses = CallAddresses { listener: self.listener, grpc: self.grpc, key: *key, route: *route };
        let body = match self.start.upstream {
            Some(_) => forwarding::body(addresses),
            None => addresses.body(steps, minted),
        };
        if let Some(answer) = &request.upstream {
            self.listener.prepare(request.key, answer.clone());
        }
        let answer = match timeout_at(deadline, self.exchange(instance, request, &body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => match instance.end_within(END_IS_KNOWN).await {
                Some((how, lines)) => TargetAnswer::Ended(how, lines),
                None => error.answer(instance),
            },
            Err(_) => TargetAnswer::None(self.options.timeout),
        };
        let TransportRoute { inward, outward } = request.route;
        let is_message = inward.is_message() || outward.is_message();
        if !is_message {
            self.listener.answered(request.key);
        }
        let is_success = match answer {
            TargetAnswer::Status(status) => status < 400,
            TargetAnswer::Delivered => true,
            TargetAnswer::None(_)
            | TargetAnswer::BrokenOff(_)
            | TargetAnswer::Ended(..)
            | TargetAnswer::NotSent(_) => false,
        };
        if is_success {
            let within = if is_message { self.options.timeout } else { LATE_CALLS.min(self.options.timeout) };
            let calls = request.steps.iter().map(InstructionStep::calls).sum();
            let called = self.listener.until_called(request.key, calls, Instant::now() + within);
            // Nobody calls any more when the target has ended.
            let ended = async {
                match instance.end_within(within).await {
                    Some((how, lines)) => TargetAnswer::Ended(how, lines),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = called => {}
                ended = ended => return ended,
            }
        }
        answer
    }
}
