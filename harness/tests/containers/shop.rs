//! The image of `fixtures/image-service`, built once for all tests that want it.

use std::sync::OnceLock;

use unbroken::runtime::container::Part;

use super::engine::{docker, has, skip};
use super::root;

pub const SHOP: &str = "unbroken-test-shop";
/// What it is built from in place of its own base.
const BASE: &str = "UNBROKEN_TEST_BASE";
/// Taken for it where it is on the machine: a machine without an image registry has it.
const PLAIN_BASE: &str = "debian:bookworm-slim";

/// Whether what a test needs is here, this image too.
pub fn is_here(parts: &[Part]) -> bool {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    if !has(parts) {
        return false;
    }
    BUILT.get_or_init(build).as_ref().map_or_else(|why| skip(why), |()| true)
}

fn build() -> Result<(), String> {
    let folder = root().join("fixtures/image-service");
    let plain = || docker(&["image", "inspect", PLAIN_BASE]).is_ok().then(|| PLAIN_BASE.to_owned());
    let base = std::env::var(BASE).ok().or_else(plain).map(|base| format!("BASE={base}"));
    let argument = base.iter().flat_map(|base| ["--build-arg", base.as_str()]);
    let command = ["build", "--quiet", "--tag", SHOP].into_iter().chain(argument);
    docker(&command.chain([folder.to_str().unwrap()]).collect::<Vec<_>>()).map(drop)
}
