//! The first byte chooses the signal, the rest is the message: the scan and prost must judge it alike.

#![no_main]

#[allow(dead_code, reason = "the seeds are in the corpus")]
#[path = "../../tests/client/samples.rs"]
mod samples;

#[allow(dead_code, reason = "libFuzzer mutates")]
#[path = "../../tests/prost_oracle/mod.rs"]
mod prost_oracle;

use in_memory_collector::Signal;
use libfuzzer_sys::fuzz_target;
use prost_oracle::{Verdict, compare};

fuzz_target!(|input: &[u8]| {
    let Some((first, message)) = input.split_first() else { return };
    let signal = [Signal::Traces, Signal::Logs, Signal::Metrics, Signal::Profiles][usize::from(first % 4)];
    if let Verdict::Disagree(why) = compare(signal, message) {
        panic!("{signal:?}: {why}");
    }
});
