//! The scan and prost's full decoder agree on every message: whether it is valid, and every field of what is in it.
//!
//! Messages are made by changing valid ones, as bytes and as trees of fields. `UNBROKEN_FUZZ_CASES` says how many
//! (20,000 if unset), `UNBROKEN_FUZZ_SEED` with which seed.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "client/samples.rs"]
mod samples;

#[path = "prost_oracle/mod.rs"]
mod prost_oracle;

use fuzz_cases::Random;
use in_memory_collector::Signal;
use prost_oracle::mutate::{mutate, seeds};
use prost_oracle::{Verdict, compare};

#[test]
fn mutated_messages_are_judged_alike() {
    let cases = fuzz_cases::cases(20_000);
    let mut random = Random::seeded(fuzz_cases::seed());
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
            let verdict = compare(Signal::Traces, &bytes);
            assert!(!matches!(verdict, Verdict::Disagree(_)), "depth {depth}: {verdict:?}");
        }
    }
}

/// Runs the corpus of the fuzz target. `UNBROKEN_WRITE_CORPUS=1` writes it: the seeds, and mutations that both
/// accept.
#[test]
fn the_corpus_is_judged_alike() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/scan_agrees_with_prost");
    if std::env::var_os("UNBROKEN_WRITE_CORPUS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        let seeds = seeds();
        let mut random = Random::seeded(1);
        let mutated = std::iter::repeat_with(|| mutate(&seeds, &mut random));
        let accepted = mutated.filter(|(signal, bytes)| matches!(compare(*signal, bytes), Verdict::Accepted));
        for (number, (signal, bytes)) in seeds.clone().into_iter().chain(accepted.take(60)).enumerate() {
            let file = [&[signal as u8][..], &bytes].concat();
            std::fs::write(folder.join(format!("{number:03}")), file).unwrap();
        }
    }
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        let (first, message) = file.split_first().unwrap();
        let signal =
            [Signal::Traces, Signal::Logs, Signal::Metrics, Signal::Profiles][usize::from(first % 4)];
        assert!(matches!(compare(signal, message), Verdict::Accepted));
        files += 1;
    }
    assert!(files >= 50, "{files}");
}
