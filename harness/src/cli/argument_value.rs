//! Reads the values of single arguments.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

use super::argument_error::ArgumentError;
use crate::runtime::RuntimeKind;
use crate::scenario::pattern;

pub fn runtime_kind(text: &str) -> Result<RuntimeKind, ArgumentError> {
    RuntimeKind::parse(text).ok_or(ArgumentError::Runtime)
}

/// Reads an address to listen on, such as `127.0.0.1:4318`.
pub fn listen_address(text: &str) -> Result<SocketAddr, ArgumentError> {
    pattern::listen_address(text).map_err(ArgumentError::Listen)
}

pub fn part_image(text: &str) -> Result<(String, String), ArgumentError> {
    const PARTS: &[&str] = &["kafka", "rabbitmq", "sqs", "relay-model", "relay-rust"];
    match text.split_once('=') {
        Some((part, name)) if PARTS.contains(&part) && !name.is_empty() => {
            Ok((part.to_owned(), name.to_owned()))
        }
        _ => Err(ArgumentError::Image { parts: PARTS }),
    }
}

pub fn whole<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, ArgumentError> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::Zero => ArgumentError::Zero,
        IntErrorKind::PosOverflow => ArgumentError::TooLarge,
        _ => ArgumentError::NotWhole,
    })
}

/// Reads `500ms`, `30s` or `2m`. A number without a unit is in seconds.
pub fn duration(text: &str) -> Result<Duration, ArgumentError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| ArgumentError::Duration)?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        other => Err(ArgumentError::Unit(other.to_owned())),
    }
}

/// Reads a day such as `2027-01-31`.
pub fn day(text: &str) -> Result<String, ArgumentError> {
    text.parse::<jiff::civil::Date>().map(|day| day.to_string()).map_err(|_| ArgumentError::Day)
}

pub fn node_fault(text: &str) -> Result<(String, String), ArgumentError> {
    match text.split_once('=') {
        Some((node, fault)) if !node.is_empty() && !fault.is_empty() => {
            Ok((node.to_owned(), fault.to_owned()))
        }
        _ => Err(ArgumentError::Fault),
    }
}

/// Splits the command at spaces, without quoting. A command that needs more goes into a script.
pub fn own_relay(text: &str) -> Result<(String, Vec<OsString>), ArgumentError> {
    let (name, command) = text.split_once('=').ok_or(ArgumentError::OwnRelay)?;
    let words: Vec<OsString> = command.split_whitespace().map(OsString::from).collect();
    if !["model", "rust"].contains(&name) || words.is_empty() {
        return Err(ArgumentError::OwnRelay);
    }
    Ok((name.to_owned(), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("fast").is_err() && duration("3h").is_err());
    }
}
