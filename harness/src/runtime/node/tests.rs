//! `command:` nodes over real processes: how they start, how they fail, and that nothing of them stays.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::command;
use super::running::RunningNode;
use crate::evidence::{Completion, Recorder};
use crate::plan::{Plan, Seed};
use crate::runtime::broker::{BrokerAddress, BrokerReach};
use crate::runtime::error::RuntimeError;
use crate::runtime::host_address::HostAddress;
use crate::runtime::wiring::{CaseWiring, Listeners};
use crate::scenario::{
    Broker, BrokerKind, BrokerPart, Expectations, Node, NodeIx, NodeKind, Readiness, Role, Scenario,
    ServiceCommand, StopSignal, Template, TemplatePart, Trust,
};
use crate::source::{Place, Source};

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str, ready: Readiness) -> ServiceCommand {
    ServiceCommand {
        argv: ["sh", "-c", script].map(Template::text).to_vec(),
        env: Vec::new(),
        cwd: None,
        ready,
        ready_within: SOON,
        port: None,
        files: Vec::new(),
        gateway: None,
        place: Place::default(),
    }
}

fn says_ready() -> Readiness {
    Readiness::Output("ready".to_owned())
}

fn node(name: &str, kind: NodeKind) -> Node {
    Node {
        name: name.to_owned(),
        place: Place::default(),
        kind,
        role: Role::Participant,
        service: None,
        exports_to: None,
        telemetry: true,
        is_gateway: false,
        needs: Vec::new(),
        is_helper: false,
        strips: Vec::new(),
        adds: Vec::new(),
        trust: Trust::Continue,
        longest_field_line: None,
        tracestate_key: None,
        sets_baggage: Vec::new(),
        adds_baggage: Vec::new(),
        stop: StopSignal::Terminate,
        marker: None,
        formats: Vec::new(),
        level: crate::wire::Level::One,
    }
}

fn wiring(command: &ServiceCommand) -> CaseWiring {
    let broker = Broker { kind: BrokerKind::RabbitMq, address: None, image: None };
    let nodes = vec![
        node("client", NodeKind::Client),
        node("shop", NodeKind::Command(command.clone())),
        node("mail", NodeKind::Broker(broker)),
    ];
    let scenario = Scenario {
        source: Source::new("shop.yaml", ""),
        name: "shop".to_owned(),
        name_place: Place::default(),
        case: String::new(),
        about: None,
        nodes,
        hops: Vec::new(),
        drives: Vec::new(),
        expect: Expectations::All,
        otlp_listen: None,
        expect_traces: Vec::new(),
        timeout: SOON,
        own_names: Vec::new(),
    };
    let plan = Plan::build(Arc::new(scenario), PathBuf::from("/"), Seed(1));
    let host = HostAddress::loopback(&plan);
    let listeners = Listeners {
        taps: Vec::new(),
        otlp: vec![None, Some(([127, 0, 0, 1], 4318).into()), None],
        exports: Vec::new(),
    };
    let address = BrokerAddress::parse(BrokerKind::RabbitMq, "amqp://guest:guest@[::1]:5673/shop");
    let mail = BrokerReach {
        node: NodeIx(2),
        kind: BrokerKind::RabbitMq,
        address: address.expect("it is an address of RabbitMQ"),
        at: ([127, 0, 0, 1], 5673).into(),
        inside: None,
        own: true,
    };
    CaseWiring::new(Arc::new(plan), listeners, None, vec![mail], host)
}

async fn start(command: ServiceCommand) -> Result<RunningNode, RuntimeError> {
    let wiring = wiring(&command);
    timeout(2 * SOON, command::start(NodeIx(1), &command, &wiring)).await.expect("starting has a deadline")
}

async fn error(command: ServiceCommand) -> RuntimeError {
    start(command).await.expect_err("it cannot start")
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // A zombie is dead; only its status was not read yet.
    !stat.is_empty() && !stat.contains(") Z")
}

#[tokio::test]
async fn a_program_that_dies_at_start_is_reported_with_its_last_lines() {
    let error = error(shell("echo no database >&2; exit 3", Readiness::Tcp)).await;
    let message = error.to_string();
    assert!(message.starts_with("node `shop`: `sh -c 'echo no database >&2; exit 3'` on port "), "{message}");
    assert!(
        message.ends_with(" exited before it was ready (exit status 3): see its last lines"),
        "{message}"
    );
    assert_eq!(error.lines(), ["no database"]);
}

#[tokio::test]
async fn a_missing_program_is_reported_with_the_next_step() {
    let mut command = shell("", says_ready());
    command.argv[0] = Template::text("no-such-program");
    assert_eq!(
        error(command.clone()).await.to_string(),
        "node `shop`: the program `no-such-program` is not in PATH: install it, or give its path"
    );
    command.argv[0] = Template::text("bin/no-such-program");
    let message = error(command.clone()).await.to_string();
    assert!(message.starts_with("node `shop`: there is no program at `/bin/no-such-program`"), "{message}");
    command.cwd = Some("no-such-folder".to_owned());
    let message = error(command).await.to_string();
    assert_eq!(
        message,
        "node `shop`: the working directory `/no-such-folder` does not exist: correct `cwd:`"
    );
}

#[tokio::test]
async fn a_port_in_use_is_reported_before_and_after_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port();
    let mut command = shell("", Readiness::Tcp);
    command.port = Some(port);
    let message = error(command).await.to_string();
    let (start, end) = (
        format!("node `shop`: port {port} is already in use by `"),
        format!("(process {}): stop the program that listens there, or omit `port:`", std::process::id()),
    );
    assert!(message.starts_with(&start) && message.ends_with(&end), "{message}");

    let message =
        error(shell("echo 'bind: Address already in use'; exit 1", Readiness::Tcp)).await.to_string();
    assert!(message.contains("make it listen on `${self.port}`"), "{message}");
}

