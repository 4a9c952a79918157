//! `cargo budget doctor`.

use super::print;
use crate::doctor;
use crate::exit::Exit;
use crate::failure::Failure;

/// Say how noisy this machine is, and what that means for budgets
///
/// Looks for a fifth of a second at nothing but the clock: what it does not see was taken by something else. Reads what
/// the system says of steal, pressure, quotas and the like. Run it where and when the tests run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget doctor
  cargo budget doctor >> \"$GITHUB_STEP_SUMMARY\"")]
pub(super) struct Doctor {}

impl Doctor {
    #[expect(clippy::unused_self, reason = "as every subcommand, it is run with its arguments")]
    pub(super) fn run(self) -> Result<Exit, Failure> {
        print(&doctor::examine().render())?;
        Ok(Exit::Holds)
    }
}
