//! `cargo budget save-base`.

use std::path::PathBuf;

use super::Context;
use super::target::Options;
use crate::base;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;

/// Build the commit that is checked out as a base, and write it to a directory
///
/// Another run takes it by `check --base-from DIR` instead of building it: a run for a pull request what the run for
/// the main branch has saved. It is built from a checkout of its own, at the place where a comparison would have it.
#[derive(Debug, clap::Args)]
pub(super) struct SaveBase {
    /// The directory, made if need be
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Link it so often, in another order each time; overrides `layouts` in the settings
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    layouts: Option<u32>,
    #[command(flatten)]
    options: Options,
}

impl SaveBase {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::here()?;
        let times = base::Times::by(&project.budgets()?);
        let times = base::Times { links: self.layouts.unwrap_or(times.links), ..times };
        let tell = |text: &str| context.tell(text);
        let target = self.options.target();
        let commit =
            base::save(&project, &target, times, &self.directory, context.progress, &tell)?;
        context.tell(&format!("saved {} in {}", &commit[..12], self.directory.display()));
        Ok(Exit::Holds)
    }
}
