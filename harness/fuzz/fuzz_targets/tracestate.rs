//! Any bytes as tracestate lines (split at line feeds): no panic, carets inside, both readings agree on what parses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unbroken::wire::{Level, TraceState};

fuzz_target!(|value: &[u8]| {
    let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').collect();
    let raw = TraceState::members_of(lines.iter().copied());
    for level in [Level::One, Level::Two] {
        match TraceState::parse(lines.iter().copied(), level) {
            Ok(state) => {
                assert!(
                    state.members.iter().map(|member| &member.at).eq(raw.iter().map(|member| &member.at))
                );
                let printed = state.print();
                let again = TraceState::parse([&printed[..]], level).expect("what is printed parses");
                let pair = |state: &TraceState| -> Vec<_> {
                    state.members.iter().map(|m| (m.key.clone(), m.value.clone())).collect()
                };
                assert_eq!(pair(&again), pair(&state));
            }
            Err(refusal) => assert!(refusal.at.end <= lines[refusal.line].len()),
        }
    }
});
