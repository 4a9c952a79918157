//! This binary as the program that cargo runs in the place of benchmarks, to find the variables with which it runs them.

use std::io::{self, Write as _};

use perf_budget_core::build::runner;

/// Prints the environment, where this process was started for that. Returns `None` where it was not.
pub(super) fn print_environment() -> Option<io::Result<()>> {
    let line = runner::line(std::env::args_os(), std::env::vars_os())?;
    Some(io::stdout().write_all(line.as_bytes()))
}
