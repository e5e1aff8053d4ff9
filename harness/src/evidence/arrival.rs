//! The arrival of a span: the export request that brought it, and the process that sent this request.
//!
//! It is for a run that waits, not for judging: no file keeps it. Of the resource only what tells one process from
//! another is read (OpenTelemetry semantic conventions, "Service", "Process", "Host").

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use in_memory_collector as collector;

use super::span_owner;
use crate::plan::Plan;

/// The arrival of one span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanArrival {
    /// The number of the export request, over all nodes. Spans of one request have no order.
    pub request: u64,
    pub process: ExportingProcess,
}

/// The attributes that tell the processes of a node apart, as far as its exports show them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportingProcess {
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// `host.name`.
    pub host: Option<String>,
    /// `process.pid`.
    pub pid: Option<String>,
    /// The connection of the exporter, where the resource may be that of several processes.
    pub connection: Option<SocketAddr>,
}

/// The languages whose servers fork workers after the resource was made, so that a process id may be the parent's.
const FORKING: &[&str] = &["php", "python", "ruby"];

impl ExportingProcess {
    fn of(resource: &collector::Resource) -> ExportingProcess {
        let text = |key: &str| match resource.attributes.get(key)? {
            collector::Value::String(text) if text.is_empty() => None,
            collector::Value::String(text) => Some(text.clone()),
            collector::Value::Int(number) => Some(number.to_string()),
            _ => None,
        };
        let (instance, host, pid) = (text("service.instance.id"), text("host.name"), text("process.pid"));
        ExportingProcess { instance, host, pid, connection: None }
    }

    fn without_connection(&self) -> ExportingProcess {
        ExportingProcess { connection: None, ..self.clone() }
    }

    /// Returns whether the resource alone tells one process from another.
    fn is_sure(&self, language: Option<&str>) -> bool {
        self.pid.is_some() && language.is_none_or(|language| !FORKING.contains(&language))
    }
}

/// As a report names it: the beginning of the instance id, or the process id, or the port of the connection.
impl fmt::Display for ExportingProcess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.instance, &self.pid, &self.connection) {
            (Some(instance), _, _) => instance.chars().take(8).try_for_each(|letter| write!(out, "{letter}")),
            (None, Some(pid), _) => write!(out, "{pid}"),
            (None, None, Some(connection)) => write!(out, "connection {}", connection.port()),
            (None, None, None) => out.write_str("unknown"),
        }
    }
}

/// Returns how each span came, in the order of `collected::collect`. Called after it, this has at least as many.
pub fn arrivals(collector: &collector::Collector, plan: &Plan) -> Vec<SpanArrival> {
    let spans = collector.spans();
    let peers: HashMap<u64, SocketAddr> =
        collector.requests().into_iter().map(|request| (request.sequence, request.peer)).collect();
    let mut known: HashMap<*const collector::Origin, (ExportingProcess, bool)> = HashMap::new();
    let mut arrivals = Vec::with_capacity(spans.len());
    for span in &spans {
        if span_owner::node(plan, span.endpoint(), || span.service_name()).is_none() {
            continue;
        }
        let (identity, sure) = known.entry(Arc::as_ptr(span.origin())).or_insert_with(|| {
            let resource = span.resource();
            let identity = ExportingProcess::of(&resource);
            let sure = identity.is_sure(resource.attributes.text("telemetry.sdk.language"));
            (identity, sure)
        });
        let connection = if *sure { None } else { peers.get(&span.request()).copied() };
        let process = ExportingProcess { connection, ..identity.clone() };
        arrivals.push(SpanArrival { request: span.request(), process });
    }
    arrivals
}

/// Removes from the arrivals of one process the connections that followed each other: its exporter connected again.
/// Connections that were used in turns stay, for they may be those of two processes.
pub fn without_reconnections(mut arrivals: BTreeMap<usize, SpanArrival>) -> BTreeMap<usize, SpanArrival> {
    let mut connections: BTreeMap<ExportingProcess, BTreeMap<Option<SocketAddr>, RangeInclusive<u64>>> =
        BTreeMap::new();
    for arrival in arrivals.values() {
        let ranges = connections.entry(arrival.process.without_connection()).or_default();
        let range = ranges.entry(arrival.process.connection).or_insert(arrival.request..=arrival.request);
        *range = *range.start().min(&arrival.request)..=*range.end().max(&arrival.request);
    }
    connections.retain(|_, ranges| {
        let mut ranges: Vec<&RangeInclusive<u64>> = ranges.values().collect();
        ranges.sort_by_key(|range| *range.start());
        ranges.windows(2).all(|pair| pair[0].end() < pair[1].start())
    });
    for arrival in arrivals.values_mut() {
        let joined = arrival.process.without_connection();
        if connections.contains_key(&joined) {
            arrival.process = joined;
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(request: u64, instance: &str, port: u16) -> SpanArrival {
        let connection = Some(SocketAddr::from(([127, 0, 0, 1], port)));
        SpanArrival { request, process: ExportingProcess { connection, ..identity(Some(instance), None) } }
    }

    #[test]
    fn connections_that_follow_each_other_are_of_one_process() {
        let seen = [arrival(1, "a", 1), arrival(2, "a", 1), arrival(3, "a", 2), arrival(7, "a", 3)];
        let joined = without_reconnections(seen.into_iter().enumerate().collect());
        let one = identity(Some("a"), None);
        assert!(joined.values().all(|arrival| arrival.process == one), "{joined:?}");
    }

    #[test]
    fn connections_in_turns_stay_apart_and_other_processes_are_left_alone() {
        let seen = [
            arrival(1, "a", 1),
            arrival(2, "a", 2),
            arrival(3, "a", 1),
            arrival(4, "b", 4),
            arrival(5, "b", 5),
        ];
        let joined = without_reconnections(seen.into_iter().enumerate().collect());
        let ports: Vec<_> =
            joined.values().map(|arrival| arrival.process.connection.map(|one| one.port())).collect();
        assert_eq!(ports, [Some(1), Some(2), Some(1), None, None]);
    }

    fn identity(instance: Option<&str>, pid: Option<&str>) -> ExportingProcess {
        let own = |text: Option<&str>| text.map(str::to_owned);
        ExportingProcess { instance: own(instance), pid: own(pid), ..ExportingProcess::default() }
    }

    #[test]
    fn a_process_id_is_trusted_where_nothing_forks_after_it_was_read() {
        let cases = [
            (identity(Some("a"), Some("7")), Some("nodejs"), true),
            (identity(None, Some("7")), Some("go"), true),
            (identity(None, Some("7")), Some("ruby"), false),
            (identity(Some("a"), None), Some("python"), false),
            (identity(None, None), Some("go"), false),
        ];
        for (identity, language, sure) in cases {
            assert_eq!(identity.is_sure(language), sure, "{identity:?} {language:?}");
        }
    }

    #[test]
    fn a_process_is_named_shortly() {
        assert_eq!(identity(Some("1f92e637-5f1e-4085"), Some("7")).to_string(), "1f92e637");
        assert_eq!(identity(None, Some("4711")).to_string(), "4711");
        let connection = Some(SocketAddr::from(([127, 0, 0, 1], 43_808)));
        assert_eq!(ExportingProcess { connection, ..Default::default() }.to_string(), "connection 43808");
    }
}
