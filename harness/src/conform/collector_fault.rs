//! The faults of the collector that a configuration names.

use std::time::Duration;

use in_memory_collector::{Fault, RetryAfter, When};

/// Statuses that ask an exporter to try again (OTLP/HTTP, "retryable response codes").
const RETRYABLE: &[u16] = &[429, 502, 503, 504];
/// The requests that are refused with one of them before one succeeds.
const REFUSED: u64 = 1;
const SLOW: Duration = Duration::from_millis(300);

/// Returns the fault of this name, and the requests that it concerns; `None` for another name.
pub(super) fn named(name: &str) -> Option<(When, Fault)> {
    let refused = When::first(REFUSED);
    Some(match name {
        "503-retry-after" => {
            (refused, Fault::http(503).retry_after(RetryAfter::Delay(Duration::from_secs(1))))
        }
        "warning" => {
            (refused, Fault::PartialSuccess { rejected: 0, message: "a warning of the suite".to_owned() })
        }
        "slow" => (When::always(), Fault::Delay(SLOW)),
        "gone" => (When::always(), Fault::Disconnect { after_bytes: 0 }),
        status => {
            let status: u16 = status.parse().ok()?;
            let when = if RETRYABLE.contains(&status) { refused } else { When::always() };
            (when, Fault::http(status))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::suite::{Setting, suites};

    #[test]
    fn every_fault_of_the_suites_is_known() {
        let suites = suites();
        let vectors = suites.iter().flat_map(|suite| &suite.requirements).flat_map(|one| &one.vectors);
        let named_faults: Vec<&str> =
            vectors.filter_map(|vector| vector.configuration.get(Setting::Collector)).collect();
        assert!(!named_faults.is_empty());
        for name in named_faults {
            assert!(named(name).is_some(), "{name}");
        }
        assert!(named("late").is_none());
    }
}
