//! The instructions of relays: the hops of a scenario as a tree of calls (`fixtures/CONTRACT.md`).

use serde_json::{Value, json};

use super::Plan;
use super::fan_out::{ends_at_a_relay, fan_out, readers};
use super::index::{CallIx, StimulusIx};
use super::mark::Mark;
use crate::scenario::{HopIx, Node, RestartSide, Scenario, Step, Transport};

/// One crossing that is due: a hop below the call that causes it.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    pub hop: HopIx,
    /// `None` for what the driver itself sends.
    pub parent: Option<CallIx>,
    /// The number of messages that a relay sends in one batch; 1 for everything else.
    pub items: u32,
    /// The instruction of the receiver, if it is a relay.
    pub task: Vec<Task>,
}

/// One step of an instruction, its addresses still names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Log(String),
    Wait(u64),
    Spawn(Vec<Task>),
    Retry(u32, Vec<Task>),
    Restart(Vec<Task>),
    /// `500`, `panic`, `nack` or `reject`.
    Fail(String),
    Call(CallIx),
}

/// Returns the calls of a scenario: for each driven hop a tree, callers before callees.
pub fn calls_of(scenario: &Scenario) -> Vec<PlannedCall> {
    let mut calls = Vec::new();
    let mut driven: Vec<HopIx> = Vec::new();
    for drive in &scenario.drives {
        if !driven.contains(&drive.send) {
            driven.push(drive.send);
            add_call(scenario, Dispatch { hop: drive.send, items: 1 }, None, &mut calls);
        }
    }
    calls
}

/// A request or a batch of messages that is sent over a hop at once.
#[derive(Clone, Copy)]
struct Dispatch {
    hop: HopIx,
    items: u32,
}

fn add_call(
    scenario: &Scenario,
    send: Dispatch,
    parent: Option<CallIx>,
    calls: &mut Vec<PlannedCall>,
) -> CallIx {
    let ix = CallIx(calls.len());
    calls.push(PlannedCall { hop: send.hop, parent, items: send.items, task: Vec::new() });
    let readers = readers(scenario, send.hop);
    let relays: Vec<HopIx> =
        readers.iter().copied().filter(|reader| ends_at_a_relay(scenario, *reader)).collect();
    let mut task = Vec::new();
    for reader in &readers {
        // All readers read one body, and only relays follow it.
        let instructed = relays.is_empty() || relays.contains(reader);
        for below in scenario.hops_within(*reader).filter(|below| is_sent_first(scenario, *below)) {
            for send in sends(scenario, below) {
                let call = add_call(scenario, send, Some(ix), calls);
                if instructed {
                    task.extend(around(scenario, below, call));
                }
            }
        }
    }
    let instructed = readers.iter().filter(|reader| relays.is_empty() || relays.contains(reader));
    let steps = instructed.flat_map(|reader| &scenario.hop(*reader).steps);
    task.extend(steps.filter_map(|step| match step {
        Step::Fail(how) => Some(Task::Fail(how.clone())),
        _ => None,
    }));
    calls[ix.0].task = task;
    ix
}

/// Returns whether the hop is the first of those that share a message: it stands for all. A dead letter is moved, not
/// sent.
fn is_sent_first(scenario: &Scenario, hop: HopIx) -> bool {
    scenario.hop(hop).dead_letter_of.is_none() && fan_out(scenario, hop).first() == Some(&hop)
}

/// Returns what is sent over a hop below another. A relay sends in batches what is read in batches.
fn sends(scenario: &Scenario, hop: HopIx) -> Vec<Dispatch> {
    let times = scenario.hop(hop).times.min.max(1);
    if scenario.hop(hop).steps.iter().any(|step| matches!(step, Step::Retry(_))) {
        return vec![Dispatch { hop, items: 1 }];
    }
    let relay = scenario.node(scenario.hop(hop).from).kind.keeps_relay_contract();
    let batch =
        fan_out(scenario, hop).into_iter().filter_map(|hop| scenario.hop(hop).transport.batch()).max();
    let most = if relay { batch.unwrap_or(1).max(1) } else { 1 };
    let full = std::iter::repeat_n(most, usize::try_from(times / most).expect("at most ten thousand"));
    let rest = (!times.is_multiple_of(most)).then_some(times % most);
    full.chain(rest).map(|items| Dispatch { hop, items }).collect()
}

