//! Any bytes as fields of each format: no panic, carets inside, and what a format injects it extracts.
//!
//! The first byte chooses the format; the values of its fields are split at line feeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unbroken::wire::{Carrier, Format};

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let format = Format::ALL[usize::from(*first) % Format::ALL.len()];
    let names = format.fields().iter().cycle();
    let fields = names.zip(rest.split(|byte| *byte == b'\n')).take(12);
    let carrier = Carrier::new(fields.map(|(name, value)| (name.as_bytes(), value)));
    for found in format.extract_all(&carrier) {
        match found {
            Ok(context) => {
                let printed = format.inject(&context);
                let again = Carrier::new(printed.iter().map(|(name, value)| (name.as_bytes(), &value[..])));
                let again = format.extract(&again).expect("what is printed parses").expect("it is a context");
                assert_eq!(again.trace_id, context.trace_id);
                assert_eq!((again.span_id, again.decision), (context.span_id, context.decision));
            }
            Err(refusal) => {
                let value = carrier.value(refusal.field, refusal.line).unwrap_or_default();
                assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len());
            }
        }
    }
});
