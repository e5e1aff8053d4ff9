//! The scan and prost's full decoder agree on every message: whether it is valid, and every field of what is in it.
//!
//! Messages are made by changing valid ones, as bytes and as trees of fields. `UNBROKEN_FUZZ_CASES` says how many
//! (20,000 if unset), `UNBROKEN_FUZZ_SEED` with which seed.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "client/samples.rs"]
mod samples;

#[path = "prost_oracle/mod.rs"]
mod prost_oracle;

use prost_oracle::mutate::{Random, mutate, seeds};
use prost_oracle::{Verdict, compare};

#[test]
fn mutated_messages_are_judged_alike() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let cases = number("UNBROKEN_FUZZ_CASES", 20_000);
    let mut random = Random(number("UNBROKEN_FUZZ_SEED", 0x5eed));
    let seeds = seeds();
    let (mut accepted, mut refused) = (0u64, 0u64);
    for case in 0..cases {
        let (signal, bytes) = mutate(&seeds, &mut random);
        match compare(signal, &bytes) {
            Verdict::Accepted => accepted += 1,
            Verdict::Refused => refused += 1,
            Verdict::Disagree(why) => panic!("case {case}, {signal:?}: {why}\n{bytes:02x?}"),
        }
    }
    println!("{cases} messages: {accepted} accepted by both and alike, {refused} refused by both");
    assert!(accepted > cases / 20 && refused > cases / 20, "{accepted} accepted, {refused} refused");
}

#[test]
fn the_seeds_are_accepted() {
    for (signal, bytes) in seeds() {
        assert!(matches!(compare(signal, &bytes), Verdict::Accepted), "{signal:?}");
    }
}

#[test]
fn nesting_ends_for_both_at_the_same_depth() {
    for depth in 80..110 {
        for (open, wrap) in [(&b"\x32"[..], true), (&b"\x2a"[..], false)] {
            let bytes = prost_oracle::mutate::nested(depth, open, wrap);
            let verdict = compare(in_memory_collector::Signal::Traces, &bytes);
            assert!(!matches!(verdict, Verdict::Disagree(_)), "depth {depth}: {verdict:?}");
        }
    }
}
