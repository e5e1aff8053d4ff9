//! The command: an OTLP sink with fixed ports, which prints what arrives and answers questions about it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the only place that prints")]

mod arguments;
mod follow;
mod query;

use std::error::Error;
use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser;
use in_memory_collector::Collector;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("caused by: {inner}");
                cause = inner.source();
            }
            ExitCode::from(1)
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let collector = Collector::start(arguments.limits())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run(arguments, &collector))
}

async fn run(arguments: &Arguments, collector: &Collector) -> Result<(), Box<dyn Error>> {
    // Before a port is open, so that a program that sees one can stop us cleanly.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    for (name, address) in arguments.listen() {
        let endpoint = collector.endpoint_at(&name, address).await?;
        eprintln!("endpoint `{name}` at {}", endpoint.url());
    }
    let listener = TcpListener::bind(arguments.query).await?;
    eprintln!("queries at http://{}", listener.local_addr()?);
    let queries = tokio::spawn(query::serve(listener, collector.clone()));
    let following = arguments.json_lines.then(|| tokio::spawn(follow::follow(collector.clone())));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    collector.stop().await;
    queries.abort();
    if let Some(following) = following {
        // It ends by itself when all that arrived is printed.
        following.await??;
    }
    Ok(())
}
