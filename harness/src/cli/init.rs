//! `unbroken init`: writes a first scenario for a service, with comments.

use std::io::Write;

use super::arguments::InitArguments;
use super::{exit, print};

/// A valid scenario, so that `unbroken check` accepts it.
const FIRST: &str = include_str!("first.yaml");

pub fn init(arguments: &InitArguments) -> u8 {
    let path = &arguments.path;
    if let Some(folder) = path.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        print::problem(&format!("error: cannot create the folder `{}`: {error}", folder.display()));
        return exit::INCONCLUSIVE;
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(FIRST.as_bytes())) {
        Ok(()) => {
            let path = path.display();
            print::out(&format!("wrote {path}: put your service into it, then `unbroken run {path}`\n"));
            exit::PASS
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            print::problem(&format!("error: `{}` exists already and was not changed", path.display()));
            exit::USAGE
        }
        Err(error) => {
            print::problem(&format!("error: cannot write `{}`: {error}", path.display()));
            exit::INCONCLUSIVE
        }
    }
}
