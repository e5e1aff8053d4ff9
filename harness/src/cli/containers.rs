//! The containers of a run, as the command line asks for them; what takes its time is told while it happens.

use std::sync::Arc;

use super::arguments::Run;
use super::bar::Bar;
use super::{exit, print};
use crate::run::Chosen;
use crate::runtime::Kind;
use crate::runtime::container::{ContainerOptions, Containers, Event, ImageName, Images, OnEvent, Part};
use crate::scenario::{Broker, NodeKind};
use crate::testing::runtime;

pub struct Wanted {
    pub kind: Kind,
    pub all: Containers,
    /// What every case wants, started before they do.
    parts: Vec<Part>,
}

impl Wanted {
    pub fn of(arguments: &Run, cases: &[Chosen], bar: Arc<Bar>) -> Result<Wanted, String> {
        let kind = arguments.runtime.or(runtime::from_environment()?).unwrap_or_default();
        if let (Kind::Embedded, Some((part, name))) = (kind, arguments.image.first()) {
            return Err(format!(
                "`--image {part}={name}`: brokers and relays run embedded, without images: add `--runtime container`"
            ));
        }
        let mut images = Images::default();
        for (part, name) in &arguments.image {
            if let Some(part) = Part::read(part) {
                images.set(part, ImageName(name.clone()));
            }
        }
        if kind == Kind::Container && !arguments.relay.is_empty() {
            return Err("`--relay` starts a process, and with `--runtime container` relays are images: use \
                        `--image relay-rust=NAME`"
                .into());
        }
        let on_event = Some(OnEvent(Arc::new(move |event| bar.say(&told(&event)))));
        let all = Containers::new(ContainerOptions { keep: arguments.keep, images, on_event });
        let parts = if kind == Kind::Container { parts(cases) } else { Vec::new() };
        Ok(Wanted { kind, all, parts })
    }

    /// Nothing is started where no case wants a container. Without an engine no case can be run: that is said once.
    pub async fn warm_up(&self) -> Result<(), u8> {
        if self.parts.is_empty() {
            return Ok(());
        }
        self.all.warm_up(&self.parts).await.map_err(|error| {
            print::error(&error);
            exit::INCONCLUSIVE
        })
    }

    /// Removes everything, or says what was kept and how to reach it.
    pub async fn end(&self) {
        let kept = self.all.kept().await.unwrap_or_else(|error| {
            print::error(&error);
            Vec::new()
        });
        if !kept.is_empty() {
            print::problem("kept, until `unbroken clean` removes them:");
            for one in kept {
                let address = one.address.map(|address| format!("at {address}")).unwrap_or_default();
                let case = one.case.map(|case| format!("  of {case}")).unwrap_or_default();
                print::problem(&format!("  {:<14} {address:<24} `docker logs {}`{case}", one.part, one.name));
            }
        }
        for left in self.all.end().await {
            print::problem(&format!("error: a container or network was left, see `unbroken clean`: {left}"));
        }
    }
}

/// Brokers with an image of their scenario's own are started when they are wanted.
fn parts(cases: &[Chosen]) -> Vec<Part> {
    let part = |kind: &NodeKind| match kind {
        NodeKind::Broker(Broker { kind, address: None, image: None }) => Some(Part::of_broker(*kind)),
        NodeKind::Relay(_) => Some(Part::RelayModel),
        NodeKind::Client
        | NodeKind::Command(_)
        | NodeKind::Image(_)
        | NodeKind::Url(_)
        | NodeKind::Stub(_)
        | NodeKind::InProcess
        | NodeKind::Broker(_) => None,
    };
    let nodes = cases.iter().flat_map(|chosen| &chosen.scenario.nodes);
    let mut parts: Vec<Part> = nodes.filter_map(|node| part(&node.kind)).collect();
    parts.sort();
    parts.dedup();
    parts
}

fn told(event: &Event) -> String {
    match event {
        Event::Pulling { image } => format!("pulling {image} ..."),
        Event::Ready { part, image, took } => {
            format!("{part} ready in {:.2} s  ({image})", took.as_secs_f64())
        }
        Event::Left { problem } => {
            format!("earlier runs have left what stays, see `unbroken clean`: {problem}")
        }
    }
}

/// `unbroken clean`.
pub fn clean() -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::error(&error);
            return exit::INCONCLUSIVE;
        }
    };
    match runtime.block_on(Containers::clean()) {
        Ok((count, left)) if left.is_empty() => {
            let many = if count == 1 { "1 container".to_owned() } else { format!("{count} containers") };
            print::out(&format!("{many} removed\n"));
            exit::PASS
        }
        Ok((_, left)) => {
            left.iter().for_each(|left| print::problem(&format!("error: {left}")));
            exit::INCONCLUSIVE
        }
        Err(error) => {
            print::error(&error);
            exit::INCONCLUSIVE
        }
    }
}
