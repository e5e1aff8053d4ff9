//! The command line for clap, with the texts of `--help`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::argument_value::{
    day, duration, listen_address, node_fault, own_relay, part_image, runtime_kind, whole,
};
use super::conform::ConformArguments;
use super::exit;
use super::print::ColourOrder;
use super::report_file::ReportFile;
use crate::history::Shard;
use crate::masking::MaskedField;
use crate::runtime::RuntimeKind;

/// Checks that trace context survives every hop between your services, and reports where and why it breaks
#[derive(Debug, Parser)]
#[command(name = "unbroken", version, after_help = exit::HELP, arg_required_else_help = true)]
pub struct Arguments {
    /// Print in colour: `auto`, `always` or `never`; `auto` respects NO_COLOR, CLICOLOR_FORCE and TERM=dumb
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: ColourOrder,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArguments>),
    Conform(Box<ConformArguments>),
    Check(CheckArguments),
    Judge(JudgeArguments),
    Nightly(Box<NightlyArguments>),
    Diff(DiffArguments),
    Merge(MergeArguments),
    List(ListArguments),
    Explain(ExplainArguments),
    Schema(SchemaArguments),
    Init(InitArguments),
    Completions(CompletionsArguments),
    Relay(RelayArguments),
    Clean(CleanArguments),
}

/// Run scenarios: start the nodes, send the requests, judge every hop
#[derive(Clone, Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    #[command(flatten)]
    pub sharding: ShardArguments,
    /// The number of cases that run in parallel [default: two per core]
    #[arg(long, short, value_name = "N", value_parser = whole::<std::num::NonZeroUsize>)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Derive trace ids from this seed; each run prints its seed
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// Run everything N times, to find flaky cases
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<std::num::NonZeroU32>)]
    pub repeat: std::num::NonZeroU32,
    /// Override the timeouts of the scenarios: `500ms`, `30s`, `2m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Also write a report: `html=FILE`, `json=FILE`, `junit=FILE`, `terminal=FILE`, `github[=FILE]`; `-` is standard
    /// output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',')]
    pub report: Vec<ReportFile>,
    /// Keep the evidence of every case in this folder, for `unbroken judge`
    #[arg(long, value_name = "DIR")]
    pub keep_evidence: Option<PathBuf>,
    /// Keep the values of all header fields in evidence and reports, including secrets
    #[arg(long)]
    pub keep_raw: bool,
    /// Mask the values of `baggage`, or of a header: `header:x-tenant`; equal values have equal masks, and verdicts
    /// stay the same
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub mask: Vec<MaskedField>,
    /// Stop at the first case that does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// Enable a fault of a `relay: model` node, to check that it is found; cases without that node are skipped;
    /// `unbroken relay model --faults` lists the faults
    #[arg(long, value_name = "NODE=FAULT", value_parser = node_fault)]
    pub fault: Vec<(String, String)>,
    /// Replace a relay by your own command: `rust=python3 relay.py`; it must keep the contract in
    /// `fixtures/CONTRACT.md`
    #[arg(long, value_name = "NAME=COMMAND", value_parser = own_relay)]
    pub relay: Vec<(String, Vec<OsString>)>,
    /// Run brokers and relays `embedded` (stand-ins, processes) or in a `container`; `image:` nodes always run in a
    /// container [default: UNBROKEN_RUNTIME, else embedded]
    #[arg(long, value_name = "KIND", value_parser = runtime_kind)]
    pub runtime: Option<RuntimeKind>,
    /// Start another image: `kafka=NAME`, `rabbitmq=`, `sqs=`, `relay-model=`, `relay-rust=` [default:
    /// UNBROKEN_IMAGE_PART, else the image that `fixtures/images/build` made, else the public one]
    #[arg(long, value_name = "PART=NAME", value_parser = part_image)]
    pub image: Vec<(String, String)>,
    /// Receive telemetry at this address, gRPC and HTTP alike, in place of `otlp:` of the scenarios: for services that
    /// already run; a port alone stands for 127.0.0.1
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub otlp_listen: Option<SocketAddr>,
    /// Keep all containers running and print their addresses; `unbroken clean` removes them
    #[arg(long)]
    pub keep: bool,
    #[command(flatten)]
    pub judging: JudgingArguments,
    /// Print more about cases that passed: every hop, rule and note
    #[arg(long, short)]
    pub verbose: bool,
}

const RUN_EXAMPLES: &str = "\
Examples:
  unbroken run                                    everything in scenarios/
  unbroken run shop.yaml --verbose                one file, with every hop, rule and note
  unbroken run --report junit=out/unbroken.xml    a report for a CI server
  unbroken run --repeat 100 --jobs 8 --fail-fast  find a flaky case
  unbroken run --fault shop=inject-nothing        check that a break is found
  unbroken run --runtime container                real brokers, relays as containers
  unbroken run --baseline known.json              accepted findings do not fail";

/// The cases to select
#[derive(Clone, Debug, Args)]
pub struct SelectionArguments {
    /// Scenario files, or folders of them [default: scenarios]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Select cases whose `scenario [case]` contains this text; several texts select cases with any of them
    #[arg(long, short, value_name = "TEXT")]
    pub filter: Vec<String>,
}

/// The part of the cases that this machine runs
#[derive(Clone, Debug, Args)]
pub struct ShardArguments {
    /// Run one of N parts of the cases; `unbroken merge` makes one report of all parts
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Balance the shards by the durations in this JSON report of an earlier run
    #[arg(long, value_name = "REPORT", requires = "shard")]
    pub durations: Option<PathBuf>,
}

