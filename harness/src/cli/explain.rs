//! `unbroken explain`: prints what a rule or a class means, and how to fix a break.

use super::arguments::ExplainArguments;
use super::{exit, print};
use crate::conform;
use crate::report::{conformance, explain};

/// Prints the page of a requirement or a vector of the reference suite, or the error that the word names nothing, and
/// returns the exit status.
fn requirement(word: &str) -> u8 {
    let suites = conform::suites();
    if let Some(page) = conformance::explain::explain(&suites, word) {
        print::out(&page);
        return exit::PASS;
    }
    let unknown = conformance::explain::unknown(&suites, word);
    print::problem(unknown.unwrap_or_else(|| explain::unknown(word)).trim_end());
    exit::USAGE
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
        None => requirement(word),
    }
}
