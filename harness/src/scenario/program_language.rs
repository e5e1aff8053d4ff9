//! The language of a program, by the words of its command or by what its SDK says (`telemetry.sdk.language`).
//!
//! It is used for advice only. The name of a compiled program shows nothing.

/// The language of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramLanguage {
    Python,
    Node,
    Java,
    Go,
    DotNet,
    Rust,
}

impl ProgramLanguage {
    /// Returns the language that a command shows.
    pub fn of_command(command: &str) -> Option<ProgramLanguage> {
        command.split_whitespace().find_map(|word| {
            let name = word.trim_matches('\'').rsplit('/').next().unwrap_or_default();
            let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            match name {
                "python"
                | "uvicorn"
                | "gunicorn"
                | "hypercorn"
                | "flask"
                | "celery"
                | "opentelemetry-instrument" => Some(ProgramLanguage::Python),
                "node" | "npm" | "npx" | "yarn" | "pnpm" | "tsx" | "ts-node" => Some(ProgramLanguage::Node),
                "java" | "gradle" | "gradlew" | "mvn" | "mvnw" => Some(ProgramLanguage::Java),
                "go" => Some(ProgramLanguage::Go),
                "dotnet" => Some(ProgramLanguage::DotNet),
                "cargo" => Some(ProgramLanguage::Rust),
                _ => None,
            }
        })
    }

    /// Returns the language that an SDK names (OpenTelemetry semantic conventions, `telemetry.sdk.language`).
    pub fn of_sdk(name: &str) -> Option<ProgramLanguage> {
        match name {
            "python" => Some(ProgramLanguage::Python),
            "nodejs" => Some(ProgramLanguage::Node),
            "java" => Some(ProgramLanguage::Java),
            "go" => Some(ProgramLanguage::Go),
            "dotnet" => Some(ProgramLanguage::DotNet),
            "rust" => Some(ProgramLanguage::Rust),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_shows_the_language() {
        let cases = [
            ("python3 app.py", Some(ProgramLanguage::Python)),
            ("/usr/bin/python3.12 -m flask run", Some(ProgramLanguage::Python)),
            ("sh -c 'exec uvicorn app:app'", Some(ProgramLanguage::Python)),
            ("node --require ./tracing.js app.js", Some(ProgramLanguage::Node)),
            ("env A=1 npx tsx app.ts", Some(ProgramLanguage::Node)),
            ("java -javaagent:otel.jar -jar app.jar", Some(ProgramLanguage::Java)),
            ("go run ./cmd/shop", Some(ProgramLanguage::Go)),
            ("dotnet Shop.dll", Some(ProgramLanguage::DotNet)),
            ("cargo run --bin shop", Some(ProgramLanguage::Rust)),
            ("./shop --port 8080", None),
            ("", None),
        ];
        for (command, language) in cases {
            assert_eq!(ProgramLanguage::of_command(command), language, "{command}");
        }
    }

    #[test]
    fn the_name_that_an_sdk_gives_is_a_language() {
        assert_eq!(ProgramLanguage::of_sdk("nodejs"), Some(ProgramLanguage::Node));
        assert_eq!(ProgramLanguage::of_sdk("erlang"), None);
    }
}
