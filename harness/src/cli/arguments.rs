//! The command line, as clap reads it; `--help` is written here.

use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::exit;
use super::report_file::ReportFile;
use crate::runtime::Kind;

/// Checks that trace context survives every hop between your services, and says where and why it does not.
#[derive(Debug, Parser)]
#[command(name = "unbroken", version, after_help = exit::HELP, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<Run>),
    Check(Check),
    Judge(Judge),
    List(List),
    Explain(Explain),
    Schema(Schema),
    Init(Init),
    Completions(Completions),
    Relay(Relay),
    Clean(Clean),
}

/// Run scenarios: start the nodes, drive the requests, judge every hop
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    #[command(flatten)]
    pub selection: Selection,
    /// How many cases run side by side [default: two per core]
    #[arg(long, short, value_name = "N", value_parser = whole::<std::num::NonZeroUsize>)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Take trace ids from this seed; each run prints the one it used
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// Run everything N times, to hunt for flakes
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<std::num::NonZeroU32>)]
    pub repeat: std::num::NonZeroU32,
    /// In place of the scenarios' own timeouts: `500ms`, `30s`, `2m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Also write a report: `json=FILE`, `junit=FILE`, `terminal=FILE`, `github[=FILE]`; `-` is standard output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',')]
    pub report: Vec<ReportFile>,
    /// Keep the evidence of every case in this folder, for `unbroken judge`
    #[arg(long, value_name = "DIR")]
    pub keep_evidence: Option<PathBuf>,
    /// Keep the values of all header fields in evidence and reports, secrets included
    #[arg(long)]
    pub keep_raw: bool,
    /// Stop at the first case that does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// Switch a fault on in a `relay: model` node, to see that it is found; `unbroken relay model --faults`
    /// lists them
    #[arg(long, value_name = "NODE=NAME", value_parser = node_fault)]
    pub fault: Vec<(String, String)>,
    /// Start a relay of your own, which keeps `fixtures/CONTRACT.md`, in place of one: `rust=python3 relay.py`
    #[arg(long, value_name = "NAME=COMMAND", value_parser = own_relay)]
    pub relay: Vec<(String, Vec<OsString>)>,
    /// Where brokers and relays run: `embedded` (stand-ins, processes) or `container`; `image:` nodes are containers in
    /// either [default: embedded, or UNBROKEN_RUNTIME]
    #[arg(long, value_name = "KIND", value_parser = runtime_kind)]
    pub runtime: Option<Kind>,
    /// Start another image: `kafka=NAME`, `rabbitmq=`, `sqs=`, `relay-model=`, `relay-rust=` [default:
    /// UNBROKEN_IMAGE_PART, what `fixtures/images/build` made, the public one]
    #[arg(long, value_name = "PART=NAME", value_parser = part_image)]
    pub image: Vec<(String, String)>,
    /// Leave all containers running, and say how to reach them; `unbroken clean` removes them
    #[arg(long)]
    pub keep: bool,
    #[command(flatten)]
    pub judging: Judging,
    /// Tell more of cases that passed: every hop, rule and note
    #[arg(long, short)]
    pub verbose: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  unbroken run                                    everything in scenarios/
  unbroken run shop.yaml --verbose                one file, every hop and rule told
  unbroken run --report junit=out/unbroken.xml    for a CI server
  unbroken run --repeat 100 --jobs 8 --fail-fast  hunt for a flake
  unbroken run --fault shop=inject-nothing        see that a break is found
  unbroken run --runtime container                real brokers, relays as containers
  unbroken run --baseline known.json              findings that are known do not fail";

/// Which cases
#[derive(Debug, Args)]
pub struct Selection {
    /// Scenario files, or folders of them [default: scenarios]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only cases whose `scenario [case]` contains this text; several: any of them
    #[arg(long, short, value_name = "TEXT")]
    pub filter: Vec<String>,
}

/// How strictly
#[derive(Debug, Args)]
pub struct Judging {
    /// Findings that are known and accepted, each with its reason [default: `baseline.json` in a folder that
    /// is run]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings of this run as a baseline
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Fail when a finding of the baseline no longer occurs
    #[arg(long)]
    pub strict_baseline: bool,
    /// Make findings of what the standards only recommend
    #[arg(long)]
    pub strict: bool,
}

