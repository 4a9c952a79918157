//! Processes: starting them, waiting for them, and ending them with everything they started.
//!
//! The only folder that spawns, so that one promise is kept in one place: whatever happens, a process
//! that was started here ends here, with all its descendants, and its output takes bounded memory.
//!
//! On Linux each hangs below a process of its own, `supervisor`, which ends the tree by descent when its root
//! ends, when it is told to, and when the harness is killed. Nothing is ever ended because of what its
//! environment, its name or its group is.

mod child;
mod door;
mod exit;
#[cfg(target_os = "linux")]
mod inject;
mod launch;
#[cfg(target_os = "linux")]
mod linux;
mod output;
#[cfg(not(target_os = "linux"))]
mod portable;
mod refusal;
#[cfg(target_os = "linux")]
mod relay;
mod repository;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod supervisor;
mod system;
#[cfg(target_os = "linux")]
mod tree;
mod usage;
mod watch;

#[cfg(test)]
mod everywhere_tests;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::Duration;

use perf_budget_core::outcome::{Cause, Unmeasured};

pub(crate) use self::child::{Child, Readiness};
#[cfg(target_os = "linux")]
pub(crate) use self::door::{Pass, knock};
pub(crate) use self::door::{SHUT, Shut};
#[cfg(target_os = "linux")]
pub(crate) use self::inject::{Stage, inject};
pub(crate) use self::launch::{Finished, Input, Launch, Parent, Stream};
pub(crate) use self::system::helper;
pub(crate) use self::usage::Usage;

/// Starts a process, waits for its end, and gives what it did. An `Err` where it could not be
/// started, took longer than `timeout`, flooded, or was ended by a signal; an exit code other than
/// zero is for the caller to judge. Nothing of the process is left in either case.
pub(crate) fn run(launch: &Launch, timeout: Duration) -> Result<Finished, Unmeasured> {
    let mut child = Child::spawn(launch)?;
    let deadline = child.deadline(timeout);
    match child.wait(deadline)? {
        Some(finished) => Ok(finished),
        None => Err(child.give_up(
            Cause::TimedOut,
            format!(
                "`{}` did not end within {timeout:?} and was killed; if it may take longer, raise `timeout`",
                child.name
            ),
        )),
    }
}
