//! `cargo budget save-base`.

use std::path::PathBuf;

use perf_budget_core::outcome::short;
use serde_json::json;

use super::context::Context;
use super::rendering::Rendering;
use super::target::Options;
use crate::base;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;

/// The number of links that are saved.
const SAVED: u32 = 32;

/// Build the commit that is checked out as a base, and write it to a directory
///
/// Another run uses it by `check --base-from DIR` instead of building it. So the run for the main branch can save the base
/// of later pull requests. It is built in a separate checkout, in the directory where a comparison would have it.
#[derive(Debug, clap::Args)]
pub(super) struct SaveBase {
    /// The directory; it is created if it does not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Link it this many times, each time in another order [default: 32, or `layouts` of the settings if that is 1 or more
    /// than 32]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=128))]
    layouts: Option<u32>,
    #[command(flatten)]
    options: Options,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl SaveBase {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let project = Project::current()?;
        let build = base::BuildOptions::for_budgets(&project.budgets()?);
        // More links of a saved base cannot be made later, so it gets as many as a red needs in a suite of many limits.
        let default = if build.links < 2 { build.links } else { build.links.max(SAVED) };
        let build = base::BuildOptions { links: self.layouts.unwrap_or(default), ..build };
        let tell = |text: &str| context.tell(text);
        let target = self.options.target();
        let commit =
            base::save(&project, &target, build, &self.directory, context.progress, &tell)?;
        context.tell(&format!("saved {} in {}", short(&commit), self.directory.display()));
        self.format.put(String::new, || {
            let directory = self.directory.display().to_string();
            json!({ "version": 1, "commit": commit, "directory": directory, "links": build.links })
        })?;
        Ok(Exit::Holds)
    }
}