/// Check scenario files without running them
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub selection: Selection,
}

/// Judge kept evidence again, without running anything
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  unbroken run shop.yaml --keep-evidence out
  unbroken judge shop.yaml --evidence out/order-is-billed.json")]
pub struct Judge {
    /// The scenario file that the evidence is of
    pub scenario: PathBuf,
    /// What `run --keep-evidence` wrote
    #[arg(long, value_name = "FILE")]
    pub evidence: PathBuf,
    /// Also write a report: `json=FILE`, `junit=FILE`, `terminal=FILE`, `github[=FILE]`; `-` is standard output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',')]
    pub report: Vec<ReportFile>,
    #[command(flatten)]
    pub judging: Judging,
    /// Tell more: every hop, rule and note
    #[arg(long, short)]
    pub verbose: bool,
}

/// List the cases of scenario files
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub selection: Selection,
}

/// Explain a rule or a class of break: what it means, the clause, usual causes, how to mend it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  unbroken explain hops.keep-relation
  unbroken explain not-injected
  unbroken explain                       all rules and classes, one line each")]
pub struct Explain {
    /// Such as `hops.keep-relation` or `not-injected`
    #[arg(value_name = "RULE-or-CLASS")]
    pub word: Option<String>,
}

/// Print a JSON Schema: of scenarios (for editors), or of the JSON report
#[derive(Debug, Args)]
pub struct Schema {
    #[arg(value_enum, default_value = "scenario")]
    pub of: SchemaOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaOf {
    Scenario,
    Report,
}

/// Write a first scenario for a service of yours, with comments
#[derive(Debug, Args)]
pub struct Init {
    /// Where to write it; a file that is there is left alone
    #[arg(default_value = "scenarios/first.yaml", value_name = "FILE")]
    pub path: PathBuf,
}

/// Print completions for a shell
#[derive(Debug, Args)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

/// Be a reference service; `run` starts its relay nodes so
#[derive(Debug, Args)]
pub struct Relay {
    #[arg(value_name = "model|rust")]
    pub implementation: String,
    /// Passed on to the relay
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub arguments: Vec<String>,
}

/// Remove the containers and networks that `run --keep`, or a run that was killed, has left
#[derive(Debug, Args)]
pub struct Clean {}

fn runtime_kind(text: &str) -> Result<Kind, String> {
    Kind::read(text).ok_or_else(|| "expected `embedded` or `container`".to_owned())
}

fn part_image(text: &str) -> Result<(String, String), String> {
    const PARTS: &[&str] = &["kafka", "rabbitmq", "sqs", "relay-model", "relay-rust"];
    match text.split_once('=') {
        Some((part, name)) if PARTS.contains(&part) && !name.is_empty() => {
            Ok((part.to_owned(), name.to_owned()))
        }
        _ => Err(format!("expected PART=NAME, with one of {}", PARTS.join(", "))),
    }
}

fn whole<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::Zero => "expected 1 or more".to_owned(),
        IntErrorKind::PosOverflow => "that is too large a number".to_owned(),
        _ => "expected a whole number".to_owned(),
    })
}

/// `500ms`, `30s`, `2m`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "expected a number and a unit, such as `30s`".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        other => Err(format!("`{other}` is no unit: `ms`, `s` or `m`")),
    }
}

fn node_fault(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((node, fault)) if !node.is_empty() && !fault.is_empty() => {
            Ok((node.to_owned(), fault.to_owned()))
        }
        _ => Err("expected NODE=NAME, such as `shop=inject-nothing`".to_owned()),
    }
}

/// A command is split at spaces, without any quoting: what needs more is a script.
fn own_relay(text: &str) -> Result<(String, Vec<OsString>), String> {
    let split = text.split_once('=').filter(|(name, _)| ["model", "rust"].contains(name));
    let command = |command: &str| command.split_whitespace().map(OsString::from).collect::<Vec<_>>();
    match split.map(|(name, words)| (name.to_owned(), command(words))) {
        Some((name, words)) if !words.is_empty() => Ok((name, words)),
        _ => Err("expected NAME=COMMAND, such as `rust=python3 relay.py`, with `model` or `rust` as name"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("fast").is_err() && duration("3h").is_err());
    }
}
