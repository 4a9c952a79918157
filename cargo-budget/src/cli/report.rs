//! `cargo budget report`.

use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;

use super::context::Context;
use super::output::print;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::inside;
use crate::project::Project;
use crate::report::{self, Better, Format, input, merge, output};

/// Show the last recorded run in one of several formats, or merge the records of shards
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget report                                          shows the last run in the terminal
  cargo budget report --format html --output budgets.html      writes it as a page
  cargo budget report --format markdown --merge shard-*.jsonl  merges shards; a missing test is red

The exit code follows from the outcomes. It is 1 if a limit is broken, 3 if one was not measured, 4 if one is inconclusive and
that is red, and else 0.")]
pub(super) struct Report {
    /// Write the report in this format
    #[arg(long, short, default_value = "terminal")]
    format: Format,
    /// Write the report to this file, completely or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Read these records instead of the project's, and show the last run in all of them
    #[arg(long, short, value_name = "FILE", num_args = 1..)]
    input: Vec<PathBuf>,
    /// Merge the last runs of these records into one report; each record is that of a shard
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "input")]
    merge: Vec<PathBuf>,
    /// Take the values of earlier runs from these records too
    #[arg(long, value_name = "FILE", num_args = 1..)]
    history: Vec<PathBuf>,
    /// Only accept a run that began at this time or later, in seconds since 1970
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["input", "merge"])]
    since: Option<u64>,
    /// Accept a run of some of the tests: under nextest outcomes of other tests may be missing, and a test that this run left
    /// out may be red since an earlier run
    #[arg(long)]
    partial: bool,
    /// Choose which of its two files github-action-benchmark gets
    #[arg(long, default_value = "smaller")]
    better: Better,
}

impl Report {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let directory = Path::new(".");
        let progress = context.progress;
        let mut report = if !self.merge.is_empty() {
            // The budgets are only needed to name missing tests; shards can be merged without a project.
            let project = Project::find(directory).ok();
            let budgets = |outcomes: &[Outcome]| project.as_ref()?.budgets_of(outcomes).ok();
            merge::merge(&self.merge, &budgets, progress)?
        } else if self.input.is_empty() {
            input::project(directory, self.since.unwrap_or(0), self.partial, progress)?
        } else {
            input::record(&self.input, self.partial, progress)?
        };
        report.precede(&self.history, progress)?;
        // The artifacts of records that were named may be on another machine.
        let is_own = self.merge.is_empty() && self.input.is_empty();
        if let (Format::Html, true, Ok(project)) =
            (self.format, is_own, Project::recorded(directory))
        {
            report.inside = inside::by_budget(&project, progress);
        }
        let (text, left_out) = report::render(&report, self.format, self.better, progress)?;
        match &self.output {
            Some(path) if path.as_os_str() != "-" => {
                let is_styled = self.format == Format::Terminal;
                let text =
                    if is_styled { anstream::adapter::strip_str(&text).to_string() } else { text };
                output::write(path, &text)?;
                context.tell(&format!("{}: {}", path.display(), report.closing()));
            }
            _ => print(&text)?,
        }
        let is_part = report.outcomes.len() < report.tests();
        if is_part && self.input.len() > 1 {
            context.tell("note: this is the last run of these records; `--merge` combines shards");
        }
        if let Some(left_out) = left_out {
            context.tell(&format!("note: {left_out}"));
        }
        Ok(report.exit())
    }
}
