//! The option that names the history, shared by all subcommands that use it.

use std::path::Path;

use clap::Args;

use crate::project::Project;

/// The option that says where the history is.
#[derive(Debug, Args)]
pub(super) struct Db {
    /// A SQLite file or postgres://USER:PASSWORD@HOST/DATABASE [default: .budgets/history.sqlite beside
    /// budgets.toml]
    #[arg(long, value_name = "PATH|URL", env = "PERF_BUDGET_HISTORY", hide_env_values = true)]
    pub(super) db: Option<String>,
}

/// Returns the project, where there is one. A history that is named can be read from any directory.
pub(super) fn project() -> Option<Project> {
    Project::find(Path::new(".")).ok()
}