/// Returns the call with the sender's steps around it, the first step outermost; a wait or a log stands before what
/// follows.
fn around(scenario: &Scenario, hop: HopIx, call: CallIx) -> Vec<Task> {
    let hop = scenario.hop(hop);
    let restarts = hop.relation.restarts_at() == Some(RestartSide::Sender);
    let has_step = hop.steps.contains(&Step::Restart);
    let mut tasks = vec![Task::Call(call)];
    if restarts && !has_step {
        tasks = vec![Task::Restart(tasks)];
    }
    for step in hop.steps.iter().rev() {
        match step {
            Step::Wait(time) => {
                tasks.insert(0, Task::Wait(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
            }
            Step::Log(text) => tasks.insert(0, Task::Log(text.clone())),
            Step::Spawn => tasks = vec![Task::Spawn(tasks)],
            Step::Retry(times) => tasks = vec![Task::Retry(*times, tasks)],
            Step::Restart => tasks = vec![Task::Restart(tasks)],
            Step::Fail(_) => {}
        }
    }
    tasks
}

/// Returns the call whose receiver reads what is sent with `call`: a forwarder passes it to the next node.
fn read_by(plan: &Plan, call: CallIx) -> CallIx {
    let readers = readers(&plan.scenario, plan.calls[call.0].hop);
    let mut receivers = readers.iter().map(|reader| plan.scenario.node(plan.scenario.hop(*reader).to));
    let forwarded = receivers.any(Node::passes_bodies);
    let below =
        (call.0 + 1..plan.calls.len()).map(CallIx).find(|below| plan.calls[below.0].parent == Some(call));
    match below {
        Some(below) if forwarded => read_by(plan, below),
        _ => call,
    }
}

/// Returns the instruction for the receiver of `call`: its mark first, then its tasks, addresses filled in by `address`
/// (`host:port` that the sender of a hop calls).
pub fn render(
    plan: &Plan,
    call: CallIx,
    stimulus: StimulusIx,
    address: &dyn Fn(HopIx) -> Option<String>,
) -> Value {
    let call = read_by(plan, call);
    let mut steps = vec![json!({ "url": format!("mark:{}", mark(plan, call, stimulus)) })];
    steps.extend(tasks(plan, &plan.calls[call.0].task, stimulus, address));
    Value::Array(steps)
}

fn tasks(
    plan: &Plan,
    tasks_of: &[Task],
    stimulus: StimulusIx,
    address: &dyn Fn(HopIx) -> Option<String>,
) -> Vec<Value> {
    tasks_of
        .iter()
        .map(|task| match task {
            Task::Log(text) => json!({ "url": format!("log:{text}") }),
            Task::Wait(time_ms) => json!({ "url": format!("wait:{time_ms}") }),
            Task::Spawn(steps) => json!({ "url": "spawn:", "arguments": tasks(plan, steps, stimulus, address) }),
            Task::Retry(times, steps) => json!({ "url": format!("retry:{times}"), "arguments": tasks(plan, steps, stimulus, address) }),
            Task::Restart(steps) => json!({ "url": "restart:", "arguments": tasks(plan, steps, stimulus, address) }),
            Task::Fail(how) => json!({ "url": format!("fail:{how}") }),
            Task::Call(call) => {
                let hop = plan.calls[call.0].hop;
                let at = address(hop).unwrap_or_else(|| "127.0.0.1:0".to_owned());
                json!({ "url": call_url(plan, hop, &at, *call, stimulus), "arguments": render(plan, *call, stimulus, address) })
            }
        })
        .collect()
}

/// Returns the mark of a call as an instruction has it: below a batch each message has its own, because its relay puts
/// the message's number in place of `{i}`.
fn mark(plan: &Plan, call: CallIx, stimulus: StimulusIx) -> String {
    let mark = Mark { run: plan.run, stimulus, call: Some(call), item: None };
    let mut at = Some(call);
    while let Some(ix) = at {
        if plan.calls[ix.0].items > 1 {
            return format!("{mark}-{{i}}");
        }
        at = plan.calls[ix.0].parent;
    }
    mark.to_string()
}

/// Returns the address of a call as a relay reads it; towards a node that is no relay the mark goes into an open path
/// segment.
fn call_url(plan: &Plan, hop: HopIx, at: &str, call: CallIx, stimulus: StimulusIx) -> String {
    let hop = plan.scenario.hop(hop);
    let items = plan.calls[call.0].items;
    let batch = (items > 1).then(|| format!("batch={items}"));
    match &hop.transport {
        Transport::Http(http) => {
            let scheme = if hop.tls { "https" } else { "http" };
            let pattern = http.path.as_ref().map_or("/", |path| path.0.as_str());
            format!("{scheme}://{at}{}", filled(pattern, &mark(plan, call, stimulus)))
        }
        Transport::Grpc(grpc) if grpc.stream => format!("grpc://{at}?call=stream"),
        Transport::Grpc(_) => format!("grpc://{at}"),
        Transport::Kafka(kafka) => {
            let key = kafka.key.as_ref().map(|key| format!("key={}", escaped(key)));
            let options: Vec<String> = key.into_iter().chain(batch).collect();
            format!("{}{}", destination(&hop.transport).unwrap_or_default(), query(&options))
        }
        Transport::RabbitMq(_) | Transport::Sqs(_) => {
            format!("{}{}", destination(&hop.transport).unwrap_or_default(), query(batch.as_slice()))
        }
    }
}

/// Returns the destination of a hop's messages, as a relay reads it; `None` for a hop without a broker.
pub fn destination(transport: &Transport) -> Option<String> {
    match transport {
        Transport::Http(_) | Transport::Grpc(_) => None,
        Transport::Kafka(kafka) => Some(format!("kafka://{}", escaped(&kafka.topic))),
        Transport::RabbitMq(rabbit) => {
            let (exchange, key) = rabbit.published_to();
            Some(format!("amqp://{}/{}", escaped(exchange), escaped(&key)))
        }
        Transport::Sqs(sqs) => Some(format!("sqs://{}", escaped(&sqs.queue))),
    }
}

fn query(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) }
}

/// Percent-encodes all but the usual characters of names (relay contract, section 1).
pub fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Fills a pattern of a path: the first open segment becomes the mark, each further one `1`, a trailing `*` the
/// mark.
pub fn filled(pattern: &str, mark: &str) -> String {
    let mut marked = false;
    let segments = pattern.split('/').map(|segment| {
        let open = segment == "*" || (segment.starts_with('{') && segment.ends_with('}'));
        match (open, marked) {
            (false, _) => segment.to_owned(),
            (true, true) => "1".to_owned(),
            (true, false) => {
                marked = true;
                mark.to_owned()
            }
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
