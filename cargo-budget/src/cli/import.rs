//! `cargo budget history import FILE …`.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::db::{Db, project};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Place};

/// Import results of other tools: Criterion, hyperfine, gungraun, Google Benchmark, k6
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo budget history import target/criterion
  hyperfine --export-json sleep.json 'sleep 0.1'; cargo budget history import sleep.json
  cargo budget history import --format gungraun target/gungraun --dry-run

Imported results have no limit and no verdict: they are neither green nor red.")]
pub(super) struct Import {
    #[command(flatten)]
    db: Db,
    /// Files, or directories to look for them in
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The tool that wrote them [default: recognised from each file]
    #[arg(long, value_enum)]
    format: Option<history::Format>,
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

impl Import {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = project();
        let place = Place::of(self.db.db.as_deref(), project.as_ref())?;
        let what = history::Source {
            files: &self.files,
            format: self.format,
            commit: self.commit.as_deref(),
            branch: self.branch.as_deref(),
            environment: self.environment.as_deref(),
            dry: self.dry_run,
        };
        for message in history::import(&place, project.as_ref(), &what, context.progress)? {
            context.tell(&message);
        }
        Ok(Exit::Holds)
    }
}
