//! `unbroken explain`: prints what a rule or a class means, and how to fix a break.

use super::arguments::ExplainArguments;
use super::{exit, print};
use crate::report::explain;

pub fn explain(arguments: &ExplainArguments) -> u8 {
    let Some(word) = &arguments.word else {
        print::out(&explain::topics());
        return exit::PASS;
    };
    match explain::explain(word) {
        Some(text) => {
            print::out(text);
            exit::PASS
        }
        None => {
            print::problem(explain::unknown(word).trim_end());
            exit::USAGE
        }
    }
}
