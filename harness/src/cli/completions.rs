//! `unbroken completions SHELL`.

use clap::CommandFactory;

use super::arguments::{self, Arguments};
use super::{exit, print};

pub fn completions(arguments: &arguments::Completions) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "unbroken", &mut script);
    print::out(&String::from_utf8_lossy(&script));
    exit::PASS
}
