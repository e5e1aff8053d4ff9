//! Sends the requests of one configuration. Starts the target again if it ends in between.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Options, RunError, Trial, request};
use crate::conform::judge::{TargetAnswer, VectorExchange};
use crate::conform::listener::{CallbackListener, RequestKey};
use crate::conform::suite::{Configuration, RequestIds};
use crate::conform::target::{Instance, InstanceError, Target};
use crate::driver::raw;
use crate::error_chain;
use crate::evidence::RawFields;
use crate::plan::Seed;

/// The time in which a call may come after the answer.
const LATE_CALLS: Duration = Duration::from_secs(1);
/// The time in which the end of a process becomes known after its connection broke.
const END_IS_KNOWN: Duration = Duration::from_millis(500);
/// The most starts of a target that ends again and again.
const MOST_STARTS: usize = 32;
/// The vector number of the call that shows that the target calls back at all.
const PROBE: RequestKey = RequestKey { vector: usize::MAX, request: 0 };

pub(super) struct RequestSender<'a> {
    pub target: &'a Target,
    pub options: &'a Options,
    pub listener: &'a CallbackListener,
    pub configuration: &'a Configuration,
}

/// One request that is to be sent.
#[derive(Clone)]
struct Request {
    key: RequestKey,
    minted: RequestIds,
    sent: RawFields,
    calls: usize,
}

impl RequestSender<'_> {
    /// Checks that the target calls back the address in the request. The content of the call does not matter.
    pub async fn probe(&self, instance: Instance) -> Result<Instance, RunError> {
        let minted = request::mint(Seed(self.options.seed).part("probe"), 0);
        let line = format!("00-{}-{}-01", minted.trace_id, minted.parent_id).into_bytes();
        let request = Request { key: PROBE, minted, sent: vec![(b"traceparent".to_vec(), line)], calls: 1 };
        let answer = self.send(&instance, &request).await;
        if !self.listener.calls(PROBE).is_empty() {
            return Ok(instance);
        }
        let why = match answer {
            TargetAnswer::Status(status) => format!("it answered {status}"),
            TargetAnswer::None(within) => format!("no answer within {} s", within.as_secs_f32()),
            TargetAnswer::BrokenOff(why) | TargetAnswer::NotSent(why) => why,
            TargetAnswer::Ended(how, _) => format!("it ended, {how}"),
        };
        Err(RunError::NotCalledBack { address: instance.address.to_string(), why })
    }

    /// Sends every request of these vectors, and stops the instance at the end.
    pub async fn all(
        &self,
        instance: Instance,
        vectors: &[Trial<'_>],
        chosen: &[usize],
    ) -> BTreeMap<usize, Vec<VectorExchange>> {
        let mut queue: VecDeque<Request> = VecDeque::new();
        for at in chosen {
            queue.extend(self.requests(vectors[*at], *at));
        }
        let mut answers: Vec<(Request, TargetAnswer)> = Vec::new();
        let mut process = TargetProcess { instance: Some(instance), starts: 1 };
        while !queue.is_empty() {
            let mut suspects = Vec::new();
            for (request, answer) in self.in_parallel(&mut process, &mut queue).await {
                let ended = matches!(answer, TargetAnswer::Ended(..));
                let list = if ended { &mut suspects } else { &mut answers };
                list.push((request, answer));
            }
            answers.extend(self.one_by_one(&mut process, suspects).await);
        }
        if let Some(instance) = process.instance.take() {
            instance.stop().await;
        }
        let mut exchanges: BTreeMap<usize, Vec<VectorExchange>> = BTreeMap::new();
        answers.sort_by_key(|(request, _)| request.key);
        for (Request { key, minted, sent, .. }, answer) in answers {
            let calls = self.listener.calls(key);
            exchanges.entry(key.vector).or_default().push(VectorExchange { minted, sent, answer, calls });
        }
        exchanges
    }

    fn requests(&self, planned: Trial<'_>, vector: usize) -> impl Iterator<Item = Request> {
        let seed = Seed(self.options.seed).part(&planned.title());
        let (fields, calls) = (&planned.vector.send, planned.vector.calls);
        (0..planned.vector.requests).map(move |number| {
            let minted = request::mint(seed, number);
            let sent = fields.iter().map(|(name, value)| (name.fill(&minted), value.fill(&minted))).collect();
            Request { key: RequestKey { vector, request: number }, minted, sent, calls }
        })
    }

    /// Sends from the queue until it is empty or the target has ended.
    async fn in_parallel(
        &self,
        process: &mut TargetProcess,
        queue: &mut VecDeque<Request>,
    ) -> Vec<(Request, TargetAnswer)> {
        let instance = match process.instance(self).await {
            Ok(instance) => instance,
            Err(error) => {
                let why = error_chain::one_line(&error);
                return queue
                    .drain(..)
                    .map(|request| (request, TargetAnswer::NotSent(why.clone())))
                    .collect();
            }
        };
        let mut pending = FuturesUnordered::new();
        let mut answers = Vec::new();
        loop {
            while pending.len() < self.options.jobs.max(1) && !instance.has_ended() {
                let Some(request) = queue.pop_front() else { break };
                pending.push(async move {
                    let answer = self.send(instance, &request).await;
                    (request, answer)
                });
            }
            match pending.next().await {
                Some(answered) => answers.push(answered),
                None => return answers,
            }
        }
    }

    /// Finds the request that ends the target, among those that were in progress: sends each again, alone.
    async fn one_by_one(
        &self,
        process: &mut TargetProcess,
        suspects: Vec<(Request, TargetAnswer)>,
    ) -> Vec<(Request, TargetAnswer)> {
        if suspects.len() < 2 {
            return suspects;
        }
        let mut answers = Vec::new();
        for (request, _) in suspects {
            self.listener.forget(request.key);
            let answer = match process.instance(self).await {
                Ok(instance) => self.send(instance, &request).await,
                Err(error) => TargetAnswer::NotSent(error_chain::one_line(&error)),
            };
            answers.push((request, answer));
        }
        answers
    }

    async fn send(&self, instance: &Instance, request: &Request) -> TargetAnswer {
        let deadline = Instant::now() + self.options.timeout;
        let urls: Vec<String> = (0..request.calls).map(|call| self.listener.url(request.key, call)).collect();
        let bytes = request::bytes(&instance.address, &request.sent, &request::steps(&urls));
        let exchanged = async {
            let stream = TcpStream::connect(instance.socket).await.map_err(ExchangeError::Connect)?;
            let _ = stream.set_nodelay(true);
            raw::request(stream, &bytes, false).await.map_err(ExchangeError::Answer)
        };
        let answer = match timeout_at(deadline, exchanged).await {
            Ok(Ok(status)) => TargetAnswer::Status(status),
            Ok(Err(error)) => match instance.end_within(END_IS_KNOWN).await {
                Some((how, lines)) => TargetAnswer::Ended(how, lines),
                None => error.answer(instance),
            },
            Err(_) => TargetAnswer::None(self.options.timeout),
        };
        self.listener.answered(request.key);
        if matches!(answer, TargetAnswer::Status(status) if status < 400) {
            let deadline = Instant::now() + LATE_CALLS.min(self.options.timeout);
            self.listener.until_called(request.key, request.calls, deadline).await;
        }
        answer
    }
}

