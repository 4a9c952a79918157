//! Which history, and of which project: what all of its commands ask.

use std::path::Path;

use clap::Args;

use crate::project::Project;

/// Where the history is.
#[derive(Debug, Args)]
pub(super) struct Db {
    /// A SQLite file or postgres://USER:PASSWORD@HOST/DATABASE [default: .budgets/history.sqlite beside
    /// budgets.toml]
    #[arg(long, value_name = "PATH|URL", env = "PERF_BUDGET_HISTORY", hide_env_values = true)]
    pub(super) db: Option<String>,
}

/// The project, where there is one: a history that is named can be read from anywhere.
pub(super) fn project() -> Option<Project> {
    Project::find(Path::new(".")).ok()
}
