//! The containers of a run by the options of the command line. It prints what takes time, such as a pull, when it
//! happens.

use std::sync::Arc;

use super::arguments::RunArguments;
use super::bar::Bar;
use super::option_error::RunOptionError;
use super::{exit, print};
use crate::report::phrase;
use crate::run::SelectedCase;
use crate::runtime::RuntimeKind;
use crate::runtime::container::{
    ContainerOptions, ContainerProgress, Containers, ImageName, ImagePurpose, Images, ProgressHandler,
};
use crate::scenario::{Broker, NodeKind};
use crate::testing::runtime;

pub struct RunContainers {
    pub kind: RuntimeKind,
    pub all: Containers,
    /// The parts that cases need, which are started first.
    parts: Vec<ImagePurpose>,
}

impl RunContainers {
    pub fn of(
        arguments: &RunArguments,
        cases: &[SelectedCase],
        bar: Arc<Bar>,
    ) -> Result<RunContainers, RunOptionError> {
        let kind = arguments.runtime.or(runtime::from_environment()?).unwrap_or_default();
        if let (RuntimeKind::Embedded, Some((part, name))) = (kind, arguments.image.first()) {
            return Err(RunOptionError::ImageWithoutContainers { part: part.clone(), name: name.clone() });
        }
        if kind == RuntimeKind::Container && !arguments.relay.is_empty() {
            return Err(RunOptionError::RelayInContainers);
        }
        let mut images = Images::default();
        for (part, name) in &arguments.image {
            if let Some(part) = ImagePurpose::parse(part) {
                images.set(part, ImageName(name.clone()));
            }
        }
        let on_progress = Some(ProgressHandler(Arc::new(move |event| bar.print(&line(&event)))));
        let all = Containers::new(ContainerOptions { keep: arguments.keep, images, on_progress });
        let parts = if kind == RuntimeKind::Container { parts(cases) } else { Vec::new() };
        Ok(RunContainers { kind, all, parts })
    }

    /// Starts the parts that cases need. Without an engine no case can run, which is printed once.
    pub async fn warm_up(&self) -> Result<(), u8> {
        if self.parts.is_empty() {
            return Ok(());
        }
        self.all.warm_up(&self.parts).await.map_err(|error| {
            print::error(&error);
            exit::INCONCLUSIVE
        })
    }

    /// Removes everything, or prints what is kept and how to reach it.
    pub async fn end(&self) {
        let kept = self.all.kept().await.unwrap_or_else(|error| {
            print::error(&error);
            Vec::new()
        });
        if !kept.is_empty() {
            print::problem("kept until `unbroken clean` removes them:");
            for one in kept {
                let address = one.address.map(|address| format!("at {address}")).unwrap_or_default();
                let case = one.case.map(|case| format!("  of {case}")).unwrap_or_default();
                print::problem(&format!("  {:<14} {address:<24} `docker logs {}`{case}", one.part, one.name));
            }
        }
        for problem in self.all.end().await {
            print::problem(&format!(
                "error: cannot remove a container or network: {problem}; try `unbroken clean`"
            ));
        }
    }
}

/// Returns the parts that cases share. A broker with an image of its scenario's own is started with its case.
fn parts(cases: &[SelectedCase]) -> Vec<ImagePurpose> {
    let nodes = cases.iter().flat_map(|case| &case.scenario.nodes);
    let mut parts: Vec<ImagePurpose> = nodes.filter_map(|node| part(&node.kind)).collect();
    parts.sort();
    parts.dedup();
    parts
}

fn part(kind: &NodeKind) -> Option<ImagePurpose> {
    match kind {
        NodeKind::Broker(Broker { kind, address: None, image: None }) => Some(ImagePurpose::of_broker(*kind)),
        NodeKind::Relay(_) => Some(ImagePurpose::RelayModel),
        NodeKind::Client
        | NodeKind::Command(_)
        | NodeKind::Image(_)
        | NodeKind::Url(_)
        | NodeKind::Stub(_)
        | NodeKind::InProcess
        | NodeKind::Broker(_)
        | NodeKind::Collector(_) => None,
    }
}

fn line(event: &ContainerProgress) -> String {
    match event {
        ContainerProgress::Pulling { image } => format!("pulling {image} ..."),
        ContainerProgress::Ready { part, image, took } => {
            format!("{part} ready in {:.2} s  ({image})", took.as_secs_f64())
        }
        ContainerProgress::Leftover { problem } => {
            format!("cannot remove containers of an earlier run: {problem}; try `unbroken clean`")
        }
    }
}

/// Removes what earlier runs left: `unbroken clean`.
pub fn clean() -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    match runtime.block_on(Containers::clean()) {
        Ok((count, problems)) if problems.is_empty() => {
            print::out(&format!("{} removed\n", phrase::count(count, "container")));
            exit::PASS
        }
        Ok((_, problems)) => {
            problems.iter().for_each(|problem| print::problem(&format!("error: {problem}")));
            exit::INCONCLUSIVE
        }
        Err(error) => {
            print::error(&error);
            exit::INCONCLUSIVE
        }
    }
}
