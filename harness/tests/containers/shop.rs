//! The image of `fixtures/image-service`, built once for all tests that need it.

use std::sync::OnceLock;

use unbroken::runtime::container::ImagePurpose;

use super::engine::{docker, has, skip};
use super::root;

pub const SHOP: &str = "unbroken-test-shop";
/// Names the image to build from, instead of its own base.
const BASE: &str = "UNBROKEN_TEST_BASE";
/// The base where it is on the machine, which may have no image registry.
const PLAIN_BASE: &str = "debian:bookworm-slim";

/// Returns whether the engine, the images and this image are here.
pub fn is_here(parts: &[ImagePurpose]) -> bool {
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
