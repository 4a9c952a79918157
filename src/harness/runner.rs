//! This binary as the program that cargo runs in the place of benchmarks, to find the variables with which it runs them.

use std::io::Write as _;
use std::process::ExitCode;

use perf_budget_core::build::runner;

/// The exit code if it could not be printed.
const FAILED: u8 = 2;

/// Prints the environment, where this process was started for that. Returns `None` where it was not.
pub(super) fn print_environment() -> Option<ExitCode> {
    let line = runner::line(std::env::args_os(), std::env::vars_os())?;
    let printed = std::io::stdout().write_all(line.as_bytes());
    Some(printed.map_or(ExitCode::from(FAILED), |()| ExitCode::SUCCESS))
}
