//! Errors of the container engine and of containers: one message each, with the next step. None of them is a fail.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::images::ImageName;
use crate::error_chain;
use crate::error_chain::BoxedError;

/// An error of the container engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(
        "no container engine answers at {at}: start Docker, or set DOCKER_HOST to its address; to run without an engine, \
         omit `--runtime container` (UNBROKEN_RUNTIME): only `image:` nodes need one then"
    )]
    NoEngine { at: String, source: BoxedError },
    #[error(
        "`{at}` is not the address of a container engine: set DOCKER_HOST to `unix:///PATH/docker.sock` or \
         `tcp://HOST:PORT` of an engine on this machine"
    )]
    Address { at: String, source: BoxedError },
    #[error("`{variable}={value}` is not a valid setting: set it to {expected}, or unset it")]
    Setting { variable: &'static str, value: String, expected: &'static str },
    #[error(
        "permission denied connecting to the container engine at {at}: add your user to the group `docker` and log in \
         again, or run a rootless engine and set DOCKER_HOST"
    )]
    Permission { at: String, source: BoxedError },
    #[error(
        "the container engine at {at} did not answer a request for {what} within {} s: check that `docker info` answers, \
         restart the engine, or set DOCKER_HOST to another one",
        within.as_secs()
    )]
    Silent { at: String, what: String, within: Duration },
    #[error("{}", missing(image, built_by.as_deref()))]
    ImageMissing { image: ImageName, built_by: Option<String>, source: BoxedError },
    #[error(
        "the container engine has no disk space left for {what}: check `docker system df`, and free space with \
         `docker system prune`"
    )]
    DiskFull { what: String, source: BoxedError },
    #[error("the container engine rejected the request for {what}")]
    Rejected { what: String, source: BoxedError },
    #[error("cannot start the threads that talk to the container engine")]
    Threads { source: io::Error },
    #[error("the run ended before the container was started")]
    RunEnded,
    #[error("the container of {what} exited before its address was known")]
    NoAddress { what: String },
    #[error("{what}: cannot copy `{path}` into the container: check that the file exists and is readable")]
    File { what: String, path: String, source: io::Error },
}

/// The reason why a container did not become ready; several cases may get the same one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start the container")]
    Engine(#[source] Arc<EngineError>),
    #[error("the container of `{image}` ended before it was ready ({end}): {}", ended_hint(lines, image))]
    Ended { image: ImageName, end: String, lines: Vec<String> },
    #[error(
        "the container of `{image}` was not ready within {} s ({last}): {}",
        within.as_secs_f32(), probe.hint()
    )]
    NeverReady {
        image: ImageName,
        within: Duration,
        probe: ProbeKind,
        last: Arc<dyn Error + Send + Sync>,
        lines: Vec<String>,
    },
}

/// The probe that showed that a container was not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// Requests to the port of a service.
    Port,
    /// A line of a service's output.
    Output,
    /// A request in a broker's own protocol.
    Broker,
}

impl ProbeKind {
    /// Returns the next step after a probe that never succeeded.
    fn hint(self) -> &'static str {
        match self {
            ProbeKind::Port => {
                "correct `port:` or `ready:`, check that it listens on all addresses and not only on 127.0.0.1, or \
                 raise `ready-within:`"
            }
            ProbeKind::Output => "check what it prints, correct `ready:`, or raise `ready-within:`",
            ProbeKind::Broker => {
                "check that the machine has memory and processor time left, or start another image with `--image`"
            }
        }
    }
}

impl StartError {
    /// Returns the last output lines of the container, oldest first.
    pub fn lines(&self) -> &[String] {
        match self {
            StartError::Engine(_) => &[],
            StartError::Ended { lines, .. } | StartError::NeverReady { lines, .. } => lines,
        }
    }
}

impl From<EngineError> for StartError {
    fn from(error: EngineError) -> Self {
        StartError::Engine(Arc::new(error))
    }
}

/// Returns the next step after a container that ended at once.
fn ended_hint(lines: &[String], image: &ImageName) -> String {
    match lines {
        [] => format!(
            "it printed nothing; check that its command stays in the foreground: `docker run {image}`"
        ),
        _ => format!("see its last lines, or run `docker run {image}`"),
    }
}

