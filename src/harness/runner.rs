//! This binary takes the place of the benchmarks that cargo runs, to find the variables that cargo gives them.

use std::io::{self, Write as _};

use perf_budget_core::build::runner;

/// Prints the environment, if this process was started for that; returns `None` if it was not.
pub(super) fn print_environment() -> Option<io::Result<()>> {
    let line = runner::line(std::env::args_os(), std::env::vars_os())?;
    Some(io::stdout().write_all(line.as_bytes()))
}
