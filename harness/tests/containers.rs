//! Containers through the command: what a run starts it removes again, however it ends; trouble with the engine is one
//! message that says what to do; services from images are judged as all others are.
//!
//! The engine is looked at through the `docker` command, and only at what belongs to a process of this test: others may
//! use the engine meanwhile. Where there is no engine, or no images, one line says so and the tests pass, unless
//! `UNBROKEN_REQUIRE_ENGINE=1` wants them.

#![cfg(all(feature = "cli", feature = "container", feature = "relays", feature = "brokers"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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

/// Both streams: a reader does not care which says it.
fn told(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
