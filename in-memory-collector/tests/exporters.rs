//! The OpenTelemetry SDKs of five languages deliver everything, over each protocol that they have.
//!
//! The programs are in `exporters/`, their versions pinned there. A language that is not on this machine is skipped,
//! with a line that says so; with `UNBROKEN_REQUIRE_LANGUAGES=1` that is a failure.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use in_memory_collector::{Collector, Compression, Encoding, Limits, Span, Transport, Value};

const SPANS: usize = 1000;

const GRPC: &str = "grpc";
const PROTOBUF: &str = "http/protobuf";
const JSON: &str = "http/json";

fn sources(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exporters").join(language)
}

/// Returns the folder of built programs; shared by all runs.
fn built(language: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/exporters").join(language);
    std::fs::create_dir_all(&target).unwrap();
    target.canonicalize().unwrap()
}

fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    // What this test was started with must not change what is tested.
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("OTEL_") || name.starts_with("CARGO"))
    {
        if name != "CARGO_HOME" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the command; the error is its output.
fn run(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&text)))
}

/// Builds with `prepare`, then runs what `program` makes once for each protocol and compression.
fn exports(
    language: &str,
    protocols: &[&str],
    prepare: impl Fn() -> Result<(), String>,
    program: impl Fn() -> Command,
) {
    if let Err(why) = prepare() {
        assert!(std::env::var("UNBROKEN_REQUIRE_LANGUAGES").is_err(), "{language}: {why}");
        let first = why.lines().next().unwrap_or_default();
        // Not `eprintln`, which the test harness would hide.
        let line = format!("SKIPPED exporter in {language}: {first}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    }
    let collector = Collector::start(Limits::default()).unwrap();
    let endpoint = collector.block_on(collector.endpoint(language)).unwrap();
    for protocol in protocols {
        for compression in ["none", "gzip"] {
            collector.clear();
            let mut command = program();
            command.args([&endpoint.url(), *protocol, compression, &SPANS.to_string()]);
            if let Err(why) = run(command) {
                panic!("{language} {protocol} {compression}: {why}\n{:?}", collector.problems());
            }
            check(&collector, language, protocol, compression);
        }
    }
}

fn check(collector: &Collector, language: &str, protocol: &str, compression: &str) {
    let what = format!("{language} {protocol} {compression}");
    let spans = collector.spans_of(language);
    assert_eq!(spans.len(), SPANS, "{what}: {:?}", collector.problems());
    assert!(collector.problems().is_empty(), "{what}: {:?}", collector.problems());
    let mut indexes: Vec<i64> = Vec::new();
    for child in spans.iter().filter(|span| span.name() == "child") {
        let trace = collector.trace(child.trace_id().unwrap());
        let parent = trace.iter().find(|span| span.span_id() == child.parent_id()).unwrap();
        assert_eq!((parent.name(), trace.len()), ("parent", 2), "{what}");
        let links = child.links();
        assert_eq!((links[0].trace(), links[0].span()), (parent.trace_id(), parent.span_id()), "{what}");
        assert_eq!(links[0].attributes.get("linked"), Some(&Value::Bool(true)), "{what}");
        indexes.push(child.attributes().get("index").and_then(Value::as_i64).unwrap());
    }
    indexes.sort_unstable();
    assert!(indexes.into_iter().eq(0..SPANS as i64 / 2), "{what}");
    let good = |span: &Span| span.has_valid_ids() && span.service_name().as_deref() == Some(language);
    assert!(spans.iter().all(good), "{what}");
    for request in collector.requests() {
        let transport = if protocol == GRPC { Transport::Grpc } else { Transport::Http1 };
        let encoding = if protocol == JSON { Encoding::Json } else { Encoding::Protobuf };
        assert_eq!((request.transport, request.encoding), (transport, encoding), "{what}");
        assert_eq!(request.compression == Compression::Gzip, compression == "gzip", "{what}");
        assert!(request.user_agent.is_some(), "{what}");
    }
}

#[test]
fn rust_delivers_everything() {
    let target = built("rust");
    let prepare = || {
        let mut cargo = command(env!("CARGO"), &["build", "--locked", "--quiet"]);
        cargo.current_dir(sources("rust")).env("CARGO_TARGET_DIR", &target);
        run(cargo)
    };
    exports("rust", &[GRPC, PROTOBUF, JSON], prepare, || command(target.join("debug/exporters-rust"), &[]));
}

#[test]
fn python_delivers_everything() {
    let python = built("python").join("bin/python");
    let prepare = || {
        let requirements = sources("python").join("requirements.txt");
        if !python.exists() {
            run(command("python3", &["-m", "venv", built("python").to_str().unwrap()]))?;
        }
        run(command(&python, &["-m", "pip", "install", "--quiet", "-r", requirements.to_str().unwrap()]))
    };
    let program = || command(&python, &[sources("python").join("export.py").to_str().unwrap()]);
    exports("python", &[GRPC, PROTOBUF], prepare, program);
}

#[test]
fn node_delivers_everything() {
    let prepare = || {
        run(command("node", &["--version"]))?;
        if sources("node").join("node_modules/.package-lock.json").exists() {
            return Ok(());
        }
        let mut npm = command("npm", &["ci", "--no-audit", "--no-fund", "--silent"]);
        npm.current_dir(sources("node"));
        run(npm)
    };
    let program = || command("node", &[sources("node").join("export.js").to_str().unwrap()]);
    exports("node", &[GRPC, PROTOBUF, JSON], prepare, program);
}

#[test]
fn go_delivers_everything() {
    let binary = built("go").join("export");
    let prepare = || {
        let mut go = command("go", &["build", "-o", binary.to_str().unwrap(), "."]);
        go.current_dir(sources("go"));
        run(go)
    };
    exports("go", &[GRPC, PROTOBUF], prepare, || command(&binary, &[]));
}

#[test]
fn java_delivers_everything() {
    let target = built("java");
    let classes = format!("{}/classes:{}/lib/*", target.display(), target.display());
    let prepare = || {
        let mut maven = command("mvn", &["--quiet", "--batch-mode", "package"]);
        maven.current_dir(sources("java"));
        run(maven)
    };
    exports("java", &[GRPC, PROTOBUF], prepare, || command("java", &["-cp", &classes, "Export"]));
}
