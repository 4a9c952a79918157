//! `cargo budget history import FILE …`.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::db::{Db, project};
use super::recorded::report_runs;
use super::rendering::Rendering;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Place};

/// Import results of other tools: Criterion, hyperfine, gungraun, Google Benchmark, k6
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo budget history import target/criterion
  hyperfine --export-json sleep.json 'sleep 0.1'; cargo budget history import sleep.json
  cargo budget history import --tool gungraun target/gungraun --dry-run

Imported results have no limit and no verdict: they are neither green nor red.")]
pub(super) struct Import {
    #[command(flatten)]
    db: Db,
    /// Files, or directories in which they are looked for
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The tool that wrote them [default: recognised from each file]
    #[arg(long, value_enum)]
    tool: Option<history::Format>,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Output,
    /// The commit that was measured [default: the one that is checked out]
    #[arg(long, value_name = "REVISION")]
    commit: Option<String>,
    /// The branch [default: as for record]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The environment that it was measured in [default: this machine]
    #[arg(long, value_name = "TEXT")]
    environment: Option<String>,
    /// Show what would be imported, and import nothing
    #[arg(long)]
    dry_run: bool,
}

/// The format of the output, and the tools that were once named by the same option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    #[value(hide = true)]
    Criterion,
    #[value(hide = true)]
    Hyperfine,
    #[value(hide = true)]
    Gungraun,
    #[value(hide = true)]
    GoogleBenchmark,
    #[value(hide = true)]
    K6,
}

impl Output {
    /// Returns the format of the output, and the tool if this value names one.
    fn parts(self) -> (Rendering, Option<history::Format>) {
        let tool = |format| (Rendering::Text, Some(format));
        match self {
            Output::Text => (Rendering::Text, None),
            Output::Json => (Rendering::Json, None),
            Output::Criterion => tool(history::Format::Criterion),
            Output::Hyperfine => tool(history::Format::Hyperfine),
            Output::Gungraun => tool(history::Format::Gungraun),
            Output::GoogleBenchmark => tool(history::Format::GoogleBenchmark),
            Output::K6 => tool(history::Format::K6),
        }
    }
}

impl Import {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = project();
        let place = Place::choose(self.db.db.as_deref(), project.as_ref())?;
        let (format, named) = self.format.parts();
        let source = history::Source {
            files: &self.files,
            format: self.tool.or(named),
            commit: self.commit.as_deref(),
            branch: self.branch.as_deref(),
            environment: self.environment.as_deref(),
            dry: self.dry_run,
        };
        let runs = history::import(&place, project.as_ref(), &source, context.progress)?;
        report_runs(&place, self.dry_run, &runs, format, context)
    }
}
