//! The command: arguments, files, exit status. No other module prints.

use std::process::ExitCode;

use clap::Parser;

mod argument_error;
mod argument_value;
mod arguments;
mod bar;
mod baseline_file;
mod check;
mod comparison;
mod completions;
mod conform;
#[cfg(feature = "container")]
#[path = "containers.rs"]
mod containers;
#[cfg(not(feature = "container"))]
#[path = "no_containers.rs"]
mod containers;
pub mod exit;
mod explain;
mod fault;
mod finish;
mod gateway_table;
mod init;
mod interrupt;
mod judge;
mod list;
mod merge;
mod nightly;
mod nights;
mod option_error;
mod print;
mod relay;
mod report_file;
mod report_target;
mod report_writer;
mod run;
mod schema;
mod selection;
mod sharding;

use arguments::{Arguments, Command};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    crate::descriptors::raise_limit();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are not errors. A reader that closed the stream does not need them.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::PASS });
        }
    };
    print::order_colour(arguments.color);
    let status = match arguments.command {
        Command::Relay(arguments) => return relay::relay(arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Conform(arguments) => conform::conform(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Judge(arguments) => judge::judge(&arguments),
        Command::Nightly(arguments) => nightly::nightly(&arguments),
        Command::Diff(arguments) => comparison::diff(&arguments),
        Command::Merge(arguments) => merge::merge(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Clean(_) => containers::clean(),
        Command::Completions(arguments) => completions::completions(&arguments),
    };
    ExitCode::from(if status == exit::PASS && print::has_lost_output() { exit::INCONCLUSIVE } else { status })
}