#[tokio::test]
async fn a_program_that_never_is_ready_is_reported_with_its_probe() {
    let mut command = shell("echo booting; exec sleep 60", Readiness::Http("/healthz".to_owned()));
    command.ready_within = Duration::from_millis(300);
    let error = error(command).await;
    let message = error.to_string();
    assert!(message.contains("was not ready within 0.3 s (GET http://127.0.0.1:"), "{message}");
    assert!(message.contains("/healthz: cannot connect to 127.0.0.1:"), "{message}");
    assert_eq!(error.lines(), ["booting"]);
}

#[tokio::test]
async fn a_variable_that_is_not_set_is_named() {
    let mut command = shell("", says_ready());
    command.env = vec![(
        "TOKEN".to_owned(),
        Template { parts: vec![TemplatePart::Env("NO_SUCH_VARIABLE".to_owned())] },
    )];
    let message = error(command).await.to_string();
    assert!(message.contains("`NO_SUCH_VARIABLE` is not set"), "{message}");
}

#[tokio::test]
async fn a_node_gets_its_endpoint_and_what_the_scenario_sets_wins() {
    let script = "echo $OTEL_EXPORTER_OTLP_ENDPOINT $OTEL_SERVICE_NAME $OTEL_BSP_SCHEDULE_DELAY $PORT; \
                  echo ready; exec sleep 60";
    let mut command = shell(script, says_ready());
    command.env = vec![
        ("OTEL_SERVICE_NAME".to_owned(), Template::text("till")),
        ("PORT".to_owned(), Template { parts: vec![TemplatePart::SelfPort] }),
    ];
    let running = start(command).await.expect("it starts");
    let port = running.listening.http.expect("it was given a port").port();
    assert_eq!(running.lines()[0], format!("http://127.0.0.1:4318 till 100 {port}"));
}

#[tokio::test]
async fn a_node_gets_the_address_of_a_broker_whole_or_in_parts() {
    let mut command = shell("echo $MAIL; echo $HOST $PORT; echo ready; exec sleep 60", says_ready());
    for (name, part) in
        [("MAIL", BrokerPart::Address), ("HOST", BrokerPart::Host), ("PORT", BrokerPart::Port)]
    {
        let template = Template { parts: vec![TemplatePart::Broker(NodeIx(2), part)] };
        command.env.push((name.to_owned(), template));
    }
    let running = start(command).await.expect("it starts");
    assert_eq!(running.lines()[..2], ["amqp://guest:guest@[::1]:5673/shop", "::1 5673"]);
}

#[tokio::test]
async fn nodes_become_ready_by_output_port_and_path() {
    start(shell("echo well, ready at last >&2; exec sleep 60", says_ready())).await.expect("by output");
    let server = |ready| {
        let mut command = shell("", ready);
        command.argv = vec![
            Template::text("python3"),
            Template::text("-m"),
            Template::text("http.server"),
            Template { parts: vec![TemplatePart::SelfPort] },
        ];
        command
    };
    start(server(Readiness::Tcp)).await.expect("by port");
    start(server(Readiness::Http("/".to_owned()))).await.expect("by path");
    let mut command = server(Readiness::Http("/no-such-path".to_owned()));
    // Enough for Python to be there on busy cores.
    command.ready_within = Duration::from_secs(6);
    let message = error(command).await.to_string();
    assert!(message.contains("/no-such-path was answered with 404 Not Found"), "{message}");
}

#[tokio::test]
async fn a_node_that_dies_in_the_story_is_noticed_at_once() {
    let running = start(shell("echo ready; sleep 0.2; echo ouch; exit 7", says_ready()));
    let running = running.await.expect("it starts");
    let died = timeout(SOON, running.died()).await.expect("it is noticed");
    assert_eq!((died.end.as_str(), died.lines.last().map(String::as_str)), ("exit status 7", Some("ouch")));
    let completion = running.flush(&Recorder::new(1, false), Instant::now() + SOON).await;
    let expected = Completion::Unknown("it exited during the run (exit status 7)".to_owned());
    assert_eq!(completion, expected, "an end that nobody asked for is no flush");
}

#[tokio::test]
async fn exiting_by_itself_after_the_stop_signal_is_flush_evidence() {
    let flush = |script: &'static str, within| async move {
        let running = start(shell(script, says_ready())).await.expect("it starts");
        running.flush(&Recorder::new(1, false), Instant::now() + within).await
    };
    let graceful = flush("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done", SOON).await;
    assert!(
        matches!(&graceful, Completion::Stopped { status, .. } if status == "exit status 0"),
        "{graceful:?}"
    );

    let killed = flush("echo ready; exec sleep 60", SOON).await;
    assert!(matches!(&killed, Completion::Unknown(why) if why.contains("killed by SIGTERM")), "{killed:?}");

    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    let deaf = flush(deaf, Duration::from_millis(300)).await;
    assert!(matches!(&deaf, Completion::Unknown(why) if why.contains("killed at the deadline")), "{deaf:?}");
}

#[tokio::test]
async fn nothing_of_a_node_stays_after_its_drop_or_its_end() {
    let script = "sleep 60 & echo $!; trap '' TERM; echo ready; wait";
    for drop_it in [true, false] {
        let running = start(shell(script, says_ready())).await.expect("it starts");
        let grandchild = running.lines()[0].clone();
        assert!(is_alive(&grandchild));
        if drop_it {
            drop(running);
        } else {
            running.end().await;
        }
        timeout(SOON, async {
            while is_alive(&grandchild) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the grandchild is gone");
    }
}
