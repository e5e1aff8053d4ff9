//! `unbroken completions SHELL`.

use clap::CommandFactory;

use super::arguments::{Arguments, CompletionsArguments};
use super::{exit, print};

pub fn completions(arguments: &CompletionsArguments) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "unbroken", &mut script);
    print::document(&String::from_utf8_lossy(&script));
    exit::PASS
}
