//! The `coffer` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer::cli::run()
}
