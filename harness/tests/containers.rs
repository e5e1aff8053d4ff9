//! Containers through the command: a run removes everything that it starts, however it ends; an error of the engine is
//! one message with the next step; services from images are judged like all others.
//!
//! The tests look at the engine through the `docker` command, and only at what belongs to their own processes: others
//! may use the engine meanwhile. Without an engine, or without the images, a test prints one line and passes, unless
//! `UNBROKEN_REQUIRE_ENGINE=1` is set.

#![cfg(all(feature = "cli", feature = "container", feature = "relays", feature = "brokers"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod folder;

#[path = "containers/engine.rs"]
mod engine;

#[path = "containers/cleaning.rs"]
mod cleaning;
#[path = "containers/fake.rs"]
mod fake;
#[path = "containers/keeping.rs"]
mod keeping;
#[path = "containers/messages.rs"]
mod messages;
#[path = "containers/panics.rs"]
mod panics;
#[path = "containers/published.rs"]
mod published;
#[path = "containers/services.rs"]
mod services;
#[path = "containers/shop.rs"]
mod shop;
#[path = "containers/silence.rs"]
mod silence;

use std::path::{Path, PathBuf};
use std::process::Output;

use folder::{Folder, unbroken};

const PASS: i32 = 0;
const USAGE: i32 = 2;
const FAIL: i32 = 4;
const INCONCLUSIVE: i32 = 5;

/// Returns both streams of the output.
fn printed(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