fn missing(image: &ImageName, built_by: Option<&str>) -> String {
    let name_another = "name another image in the scenario or with `--image`";
    match built_by {
        Some(part) => format!(
            "the image `{image}` is not on this machine and cannot be pulled: build it with `fixtures/images/build \
             {part}` of the unbroken repository, or {name_another}"
        ),
        None => format!(
            "the image `{image}` is not on this machine and cannot be pulled: build or load it, log in to its \
             registry, or correct its name (`image:`, `--image`, `UNBROKEN_IMAGE_...`)"
        ),
    }
}

/// Returns the address at which the engine is expected.
pub(super) fn engine_address() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned())
}

impl EngineError {
    /// Builds the error of a request for `what`, classified by its cause.
    pub(super) fn of(what: impl Into<String>, source: impl Into<BoxedError>) -> EngineError {
        let (what, source) = (what.into(), source.into());
        let text = error_chain::one_line(&*source).to_ascii_lowercase();
        match io_kind(&*source) {
            Some(io::ErrorKind::PermissionDenied) => EngineError::Permission { at: engine_address(), source },
            Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                EngineError::NoEngine { at: engine_address(), source }
            }
            _ if text.contains("permission denied") && text.contains(".sock") => {
                EngineError::Permission { at: engine_address(), source }
            }
            // A name that does not resolve, and whatever else ends before there is a connection.
            _ if text.contains("socket not found") || text.contains("client error (connect)") => {
                EngineError::NoEngine { at: engine_address(), source }
            }
            _ if text.contains("unable to parse url") || text.contains("uri scheme is not supported") => {
                EngineError::Address { at: engine_address(), source }
            }
            _ if text.contains("no space left on device") => EngineError::DiskFull { what, source },
            _ => EngineError::Rejected { what, source },
        }
    }

    /// Builds the error of a request for `what` that got no answer.
    pub(super) fn silent(what: &str, within: Duration) -> EngineError {
        EngineError::Silent { at: engine_address(), what: what.to_owned(), within }
    }

    pub(super) fn is_silence(&self) -> bool {
        matches!(self, EngineError::Silent { .. })
    }

    /// Builds the error of an engine that could not be connected to; permission may be the reason.
    pub(super) fn of_address(source: impl Into<BoxedError>) -> EngineError {
        match EngineError::of("a connection", source) {
            EngineError::Rejected { source, .. } => EngineError::NoEngine { at: engine_address(), source },
            other => other,
        }
    }

    /// Builds the error of an image that could not be pulled; the engine itself may be the reason.
    pub(super) fn of_pull(
        image: &ImageName,
        built_by: Option<&str>,
        source: impl Into<BoxedError>,
    ) -> EngineError {
        match EngineError::of(format!("the image `{image}`"), source) {
            EngineError::Rejected { source, .. } => {
                let built_by = built_by.map(str::to_owned);
                EngineError::ImageMissing { image: image.clone(), built_by, source }
            }
            other => other,
        }
    }
}

/// Returns the kind of the first I/O error in the chain.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let chain = std::iter::once(error).chain(error_chain::causes(error));
    chain.filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_error_names_what_the_reader_can_do() {
        let of = |error: io::Error| EngineError::of("the network", error).to_string();
        let cases = [
            (io::Error::from(io::ErrorKind::NotFound), "start Docker"),
            (io::Error::from(io::ErrorKind::ConnectionRefused), "start Docker"),
            (io::Error::from(io::ErrorKind::PermissionDenied), "the group `docker`"),
            (io::Error::other("write /var/lib: no space left on device"), "docker system prune"),
            (io::Error::other("client error (Connect): dns error: not known"), "start Docker"),
            (io::Error::other("URI scheme is not supported: ssh://me@there"), "`tcp://HOST:PORT`"),
            (io::Error::other("Unable to parse URL: relative URL without a base"), "`tcp://HOST:PORT`"),
            (io::Error::other("something else"), "rejected the request for the network"),
        ];
        for (error, words) in cases {
            assert!(of(error).contains(words), "{words}");
        }
        let image = ImageName("unbroken-kafka:4.4.0".into());
        let error = EngineError::of_pull(&image, Some("kafka"), io::Error::other("pull access denied"));
        assert!(error.to_string().contains("`fixtures/images/build kafka`"), "{error}");
        let error = EngineError::of_pull(&image, None, io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(matches!(error, EngineError::NoEngine { .. }), "{error}");
    }
}
