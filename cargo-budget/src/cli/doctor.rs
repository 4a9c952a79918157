//! `cargo budget doctor`.

use super::output::{print, show};
use super::rendering::Rendering;
use crate::doctor;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::target;

/// Say how noisy this machine is, and what that means for budgets
///
/// Reads the clock and does nothing else for a fifth of a second: every gap is time that something else took. Reads what
/// the system reports about steal, pressure, quotas and the like. Run it where and when the tests run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget doctor
  cargo budget doctor --format json | jq -r .noise
  cargo budget doctor >> \"$GITHUB_STEP_SUMMARY\"")]
pub(super) struct Doctor {
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Rendering,
}

impl Doctor {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let machine = doctor::examine();
        match self.format {
            Rendering::Text => {
                show(&machine.render())?;
                let fault =
                    Project::here().ok().and_then(|here| target::fault(&here.root, "budgets"));
                if let Some(fault) = fault {
                    show(&format!("\n{fault}\n"))?;
                }
            }
            Rendering::Json => print(&format!("{:#}\n", machine.json()))?,
        }
        Ok(Exit::Holds)
    }
}
