//! What a container is started with, as `testcontainers` asks for it.

use std::borrow::Cow;

use testcontainers::Image;
use testcontainers::core::WaitFor;

use super::images::ImageName;

#[derive(Clone, Debug)]
pub(in crate::runtime) struct Spec {
    /// What it is in the run: `kafka`, or the name of a node.
    pub(in crate::runtime) part: String,
    /// Whose node it is; `None` for what cases share.
    pub(in crate::runtime) case: Option<String>,
    pub(in crate::runtime) image: ImageName,
    pub(in crate::runtime) env: Vec<(String, String)>,
    /// In place of the image's own; empty leaves that.
    pub(in crate::runtime) command: Vec<String>,
    /// Ports that must be reached from this machine.
    pub(in crate::runtime) ports: Vec<Published>,
    /// Where they go in the container.
    pub(in crate::runtime) files: Vec<(String, File)>,
    pub(in crate::runtime) joins: Joins,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct Published {
    pub(in crate::runtime) inside: u16,
    /// On this machine; `None` leaves it to the engine.
    pub(in crate::runtime) outside: Option<u16>,
}

#[derive(Clone, Debug)]
pub(in crate::runtime) enum File {
    Text(String),
    /// A file or folder of this machine.
    Path(std::path::PathBuf),
}

/// Which network it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Joins {
    /// The run's, with an address of its own.
    Run,
    /// That of another container, whose address it shares: a fourth of the time to start.
    Pod(String),
}

impl Image for Spec {
    fn name(&self) -> &str {
        self.image.parts().0
    }

    fn tag(&self) -> &str {
        self.image.parts().1
    }

    /// None: readiness is an answer, which is waited for outside.
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
