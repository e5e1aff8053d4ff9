//! Any bytes as a traceparent: no panic, a caret inside the value, and what parses prints as something that parses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unbroken::wire::{Level, TraceParent};

fuzz_target!(|value: &[u8]| match TraceParent::parse(value, Level::Two) {
    Ok(parsed) => {
        let printed = parsed.to_string();
        let again = TraceParent::parse(printed.as_bytes(), Level::Two).expect("what is printed parses");
        assert_eq!(again, TraceParent { version: 0, ..parsed });
        assert!(parsed.version != 0 || printed.as_bytes() == value);
    }
    Err(refusal) => assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len()),
});
