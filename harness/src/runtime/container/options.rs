//! The settings of containers, and the progress that is reported while they start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::images::{ImageName, Images};

/// The caller's settings of containers.
#[derive(Clone, Debug, Default)]
pub struct ContainerOptions {
    /// Leaves everything running at the end.
    pub keep: bool,
    pub images: Images,
    pub on_progress: Option<ProgressHandler>,
}

/// Called whenever something that takes time has begun or ended.
#[derive(Clone)]
pub struct ProgressHandler(pub Arc<dyn Fn(ContainerProgress) + Send + Sync>);

impl fmt::Debug for ProgressHandler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ProgressHandler")
    }
}

/// The progress of something that takes time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerProgress {
    Pulling {
        image: String,
    },
    /// A broker answers, or an image was pulled.
    Ready {
        part: String,
        image: String,
        took: Duration,
    },
    /// Something that an earlier run left could not be removed.
    Leftover {
        problem: String,
    },
}

impl ContainerProgress {
    /// Builds the report of a part that is ready.
    pub(super) fn ready(part: &str, image: &ImageName, took: Duration) -> ContainerProgress {
        ContainerProgress::Ready { part: part.to_owned(), image: image.to_string(), took }
    }
}
