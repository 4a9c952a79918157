//! The surroundings of the runs of a command: what is run before and after each.

use std::time::Duration;

use perf_budget_core::budget::Command;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::launch::{Place, launch};
use crate::exec::{self, Finished, Parent};

/// Runs what prepares the command or cleans up after it, in the same surroundings. It must end with success, and what it
/// leaves running is ended.
pub(super) fn run_beside(
    command: &Command,
    place: Place<'_>,
    timeout: Duration,
    key: &str,
    argv: &[String],
) -> Result<(), Unmeasured> {
    if argv.is_empty() {
        return Ok(());
    }
    let other = Command {
        argv: argv.to_vec(),
        env: command.env.clone(),
        cwd: command.cwd.clone(),
        ..Command::default()
    };
    let mut launch = launch(&other, Place { alike: None, ..place }, None)?;
    launch.parent = Parent::Harness;
    let of_key = |why: Unmeasured| Unmeasured { text: format!("`{key}`: {}", why.text), ..why };
    let Finished { code, stdout, stderr, .. } = exec::run(&launch, timeout).map_err(of_key)?;
    if code == 0 {
        return Ok(());
    }
    Err(Unmeasured {
        cause: Cause::ExitedBadly,
        text: format!("`{key}`: `{}` ended with exit code {code}; fix it", launch.name()),
        output: stderr.text().or_else(|| stdout.text()),
    })
}
