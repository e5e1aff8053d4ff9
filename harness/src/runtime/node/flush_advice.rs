//! The advice for a program that does not export its spans when it is stopped, by the language of its command.
//!
//! It looks at the words of the command only. What each runtime does by default with SIGTERM is stated beside its
//! advice; a program may have handlers of its own.

/// The runtime of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProgramRuntime {
    Python,
    Node,
    Java,
    Unknown,
}

/// Returns the advice for a program that a signal killed before it exported.
pub fn when_killed(command: &str) -> &'static str {
    match ProgramRuntime::of(command) {
        // `atexit` of CPython, which the SDK's providers use, does not run when SIGTERM kills the process; a
        // `KeyboardInterrupt` runs it. uvicorn raises the signal again when it has shut down.
        ProgramRuntime::Python => {
            "set `stop: SIGINT`: Python runs the exit handler of the SDK on SIGINT, and not on SIGTERM"
        }
        // Without a handler Node.js dies of either signal at once.
        ProgramRuntime::Node => {
            "add `process.once('SIGTERM', () => sdk.shutdown().finally(() => process.exit(0)))`"
        }
        // The agent exports in a shutdown hook, which runs on SIGTERM and SIGINT.
        ProgramRuntime::Java => {
            "let it end by SIGTERM itself: the agent exports in a shutdown hook of the JVM"
        }
        ProgramRuntime::Unknown => {
            "shut the tracer provider down when SIGTERM arrives (Go: `signal.NotifyContext`, then \
             `TracerProvider.Shutdown`), or set `stop: SIGINT` if it does so on SIGINT"
        }
    }
}

/// Returns the advice for a program that was still running at the deadline after its stop signal.
pub fn when_deaf(command: &str) -> &'static str {
    match ProgramRuntime::of(command) {
        // `--require .../register` adds a handler that exports, and so removes the default one, which exits.
        ProgramRuntime::Node => {
            "a handler of SIGTERM, such as that of `@opentelemetry/auto-instrumentations-node/register`, keeps Node.js \
             running: add `process.once('SIGTERM', () => setTimeout(() => process.exit(0), 500))`"
        }
        ProgramRuntime::Python | ProgramRuntime::Java | ProgramRuntime::Unknown => {
            "exit when the signal arrives, or set `stop:` to the signal that ends it"
        }
    }
}

impl ProgramRuntime {
    fn of(command: &str) -> ProgramRuntime {
        for word in command.split_whitespace() {
            let name = word.trim_matches('\'').rsplit('/').next().unwrap_or_default();
            let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            match name {
                "python"
                | "uvicorn"
                | "gunicorn"
                | "hypercorn"
                | "flask"
                | "celery"
                | "opentelemetry-instrument" => {
                    return ProgramRuntime::Python;
                }
                "node" | "npm" | "npx" | "yarn" | "pnpm" | "tsx" | "ts-node" => return ProgramRuntime::Node,
                "java" | "gradle" | "gradlew" | "mvn" | "mvnw" => return ProgramRuntime::Java,
                _ => {}
            }
        }
        ProgramRuntime::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_shows_the_runtime() {
        let cases = [
            ("python3 app.py", ProgramRuntime::Python),
            ("/usr/bin/python3.12 -m flask run", ProgramRuntime::Python),
            ("sh -c 'exec uvicorn app:app'", ProgramRuntime::Python),
            ("node --require ./tracing.js app.js", ProgramRuntime::Node),
            ("env A=1 npx tsx app.ts", ProgramRuntime::Node),
            ("java -javaagent:otel.jar -jar app.jar", ProgramRuntime::Java),
            ("./shop --port 8080", ProgramRuntime::Unknown),
            ("", ProgramRuntime::Unknown),
        ];
        for (command, runtime) in cases {
            assert_eq!(ProgramRuntime::of(command), runtime, "{command}");
        }
    }
}
