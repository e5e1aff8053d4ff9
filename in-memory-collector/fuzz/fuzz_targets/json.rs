//! Whatever JSON is taken becomes spans that print as JSON, which is taken again and means the same.

#![no_main]

use in_memory_collector::{Encoding, decode, otlp_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(spans) = decode::traces(Encoding::Json, input) {
        let printed = otlp_json::traces(&spans);
        let again = decode::traces(Encoding::Json, printed.as_bytes()).expect("what was printed is valid");
        assert_eq!(printed, otlp_json::traces(&again));
    }
});
