//! `cargo budget history …` and `cargo budget trend BUDGET`.

use std::path::Path;

use clap::{Args, Subcommand};

use super::context::Context;
use super::db::{Db, project};
use super::import::Import;
use super::recorded::report_runs;
use super::rendering::Rendering;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Place, TrendQuery};
use crate::project::Project;

/// Store the outcomes of many runs, in a file or on a server
#[derive(Debug, Args)]
pub(super) struct History {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Record(Record),
    List(List),
    Trend(Trend),
    Import(Import),
}

/// Record the last run of the tests
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo test --release; cargo budget history record
  PERF_BUDGET_HISTORY=postgres://ci@db.example.org/budgets cargo budget history record
  cargo budget history record --run 1795250331000-4711 --commit v1.2.0 --branch main

A run that is recorded twice is in the history once.")]
struct Record {
    #[command(flatten)]
    db: Db,
    /// The id of a run in outcomes.jsonl [default: the last run]
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// The commit that was measured [default: the one that is checked out]
    #[arg(long, value_name = "REVISION")]
    commit: Option<String>,
    /// The branch [default: GITHUB_HEAD_REF, GITHUB_REF_NAME, or the one that is checked out]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Show what would be recorded, and record nothing
    #[arg(long)]
    dry_run: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

/// List recorded runs, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo budget history list --last 5
  cargo budget history list --format json | jq '.runs[0]'")]
struct List {
    #[command(flatten)]
    db: Db,
    /// List this many runs
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    last: u16,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

/// Show the steps of a budget, the commits that made them, and whether it drifts; or what changed lately over all budgets
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo budget trend                    what changed lately over all budgets, the worst first
  cargo budget trend merge
  cargo budget trend merge::p99 --branch main --last 100
  cargo budget trend merge --environment 'EPYC' --format json

Steps are found by E-divisive (Matteson & James 2014), drift by the Mann-Kendall test and the Theil-Sen
slope between steps; docs/history.md has the details. Commits are in the order of their times.")]
pub(super) struct Trend {
    #[command(flatten)]
    db: Db,
    /// A budget, or a test of it: `merge`, `merge::p99` [default: all budgets, and what changed lately]
    budget: Option<String>,
    /// The branch [default: the one that is checked out, else the one recorded last]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Show the environment whose name contains this [default: the one recorded last]
    #[arg(long, value_name = "PART")]
    environment: Option<String>,
    /// Use this many of the newest outcomes of each test
    #[arg(long, value_name = "N", default_value = "300", value_parser = clap::value_parser!(u16).range(1..=2000))]
    last: u16,
    /// Include outcomes of work trees with uncommitted changes
    #[arg(long)]
    dirty: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl History {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        match self.action {
            Action::Record(args) => args.run(context),
            Action::List(args) => args.run(context),
            Action::Trend(args) => args.run(context),
            Action::Import(args) => args.run(context),
        }
    }
}

impl Record {
    fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::find(Path::new("."))?;
        let place = Place::choose(self.db.db.as_deref(), Some(&project))?;
        let run = history::RunToRecord {
            run: self.run.as_deref(),
            commit: self.commit.as_deref(),
            branch: self.branch.as_deref(),
            dry: self.dry_run,
        };
        let recorded = history::record(&project, &place, &run, context.progress)?;
        report_runs(&place, self.dry_run, &recorded, self.format, context)
    }
}

impl List {
    fn run(self, context: Context) -> Result<Exit, Failure> {
        let place = Place::choose(self.db.db.as_deref(), project().as_ref())?;
        let work = context.progress.busy("reading the history");
        let mut store = place.existing("read")?;
        let runs = store.runs(self.last);
        drop(work);
        let runs = runs.map_err(|fault| fault.failure("read", &place.public_name()))?;
        if runs.is_empty() {
            context.tell(&format!(
                "no run is recorded in `{}`; `cargo budget history record` records the last one",
                place.public_name()
            ));
        }
        self.format
            .put(|| history::list(&runs), || history::list_json(&place.public_name(), &runs))?;
        Ok(Exit::Holds)
    }
}

impl Trend {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = project();
        let place = Place::choose(self.db.db.as_deref(), project.as_ref())?;
        let query = TrendQuery {
            name: self.budget.as_deref(),
            branch: self.branch.as_deref(),
            environment: self.environment.as_deref(),
            last: self.last,
            dirty: self.dirty,
        };
        let answer = history::trend(&place, project.as_ref(), &query, context.progress)?;
        let text = || if self.budget.is_none() { answer.overview() } else { answer.text() };
        self.format.put(text, || answer.json())?;
        Ok(Exit::Holds)
    }
}
