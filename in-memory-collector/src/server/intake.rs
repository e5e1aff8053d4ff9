//! From the bytes of a message to the store: JSON to protobuf, validation, insert, wake.

use bytes::Bytes;

use super::call::Ticket;
use super::compression::decompress;
use super::refusal::Refusal;
use crate::fault::Fault;
use crate::fault::kind::Ending;
use crate::json::read as json;
use crate::scan::{count, logs, metrics, traces, written_traces};
use crate::schema::{EXPORT_LOGS, EXPORT_METRICS, EXPORT_PROFILES, EXPORT_TRACES, Message};
use crate::store::insert::SpanBatch;
use crate::store::{Compression, Encoding, Outcome, Signal};

/// From this size on a message is worked on outside of the threads that serve connections.
const LARGE: usize = 1 << 20;

/// Stores a message and notes the request, whichever way it ends.
pub async fn take(ticket: Ticket, wire: Bytes) -> Result<(), Ending> {
    let (endpoint, signal) = (ticket.endpoint.clone(), ticket.signal());
    let message = take_in(ticket, wire).await?;
    match endpoint.forwarder.get() {
        Some(forwarder) => forwarder.forward(signal, message).await.map_err(Ending::Refusal),
        None => Ok(()),
    }
}

/// Stores a message, and returns it as protobuf.
async fn take_in(ticket: Ticket, wire: Bytes) -> Result<Bytes, Ending> {
    let compressed = ticket.compression() != Compression::Identity;
    if wire.len() < LARGE && !(compressed && wire.len() > LARGE / 16) {
        return take_now(ticket, wire);
    }
    match tokio::task::spawn_blocking(|| take_now(ticket, wire)).await {
        Ok(result) => result,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

fn take_now(mut ticket: Ticket, wire: Bytes) -> Result<Bytes, Ending> {
    match store(&mut ticket, wire) {
        Ok(message) => ticket.fault.take().map_or(Ok(message), |fault| Err(Ending::Fault(fault))),
        Err(refusal) => {
            ticket.finish(Outcome::Refused(refusal.clone()));
            Err(Ending::Refusal(refusal))
        }
    }
}

fn store(ticket: &mut Ticket, wire: Bytes) -> Result<Bytes, Refusal> {
    let limit = ticket.endpoint.shared.limits.message_bytes;
    let message = decompress(ticket.compression(), wire, limit, &mut ticket.admission)?;
    ticket.record().message_bytes = message.len() as u64;
    let message = match ticket.record().encoding {
        Encoding::Json => Bytes::from(json::read(schema(ticket.signal()), &message).map_err(malformed)?),
        Encoding::Protobuf | Encoding::Other => message,
    };
    match ticket.signal() {
        Signal::Traces => store_traces(ticket, &message)?,
        Signal::Logs => store_logs(ticket, &message)?,
        Signal::Metrics => store_metrics(ticket, &message)?,
        Signal::Profiles => store_profiles(ticket, &message)?,
    }
    Ok(message)
}

fn schema(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => &EXPORT_TRACES,
        Signal::Logs => &EXPORT_LOGS,
        Signal::Metrics => &EXPORT_METRICS,
        Signal::Profiles => &EXPORT_PROFILES,
    }
}

fn malformed(fault: impl ToString) -> Refusal {
    Refusal::Malformed(fault.to_string())
}

fn store_traces(ticket: &mut Ticket, message: &[u8]) -> Result<(), Refusal> {
    let scanned = match ticket.record().encoding {
        Encoding::Json => written_traces(message),
        Encoding::Protobuf | Encoding::Other => traces(message),
    };
    let (mut batch, links) = scanned.map_err(malformed)?;
    ticket.record().items = batch.items.len() as u64;
    let endpoint = ticket.endpoint.clone();
    choose_fault(ticket, batch.items.iter().map(|span| span.trace_id));
    let Some(outcome) = outcome(ticket, &mut batch.items) else { return Ok(()) };
    let shared = &endpoint.shared;
    let mut store = shared.store();
    let watched = shared.parked.any();
    let spans = SpanBatch { batch: &batch, links: &links };
    let stored = store.insert_spans(&endpoint.name, spans, shared.clock.now(), watched)?;
    ticket.record().duplicates = u64::from(stored.duplicates);
    store.note(ticket.take_record(outcome));
    drop(store);
    shared.stored(&stored.touched);
    Ok(())
}

fn store_logs(ticket: &mut Ticket, message: &[u8]) -> Result<(), Refusal> {
    let mut batch = logs(message).map_err(malformed)?;
    ticket.record().items = batch.items.len() as u64;
    let endpoint = ticket.endpoint.clone();
    choose_fault(ticket, batch.items.iter().map(|record| record.trace_id));
    let Some(outcome) = outcome(ticket, &mut batch.items) else { return Ok(()) };
    let shared = &endpoint.shared;
    let mut store = shared.store();
    let stored = store.insert_logs(&endpoint.name, &batch, shared.clock.now())?;
    store.note(ticket.take_record(outcome));
    drop(store);
    shared.stored(&stored.touched);
    Ok(())
}

/// Counts the points, and keeps names and exemplars.
fn store_metrics(ticket: &mut Ticket, message: &[u8]) -> Result<(), Refusal> {
    ticket.record().items = count::metrics(message).map_err(malformed)?;
    let Some(outcome) = outcome(ticket, &mut Vec::<()>::new()) else { return Ok(()) };
    let endpoint = ticket.endpoint.clone();
    let mut store = endpoint.shared.store();
    store.insert_metrics(metrics(message))?;
    store.note(ticket.take_record(outcome));
    drop(store);
    endpoint.shared.stored(&[]);
    Ok(())
}

/// Counts profiles, and keeps none.
fn store_profiles(ticket: &mut Ticket, message: &[u8]) -> Result<(), Refusal> {
    ticket.record().items = count::profiles(message).map_err(malformed)?;
    let Some(outcome) = outcome(ticket, &mut Vec::<()>::new()) else { return Ok(()) };
    let record = ticket.take_record(outcome);
    ticket.endpoint.shared.store().note(record);
    ticket.endpoint.shared.stored(&[]);
    Ok(())
}

fn choose_fault<'a>(ticket: &mut Ticket, traces: impl Iterator<Item = &'a [u8]> + Clone) {
    if ticket.fault.is_none() {
        ticket.fault = ticket.endpoint.faults.for_traces(ticket.signal(), traces);
    }
}

/// Returns the outcome of a stored request for its record, after the faults removed what is not kept. Nothing if its
/// fault forbids to store it; then it is noted already.
fn outcome<Item>(ticket: &mut Ticket, items: &mut Vec<Item>) -> Option<Outcome> {
    let Some(fault) = &ticket.fault else { return Some(Outcome::Accepted) };
    let name = fault.to_string();
    if !fault.stores() {
        let record = ticket.take_record(Outcome::Faulted { fault: name, stored: false });
        ticket.endpoint.shared.note(record);
        return None;
    }
    items.truncate(fault.kept(items.len()));
    Some(match fault {
        Fault::PartialSuccess { rejected, message } => {
            Outcome::PartlyRefused { refused: *rejected, message: message.clone() }
        }
        _ => Outcome::Faulted { fault: name, stored: true },
    })
}
