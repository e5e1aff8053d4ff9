//! The `unbroken` command.

fn main() -> std::process::ExitCode {
    unbroken::cli::main()
}
