//! Any bytes as baggage lines (split at line feeds): no panic, carets inside, what parses survives printing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unbroken::wire::Baggage;

fuzz_target!(|value: &[u8]| {
    let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').collect();
    for entry in Baggage::entries_of(lines.iter().copied()) {
        assert_eq!(lines[entry.line][entry.at.clone()], entry.raw[..]);
    }
    match Baggage::parse(lines.iter().copied()) {
        Ok(baggage) => {
            let printed = baggage.print();
            let again = Baggage::parse([&printed[..]]).expect("what is printed parses");
            assert!(
                again
                    .entries
                    .iter()
                    .map(|e| (&e.key, &e.value, &e.properties))
                    .eq(baggage.entries.iter().map(|e| (&e.key, &e.value, &e.properties)))
            );
        }
        Err(refusal) => assert!(refusal.at.end <= lines[refusal.line].len()),
    }
});
