//! `unbroken init`: a first scenario for a service that is there, with comments.

use std::io::Write;

use super::arguments::Init;
use super::{exit, print};

/// Valid as it stands, so that `unbroken check` says nothing of it.
const FIRST: &str = include_str!("first.yaml");

pub fn init(arguments: &Init) -> u8 {
    let path = &arguments.path;
    if let Some(folder) = path.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        print::problem(&format!("error: the folder `{}` cannot be made: {error}", folder.display()));
        return exit::INCONCLUSIVE;
    }
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match written.and_then(|mut file| file.write_all(FIRST.as_bytes())) {
        Ok(()) => {
            let path = path.display();
            print::out(&format!("wrote {path}: put your service in, then `unbroken run {path}`\n"));
            exit::PASS
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            print::problem(&format!("error: `{}` is there already, and is left alone", path.display()));
            exit::USAGE
        }
        Err(error) => {
            print::problem(&format!("error: `{}` cannot be written: {error}", path.display()));
            exit::INCONCLUSIVE
        }
    }
}
