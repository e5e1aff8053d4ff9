//! Sends the stimuli: one file for each transport, with the same function names in each.
//!
//! `Driver::new` prepares everything before the first stimulus is sent; nothing here fails after that: a stimulus
//! without an answer is evidence. Answers are read to their end and discarded, because the work of a service while it
//! answers belongs to the exchange. Nothing is sent twice: there are no retries, redirects or proxies. Everything runs
//! on the calling task, so dropping a future cancels the requests in progress.

mod error;
#[cfg(any(feature = "http", feature = "grpc"))]
mod fields;
mod filling;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(all(feature = "http", feature = "tls"))]
mod https;
#[cfg(feature = "kafka")]
mod kafka;
mod outgoing;
#[cfg(feature = "http")]
mod preflight;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "http")]
pub(crate) mod raw;
// A build without a transport does not use the fields that only this transport reads.
#[cfg_attr(
    not(all(feature = "http", feature = "grpc", feature = "kafka", feature = "rabbitmq", feature = "sqs")),
    allow(dead_code)
)]
mod route;
#[cfg(feature = "sqs")]
pub(crate) mod sqs;
#[cfg(feature = "tls")]
#[cfg_attr(not(any(feature = "http", feature = "grpc")), allow(dead_code))]
mod tls;
#[cfg_attr(not(feature = "http"), allow(dead_code))]
mod websocket;

use std::ffi::OsString;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::time::error::Elapsed;

pub use error::DriverError;
pub(crate) use outgoing::instruction_message;

use crate::evidence::{Answer, Capture, Exchange, Preflight, Recorder, mark_of};
use crate::plan::{Plan, Stimulus, StimulusIx};
use crate::runtime::Addresses;
use filling::Scope;
use outgoing::OutgoingRequest;
use route::{DriveRoute, Way};

/// Everything that is needed to send the stimuli of a plan.
pub struct Driver {
    plan: Arc<Plan>,
    addresses: Addresses,
    clock: Recorder,
    /// One for each drive.
    routes: Vec<DriveRoute>,
    #[cfg(feature = "http")]
    http: http::Http,
    #[cfg(feature = "grpc")]
    grpc: grpc::Grpc,
    #[cfg(feature = "kafka")]
    kafka: kafka::Kafka,
    #[cfg(feature = "rabbitmq")]
    rabbitmq: rabbitmq::RabbitMq,
    #[cfg(feature = "sqs")]
    sqs: sqs::Sqs,
}

impl Driver {
    /// Reads the environment variables that the drives name; exchanges have the times of `clock`.
    pub fn new(plan: Arc<Plan>, addresses: Addresses, clock: Recorder) -> Result<Self, DriverError> {
        let mut routes = Vec::new();
        for drive in &plan.scenario.drives {
            let scope = Scope {
                plan: &plan,
                addresses: &addresses,
                variable: &environment_variable,
                hop: drive.send,
            };
            routes.push(DriveRoute::new(drive, &scope)?);
        }
        let driver = Self {
            #[cfg(feature = "http")]
            http: http::Http::new(&routes, addresses.authority.as_deref())?,
            #[cfg(feature = "grpc")]
            grpc: grpc::Grpc::new(&routes, addresses.authority.as_deref(), addresses.hops.len())?,
            #[cfg(feature = "kafka")]
            kafka: kafka::Kafka::new(&routes)?,
            #[cfg(feature = "rabbitmq")]
            rabbitmq: rabbitmq::RabbitMq::new(&routes)?,
            #[cfg(feature = "sqs")]
            sqs: sqs::Sqs::new(&routes)?,
            plan,
            addresses,
            clock,
            routes,
        };
        driver.check()?;
        Ok(driver)
    }