/// The strictness of judging
#[derive(Clone, Debug, Args)]
pub struct JudgingArguments {
    /// A file of accepted findings, each with its reason [default: `baseline.json` in a folder that is run]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings of this run to a file of accepted findings
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// Fail when an accepted finding no longer occurs
    #[arg(long)]
    pub strict_baseline: bool,
    /// Report violations of recommendations (SHOULD) as findings too
    #[arg(long)]
    pub strict: bool,
}

/// Check scenario files without running them
#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
}

/// Judge kept evidence again without running anything
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  unbroken run shop.yaml --keep-evidence out
  unbroken judge shop.yaml --evidence out/order-is-billed.json")]
pub struct JudgeArguments {
    /// The scenario file that the evidence belongs to
    pub scenario: PathBuf,
    /// A file that `run --keep-evidence` wrote
    #[arg(long, value_name = "FILE")]
    pub evidence: PathBuf,
    /// Also write a report: `html=FILE`, `json=FILE`, `junit=FILE`, `terminal=FILE`, `github[=FILE]`; `-` is standard
    /// output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',')]
    pub report: Vec<ReportFile>,
    #[command(flatten)]
    pub judging: JudgingArguments,
    /// Print more: every hop, rule and note
    #[arg(long, short)]
    pub verbose: bool,
}

/// Run scenarios and compare the findings with those of the last complete night
#[derive(Debug, Args)]
#[command(after_help = NIGHTLY_HELP)]
pub struct NightlyArguments {
    #[command(flatten)]
    pub run: RunArguments,
    /// The folder with one report for each night, and the baseline of accepted findings
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The number of nights that the folder keeps
    #[arg(long, value_name = "N", default_value = "30", value_parser = whole::<std::num::NonZeroUsize>)]
    pub keep_nights: std::num::NonZeroUsize,
    /// Take this JSON report as tonight's, such as one of `merge`; what is new or worse is run again if a PATH is given
    #[arg(long, value_name = "REPORT", conflicts_with_all = ["accept", "shard"])]
    pub from: Option<PathBuf>,
    /// Accept a finding of the last night, and run nothing
    #[arg(long, value_name = "FINGERPRINT", requires = "reason")]
    pub accept: Option<String>,
    /// The reason for accepting it
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub reason: Option<String>,
    /// The last day on which it is accepted, such as `2027-01-31`
    #[arg(long, value_name = "DATE", requires = "accept", value_parser = day)]
    pub until: Option<String>,
}

const NIGHTLY_HELP: &str = "\
Exit status:
  0  nothing is new or worse
  4  a finding is new or worse, or no longer accepted because its last day has passed
  5  could not compare: the first night, or an interrupted run

Examples:
  unbroken nightly scenarios/gateways --state nights
  unbroken nightly --state nights --accept 3f9a1c2b4d5e6f70 --reason 'upstream #12' --until 2027-01-31";

/// Compare the JSON reports of two runs
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status:
  0  nothing is new or worse
  4  a finding is new or worse, or no longer accepted because its last day has passed
  5  could not compare")]
pub struct DiffArguments {
    /// The report of the earlier run: `--report json=FILE`
    pub before: PathBuf,
    /// The report of the later run
    pub after: PathBuf,
}

/// Make one report of the reports of all shards: JSON of `run`, `nightly` or `conform`, or JUnit
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: that of the run as a whole; 5 if a shard is missing.

Example:
  unbroken run --shard 1/2 --seed 7 --report json=1.json
  unbroken run --shard 2/2 --seed 7 --report json=2.json
  unbroken merge 1.json 2.json --output all.json")]
pub struct MergeArguments {
    /// The reports of the shards, all JSON or all JUnit
    #[arg(required = true, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// The file to write; `-` is standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
}

/// List the cases of scenario files
#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// `text`, one line for each case, or `json`, an array of objects with file, title, nodes and hops
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ListFormat {
    Text,
    Json,
}

/// Explain a rule or a class of break: its meaning, the clause, usual causes, fixes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  unbroken explain hops.keep-relation
  unbroken explain not-injected
  unbroken explain                       all rules and classes, one line each")]
pub struct ExplainArguments {
    /// A rule such as `hops.keep-relation`, or a class such as `not-injected`
    #[arg(value_name = "RULE-OR-CLASS")]
    pub word: Option<String>,
}

/// Print the JSON Schema of scenarios (for editors) or of the JSON report
#[derive(Debug, Args)]
pub struct SchemaArguments {
    #[arg(value_enum, default_value = "scenario")]
    pub of: SchemaKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaKind {
    Scenario,
    Report,
    /// Of a conformance suite's file.
    Suite,
    /// Of a target file of `conform`.
    Target,
    /// Of the JSON report of `conform`.
    Conformance,
}

/// Write a first scenario for your service, with comments
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The file to write; an existing file is not changed
    #[arg(default_value = "scenarios/first.yaml", value_name = "FILE")]
    pub path: PathBuf,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    pub shell: clap_complete::Shell,
}

/// Run a reference service; `run` starts the relay nodes of a scenario this way
#[derive(Debug, Args)]
pub struct RelayArguments {
    #[arg(value_name = "model|rust")]
    pub implementation: String,
    /// Arguments for the relay
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub arguments: Vec<String>,
}

/// Remove the containers and networks that `run --keep` or a killed run left
#[derive(Debug, Args)]
pub struct CleanArguments {}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
