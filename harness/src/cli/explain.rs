//! `unbroken explain`: prints what a rule or a class means, and how to fix a break.

use super::arguments::ExplainArguments;
use super::{exit, print};
use crate::conform;
use crate::report::{conformance, explain};

/// Prints the page of a requirement of the reference suite, if the word is one's id.
fn requirement(word: &str) -> bool {
    let page = conformance::explain::explain(&conform::suites(), word);
    page.iter().for_each(|page| print::out(page));
    page.is_some()
}

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
        None if requirement(word) => exit::PASS,
        None => {
            print::problem(explain::unknown(word).trim_end());
            exit::USAGE
        }
    }
}
