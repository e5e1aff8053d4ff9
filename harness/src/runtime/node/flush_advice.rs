//! The advice for a program that does not export its spans when it is stopped, by the language of its command.
//!
//! It looks at the words of the command only. What each runtime does by default with SIGTERM is stated beside its
//! advice; a program may have handlers of its own.

use crate::scenario::ProgramLanguage;

/// Returns the advice for a program that a signal killed before it exported.
pub fn when_killed(command: &str) -> &'static str {
    match ProgramLanguage::of_command(command) {
        // `atexit` of CPython, which the SDK's providers use, does not run when SIGTERM kills the process; a
        // `KeyboardInterrupt` runs it. uvicorn raises the signal again when it has shut down.
        Some(ProgramLanguage::Python) => {
            "set `stop: SIGINT`: Python runs the exit handler of the SDK on SIGINT, and not on SIGTERM"
        }
        // Without a handler Node.js dies of either signal at once.
        Some(ProgramLanguage::Node) => {
            "add `process.once('SIGTERM', () => sdk.shutdown().finally(() => process.exit(0)))`"
        }
        // The agent exports in a shutdown hook, which runs on SIGTERM and SIGINT.
        Some(ProgramLanguage::Java) => {
            "let it end by SIGTERM itself: the agent exports in a shutdown hook of the JVM"
        }
        Some(ProgramLanguage::Go | ProgramLanguage::DotNet | ProgramLanguage::Rust) | None => {
            "shut the tracer provider down when SIGTERM arrives (Go: `signal.NotifyContext`, then \
             `TracerProvider.Shutdown`), or set `stop: SIGINT` if it does so on SIGINT"
        }
    }
}

/// Returns the advice for a program that was still running at the deadline after its stop signal.
pub fn when_deaf(command: &str) -> &'static str {
    match ProgramLanguage::of_command(command) {
        // `--require .../register` adds a handler that exports, and so removes the default one, which exits.
        Some(ProgramLanguage::Node) => {
            "a handler of SIGTERM, such as that of `@opentelemetry/auto-instrumentations-node/register`, keeps Node.js \
             running: add `process.once('SIGTERM', () => setTimeout(() => process.exit(0), 500))`"
        }
        Some(
            ProgramLanguage::Python
            | ProgramLanguage::Java
            | ProgramLanguage::Go
            | ProgramLanguage::DotNet
            | ProgramLanguage::Rust,
        )
        | None => "exit when the signal arrives, or set `stop:` to the signal that ends it",
    }
}
