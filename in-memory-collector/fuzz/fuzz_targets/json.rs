//! Whatever JSON is taken becomes spans or log records that print as JSON, which is taken again and means the same; and
//! white space between the tokens, which bars the reader's short ways, changes nothing.

#![no_main]

use in_memory_collector::{Encoding, decode, otlp_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    check(input, |text| decode::traces(Encoding::Json, text).ok().map(|spans| otlp_json::traces(&spans)));
    check(input, |text| decode::logs(Encoding::Json, text).ok().map(|records| otlp_json::logs(&records)));
});

fn check(input: &[u8], read_and_print: impl Fn(&[u8]) -> Option<String>) {
    let printed = read_and_print(input);
    assert_eq!(printed, read_and_print(&spaced(input)), "with white space");
    if let Some(printed) = printed {
        assert_eq!(read_and_print(printed.as_bytes()), Some(printed));
    }
}

/// Adds a space after each brace, bracket, comma and colon that is not in a string.
fn spaced(text: &[u8]) -> Vec<u8> {
    let mut spaced = Vec::with_capacity(text.len() * 2);
    let (mut inside, mut escaped) = (false, false);
    for byte in text {
        spaced.push(*byte);
        if escaped {
            escaped = false;
        } else if inside {
            (inside, escaped) = (*byte != b'"', *byte == b'\\');
        } else if *byte == b'"' {
            inside = true;
        } else if b"{}[],:".contains(byte) {
            spaced.push(b' ');
        }
    }
    spaced
}