    /// Checks that the first stimulus of each drive can be sent, which holds for all of them then.
    fn check(&self) -> Result<(), DriverError> {
        for (ix, route) in self.routes.iter().enumerate() {
            let Some(first) = self.plan.stimuli.iter().find(|stimulus| stimulus.drive == ix) else {
                continue;
            };
            let outgoing = OutgoingRequest::new(&self.plan, route, first, &self.addresses)?;
            match &route.way {
                #[cfg(feature = "http")]
                Way::Http { version, .. } => http::check(route, &outgoing, *version)?,
                #[cfg(feature = "grpc")]
                Way::Grpc { .. } => grpc::check(route, &outgoing)?,
                #[cfg(feature = "kafka")]
                Way::Kafka { .. } => kafka::check(route, &outgoing)?,
                #[cfg(feature = "rabbitmq")]
                Way::RabbitMq { .. } => rabbitmq::check(route, &outgoing)?,
                #[cfg(feature = "sqs")]
                Way::Sqs { .. } => sqs::check(route, &outgoing)?,
                #[allow(unreachable_patterns, reason = "a build with every transport has no other")]
                _ => return Err(not_built(route, &outgoing)),
            }
        }
        Ok(())
    }

    /// Awaits the answer until the deadline. A client that hangs up does so after its request has arrived, however slow
    /// the machine is.
    async fn bounded(
        &self,
        route: &DriveRoute,
        planned: &Stimulus,
        mut exchange: Pin<&mut impl Future<Output = Answer>>,
    ) -> Result<Answer, Elapsed> {
        let seen = self.plan.hop_taps[planned.hop.0].is_some();
        if seen && self.plan.scenario.drives[planned.drive].hangs_up {
            let arrived = tokio::time::timeout(self.plan.scenario.timeout, self.arrived(planned));
            tokio::select! {
                answer = &mut exchange => return Ok(answer),
                _ = arrived => {}
            }
        }
        tokio::time::timeout(route.deadline, exchange).await
    }

