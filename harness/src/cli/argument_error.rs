//! The errors in single arguments; clap prints them with the argument and its value.

/// An argument that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    #[error("expected `embedded` or `container`")]
    Runtime,
    #[error("expected PART=NAME, with one of {} as PART", parts.join(", "))]
    Image { parts: &'static [&'static str] },
    #[error("expected 1 or more")]
    Zero,
    #[error("the number is too large")]
    TooLarge,
    #[error("expected a whole number")]
    NotWhole,
    #[error("expected a number and a unit, such as `30s`")]
    Duration,
    #[error("`{0}` is not a unit: use `ms`, `s` or `m`")]
    Unit(String),
    #[error("{0}")]
    Listen(&'static str),
    #[error("expected a day, such as `2027-01-31`")]
    Day,
    #[error("expected NODE=FAULT, such as `shop=inject-nothing`")]
    Fault,
    #[error("expected NAME=COMMAND, such as `rust=python3 relay.py`, with `model` or `rust` as NAME")]
    OwnRelay,
    #[error("`{kind}` is not a kind of report: use {known}")]
    ReportKind { kind: String, known: &'static str },
    #[error("the file is missing: write `{0}=FILE`")]
    ReportFile(String),
}
