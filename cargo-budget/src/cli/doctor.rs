//! `cargo budget doctor`.

use super::context::Context;
use super::rendering::Rendering;
use crate::doctor::{self, Limits};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::target;

/// Say how noisy this machine is, and what that means for budgets
///
/// For a fifth of a second it only reads the clock, so that every gap is time that something else took. It also reads what
/// the system reports about steal, pressure, quotas and the like. Run it where and when the tests run. After a run of the
/// tests it also says, for each limit on a statistical metric, how close the limit could be.
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
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        let machine = doctor::examine();
        let project = Project::current().ok();
        // A directory without a project, and a project without a run, have no outcomes.
        let outcomes = project.as_ref().and_then(|here| here.latest(context.progress).ok());
        let outcomes = outcomes.unwrap_or_default();
        let limits = Limits::from_outcomes(&outcomes);
        let faults = project.map_or_else(Vec::new, |here| target::faults(&here.root));
        let fault: Vec<String> = faults.iter().map(|fault| format!("\n{fault}\n")).collect();
        let fault = fault.concat();
        self.format.put(
            || machine.render() + &limits.render() + &fault,
            || {
                let mut json = machine.json();
                json["limits"] = limits.json();
                json
            },
        )?;
        Ok(Exit::Holds)
    }
}
