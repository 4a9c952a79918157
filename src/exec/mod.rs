//! Processes: starting them, waiting for them, and ending them with everything that they started.
//!
//! This is the only folder that starts processes, so that one promise is kept in one place: whatever happens, a
//! process that was started here ends here, with all its descendants, and its output takes bounded memory.
//!
//! On Linux each process is a child of a `supervisor` process of its own, which ends the tree by descent when its
//! root ends, when it is told to, and when the harness is killed. If the supervisor itself is killed or stopped, its
//! parent, the `guardian`, does that in its place. A process is never ended because of its environment, its name or its
//! group.

mod after_ready;
mod alike;
mod child;
mod exit;
#[cfg(target_os = "linux")]
mod guardian;
mod handshake;
#[cfg(target_os = "linux")]
mod inject;
mod launch;
#[cfg(target_os = "linux")]
mod linux;
mod output;
mod plain;
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
mod traced;
#[cfg(target_os = "linux")]
mod tree;
mod usage;

#[cfg(test)]
mod everywhere_tests;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::Duration;

use perf_budget_core::budget::Constraint;
use perf_budget_core::outcome::{Cause, Unmeasured};

pub(crate) use self::alike::{Alike, Lengths, fill, lengthened};
pub(crate) use self::child::{Child, Readiness};
pub(crate) use self::exit::{code_words, is_exception, overflowed_stack};
pub(crate) use self::handshake::{REJECTED, Rejected};
#[cfg(target_os = "linux")]
pub(crate) use self::handshake::{Token, accept};
#[cfg(target_os = "linux")]
pub(crate) use self::inject::{Stage, inject};
pub(crate) use self::launch::{Changes, Finished, Input, Launch, Parent, Stream, Written};
#[cfg(all(target_os = "linux", any(test, feature = "internals")))]
pub use self::linux::refused as tracing_refused;
pub(crate) use self::system::{helper, unusable};
pub(crate) use self::usage::{Counted, Usage};

/// Returns the reason why no process can be held to a constraint on this system; `None` if one can, or if there is none.
pub(crate) fn unconstrained(constraint: Constraint) -> Option<Unmeasured> {
    const TEXT: &str = "`memory` and `processors` constrain what is measured on Linux only; remove them, or measure there";
    let refused = !constraint.is_none() && !cfg!(target_os = "linux");
    refused.then(|| Unmeasured::new(Cause::Unsupported, TEXT))
}

/// Starts a process, waits for its end, and returns what it did. It is an `Err` if the process could not be started,
/// took longer than `timeout`, wrote too much, or was ended by a signal; the caller judges an exit code other than
/// zero. Nothing of the process is left in either case.
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
