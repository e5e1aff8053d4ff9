//! Trouble with the container engine: one message each, which names the next step. None of it is a fail.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::images::ImageName;

pub(super) type Problem = Box<dyn Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(
        "no container engine answers at {at}: start Docker, or say where one is with DOCKER_HOST; without one, leave out \
         `--runtime container` (UNBROKEN_RUNTIME): stand-in brokers and relays need none, `image:` nodes do"
    )]
    NoEngine { at: String, source: Problem },
    #[error(
        "`{at}` is no address of an engine: DOCKER_HOST is `unix:///PATH/docker.sock` or `tcp://HOST:PORT`, of an \
         engine on this machine"
    )]
    NoAddressOfEngine { at: String, source: Problem },
    #[error("`{variable}={value}` means nothing: {expected}, or leave it out")]
    Setting { variable: &'static str, value: String, expected: &'static str },
    #[error(
        "the container engine at {at} lets this user in no further: add the user to the group `docker` and log in again, \
         or run a rootless engine and set DOCKER_HOST"
    )]
    NoPermission { at: String, source: Problem },
    #[error(
        "the container engine at {at} was asked for {what} and did not answer within {} s: see whether `docker info` \
         answers, start the engine anew, or name another with DOCKER_HOST",
        within.as_secs()
    )]
    Silent { at: String, what: String, within: Duration },
    #[error("{}", missing(image, built_by.as_deref()))]
    ImageMissing { image: ImageName, built_by: Option<String>, source: Problem },
    #[error(
        "the container engine has no space left for {what}: see `docker system df`, and make room with \
         `docker system prune`"
    )]
    DiskFull { what: String, source: Problem },
    #[error("the container engine refused {what}")]
    Refused { what: String, source: Problem },
    #[error("the threads that talk to the container engine could not be started")]
    Threads { source: io::Error },
    #[error("the run has ended before the container was started")]
    Ended,
    #[error("the container of {what} was gone before its address could be asked for")]
    NoAddress { what: String },
    #[error("{what}: `{path}` cannot be put into the container: see that it is there and can be read")]
    File { what: String, path: String, source: io::Error },
}

fn missing(image: &ImageName, built_by: Option<&str>) -> String {
    let name_another = "name another one in the scenario or with `--image`";
    match built_by {
        Some(part) => format!(
            "the image `{image}` is not on this machine and cannot be pulled: build it with `fixtures/images/build \
             {part}` of the unbroken repository, or {name_another}"
        ),
        None => format!(
            "the image `{image}` is not on this machine and cannot be pulled: build or load it, log in where it is \
             kept, or correct its name (`image:`, `--image`, `UNBROKEN_IMAGE_...`)"
        ),
    }
}

/// Where the engine is asked for.
pub(super) fn asked_at() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned())
}

impl EngineError {
    /// What an answer of the engine, or none, means for `what` was asked for.
    pub(super) fn of(what: impl Into<String>, source: impl Into<Problem>) -> EngineError {
        let (what, source) = (what.into(), source.into());
        let text = chain(&*source).to_ascii_lowercase();
        match kind(&*source) {
            Some(io::ErrorKind::PermissionDenied) => EngineError::NoPermission { at: asked_at(), source },
            Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                EngineError::NoEngine { at: asked_at(), source }
            }
            _ if text.contains("permission denied") && text.contains(".sock") => {
                EngineError::NoPermission { at: asked_at(), source }
            }
            // A name that does not resolve, and whatever else ends before there is a connection.
            _ if text.contains("socket not found") || text.contains("client error (connect)") => {
                EngineError::NoEngine { at: asked_at(), source }
            }
            _ if text.contains("unable to parse url") || text.contains("uri scheme is not supported") => {
                EngineError::NoAddressOfEngine { at: asked_at(), source }
            }
            _ if text.contains("no space left on device") => EngineError::DiskFull { what, source },
            _ => EngineError::Refused { what, source },
        }
    }

    /// It took the question for `what`, and nothing came.
    pub(super) fn silent(what: &str, within: Duration) -> EngineError {
        EngineError::Silent { at: asked_at(), what: what.to_owned(), within }
    }

    pub(super) fn is_silence(&self) -> bool {
        matches!(self, EngineError::Silent { .. })
    }

    /// Nobody was reached at all; permission may be the reason.
    pub(super) fn of_address(source: impl Into<Problem>) -> EngineError {
        match EngineError::of("a connection", source) {
            EngineError::Refused { source, .. } => EngineError::NoEngine { at: asked_at(), source },
            other => other,
        }
    }

    /// An image that could not be had; the engine itself may be the reason.
    pub(super) fn of_pull(
        image: &ImageName,
        built_by: Option<&str>,
        source: impl Into<Problem>,
    ) -> EngineError {
        match EngineError::of(format!("the image `{image}`"), source) {
            EngineError::Refused { source, .. } => {
                let built_by = built_by.map(str::to_owned);
                EngineError::ImageMissing { image: image.clone(), built_by, source }
            }
            other => other,
        }
    }
}

/// The first trouble of the machine below an error.
fn kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut below = Some(error);
    while let Some(error) = below {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        below = error.source();
    }
    None
}

/// The error and what caused it, in one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_by_what_the_reader_can_do() {
        let of = |error: io::Error| EngineError::of("the network", error).to_string();
        let cases = [
            (io::Error::from(io::ErrorKind::NotFound), "start Docker"),
            (io::Error::from(io::ErrorKind::ConnectionRefused), "start Docker"),
            (io::Error::from(io::ErrorKind::PermissionDenied), "the group `docker`"),
            (io::Error::other("write /var/lib: no space left on device"), "docker system prune"),
            (io::Error::other("client error (Connect): dns error: not known"), "start Docker"),
            (io::Error::other("URI scheme is not supported: ssh://me@there"), "`tcp://HOST:PORT`"),
            (io::Error::other("Unable to parse URL: relative URL without a base"), "`tcp://HOST:PORT`"),
            (io::Error::other("something else"), "refused the network"),
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
