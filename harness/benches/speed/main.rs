//! Measures every figure of BENCHMARKS.md with one command, `cargo bench -p unbroken`, and prints one table.
//!
//! The table has medians with their spread, beside the aim. Two things that are compared are measured in turns within
//! one run, so that a busy machine slows both. It does not measure builds; BENCHMARKS.md has the commands for them.

// A benchmark's output is its purpose.
#![allow(clippy::print_stdout)]

mod containers;
mod evidence;
mod judging;
mod processes;
mod table;
mod tap;

use table::Table;

fn main() {
    let mut arguments = std::env::args().skip(1);
    // `cargo test --all-targets` starts it without this argument: nothing is measured then.
    if !arguments.any(|argument| argument == "--bench") {
        return;
    }
    // `cargo bench -p unbroken -- judging` measures that part only.
    let parts: Vec<String> = std::env::args().skip(1).filter(|part| !part.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut table = Table::begin();
    if wanted("start") {
        processes::start_to_verdict(&mut table);
    }
    if wanted("shipped") {
        processes::shipped_set(&mut table);
    }
    if wanted("load") {
        processes::under_load(&mut table);
    }
    if wanted("judging") {
        judging::measure(&mut table);
    }
    if wanted("tap") {
        tap::measure(&mut table);
    }
    if parts.iter().any(|part| part == "containers") {
        containers::measure(&mut table);
    }
}