    /// Resolves when the tap has seen the request of a stimulus.
    async fn arrived(&self, planned: &Stimulus) {
        let mut changes = self.clock.watch();
        while !self.clock.look(|captures| captures.iter().rev().any(|capture| belongs_to(capture, planned))) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Sends one stimulus; resolves when its answer is complete, its connection is broken, or its deadline has passed.
    pub async fn send(&self, stimulus: StimulusIx) -> Exchange {
        self.send_planned(self.plan.stimulus(stimulus)).await
    }

    /// Sends a stimulus that need not be one of the plan, as `send` does.
    pub async fn send_planned(&self, planned: &Stimulus) -> Exchange {
        let route = &self.routes[planned.drive];
        let outgoing = OutgoingRequest::new(&self.plan, route, planned, &self.addresses);
        let sent_nanos = self.clock.now();
        let answer = match outgoing {
            Ok(outgoing) => {
                let exchange = std::pin::pin!(self.exchange(route, outgoing));
                self.bounded(route, planned, exchange).await
            }
            Err(error) => Ok(Answer::Failed(error.to_string())),
        };
        let answer = answer.unwrap_or(Answer::TimedOut);
        let answered = matches!(answer, Answer::Http(_) | Answer::Grpc(_) | Answer::Accepted);
        Exchange {
            stimulus: planned.ix,
            sent_nanos,
            answered_nanos: answered.then(|| self.clock.now()),
            answer,
        }
    }

    /// Sends the preflights of all drives with an `origin`, one after the other. Returns their answers.
    pub async fn preflights(&self) -> Vec<Preflight> {
        let mut preflights = Vec::new();
        for (drive, route) in self.routes.iter().enumerate() {
            let Some(origin) = &route.origin else { continue };
            let Some(first) = self.plan.stimuli.iter().find(|stimulus| stimulus.drive == drive) else {
                continue;
            };
            preflights.push(self.preflight(route, first, origin).await);
        }
        preflights
    }

    /// Sends a preflight for a stimulus; without an answer by the deadline it allows nothing.
    async fn preflight(&self, route: &DriveRoute, of: &Stimulus, origin: &str) -> Preflight {
        let failed = |answer| Preflight {
            drive: of.drive,
            answer,
            allowed_origins: Vec::new(),
            allowed_headers: Vec::new(),
        };
        match OutgoingRequest::new(&self.plan, route, of, &self.addresses) {
            #[cfg(feature = "http")]
            Ok(request) => {
                let hop = self.plan.scenario.hop(of.hop);
                let version = route.way.http_version();
                let request = preflight::request(request, origin, hop, &of.mark.to_string());
                let sending = self.http.preflight(route, request, version, failed(Answer::TimedOut));
                let answered = tokio::time::timeout(route.deadline, sending).await;
                answered.unwrap_or_else(|_| failed(Answer::TimedOut))
            }
            #[cfg(not(feature = "http"))]
            Ok(request) => failed(Answer::Failed(format!("{origin}: {}", not_built(route, &request)))),
            Err(error) => failed(Answer::Failed(error.to_string())),
        }
    }

    /// Runs all drives one after the other, each with the concurrency that it declares. Returns the exchanges in the
    /// order of the stimuli; calls `on_each` as each of them ends.
    pub async fn drive_all(&self, on_each: impl Fn(&Exchange)) -> Vec<Exchange> {
        let mut exchanges = Vec::with_capacity(self.plan.stimuli.len());
        for (ix, drive) in self.plan.scenario.drives.iter().enumerate() {
            let own = self.plan.stimuli.iter().filter(|stimulus| stimulus.drive == ix);
            let own: Vec<StimulusIx> = own.map(|stimulus| stimulus.ix).collect();
            let at_once = usize::try_from(drive.concurrency).unwrap_or(usize::MAX).max(1);
            let sending = stream::iter(own.into_iter().map(|stimulus| self.send(stimulus)));
            let mut under_way = std::pin::pin!(sending.buffer_unordered(at_once));
            while let Some(exchange) = under_way.next().await {
                on_each(&exchange);
                exchanges.push(exchange);
            }
        }
        exchanges.sort_by_key(|exchange| exchange.stimulus);
        exchanges
    }

    async fn exchange(&self, route: &DriveRoute, outgoing: OutgoingRequest) -> Answer {
        match &route.way {
            #[cfg(feature = "http")]
            Way::Http { version, .. } => self.http.send(route, outgoing, *version).await,
            #[cfg(feature = "grpc")]
            Way::Grpc { stream, .. } => self.grpc.send(route, outgoing, *stream).await,
            #[cfg(feature = "kafka")]
            Way::Kafka { .. } => self.kafka.send(route, outgoing).await,
            #[cfg(feature = "rabbitmq")]
            Way::RabbitMq { .. } => self.rabbitmq.send(route, outgoing).await,
            #[cfg(feature = "sqs")]
            Way::Sqs { .. } => self.sqs.send(route, outgoing).await,
            #[allow(unreachable_patterns, reason = "a build with every transport has no other")]
            _ => Answer::Failed(not_built(route, &outgoing).to_string()),
        }
    }
}

/// Omits the headers, which may contain secrets.
impl fmt::Debug for Driver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Driver").field("drives", &self.routes.len()).finish_non_exhaustive()
    }
}

fn environment_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns whether a capture carries the mark or the context of a stimulus.
fn belongs_to(capture: &Capture, planned: &Stimulus) -> bool {
    let marked = mark_of(&capture.marked).is_some_and(|mark| mark.stimulus == planned.ix);
    let sent = planned.sent.fields.first();
    marked || sent.is_some_and(|(name, value)| capture.values(name).any(|seen| seen == value))
}

fn not_built(route: &DriveRoute, _: &OutgoingRequest) -> DriverError {
    let feature = match route.way {
        Way::Http { .. } => "http",
        Way::Grpc { .. } => "grpc",
        Way::Kafka { .. } => "kafka",
        Way::RabbitMq { .. } => "rabbitmq",
        Way::Sqs { .. } => "sqs",
    };
    DriverError::NotBuilt { hop: route.hop_name.clone(), feature }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "grpc", feature = "tls"))]
mod tests;
