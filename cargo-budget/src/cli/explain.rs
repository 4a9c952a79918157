//! `cargo budget explain BUDGET`.

use std::path::{Path, PathBuf};

use super::print;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{explain, input};

/// Tell everything that the last run knows of a budget
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget explain merge           every limit of [budget.merge]
  cargo budget explain merge::p99      one of them

Exits with 0 whatever the verdicts are; `cargo budget report` exits as they say.")]
pub(super) struct Explain {
    /// A budget's name, or a test's
    budget: String,
    /// Read these records instead of the project's; of all of them the last run
    #[arg(long, short, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
}

impl Explain {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let report = match self.input.as_slice() {
            [] => input::project(Path::new("."))?,
            files => input::record(files)?,
        };
        print(&explain::render(&report, &self.budget)?)?;
        Ok(Exit::Holds)
    }
}