enum ExchangeError {
    Connect(std::io::Error),
    Answer(std::io::Error),
}

impl ExchangeError {
    fn answer(self, instance: &Instance) -> TargetAnswer {
        match self {
            ExchangeError::Connect(error) => {
                TargetAnswer::NotSent(format!("cannot connect to {}: {error}", instance.address))
            }
            ExchangeError::Answer(error) => TargetAnswer::BrokenOff(error.to_string()),
        }
    }
}

/// The reason why the target is not started again.
#[derive(Debug, thiserror::Error)]
enum RestartError {
    #[error("the target ended {MOST_STARTS} times and is not started again")]
    TooOften,
    #[error(transparent)]
    Start(#[from] InstanceError),
}

/// The target's process; it is started again after it ends.
struct TargetProcess {
    instance: Option<Instance>,
    starts: usize,
}

impl TargetProcess {
    async fn instance(&mut self, sender: &RequestSender<'_>) -> Result<&Instance, RestartError> {
        let alive = self.instance.take().filter(|instance| !instance.has_ended());
        let instance = match alive {
            Some(instance) => instance,
            None if self.starts >= MOST_STARTS => return Err(RestartError::TooOften),
            None => {
                self.starts += 1;
                Instance::start(sender.target, sender.configuration).await?
            }
        };
        Ok(self.instance.insert(instance))
    }
}
