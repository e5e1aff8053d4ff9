//! Everything that a container is started with, in the shape that `testcontainers` takes.

use std::borrow::Cow;

use testcontainers::Image;
use testcontainers::core::WaitFor;

use super::images::ImageName;

/// Everything that a container is started with.
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// Its role in the run: `kafka`, or the name of a node.
    pub part: String,
    /// The title of its case; `None` where cases share it.
    pub case: Option<String>,
    pub image: ImageName,
    pub env: Vec<(String, String)>,
    /// Replaces the image's own command unless empty.
    pub command: Vec<String>,
    /// Ports that must be reached from this machine.
    pub ports: Vec<PublishedPort>,
    /// By their path in the container.
    pub files: Vec<(String, MountedFile)>,
    pub network: NetworkChoice,
}

/// A port of a container that this machine must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedPort {
    pub inside: u16,
    /// On this machine; `None` lets the engine choose.
    pub outside: Option<u16>,
}

/// The content of a file in a container.
#[derive(Clone, Debug)]
pub enum MountedFile {
    Text(String),
    /// A file or folder of this machine.
    Path(std::path::PathBuf),
}

/// The network that a container joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkChoice {
    /// The run's, with an address of its own.
    Run,
    /// That of the container with this id, whose address it shares: it starts in a fourth of the time.
    Pod(String),
}

impl Image for ContainerSpec {
    fn name(&self) -> &str {
        self.image.parts().0
    }

    fn tag(&self) -> &str {
        self.image.parts().1
    }

    /// Returns none: readiness is an answer over the network, which the caller waits for.
    fn ready_conditions(&self) -> Vec<WaitFor> {
        Vec::new()
    }

    fn env_vars(&self) -> impl IntoIterator<Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        self.command.iter().map(String::as_str)
    }
}
