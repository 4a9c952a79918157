//! Processes: starting them, waiting for them, and ending them with everything that they started.
//!
//! This is the only folder that starts processes, so that one promise is kept in one place. Whatever happens, a
//! process that was started here ends here, with all its descendants, and its output takes bounded memory.
//!
//! On Linux each process is a child of a `supervisor` process of its own. The supervisor ends the tree by descent when
//! its root ends, when the harness orders it, and when the harness is killed. If it is killed or stopped itself, its
//! parent, the `guardian`, does that in its place. A process is never ended because of its environment, its name or its
//! group.

mod after_ready;
mod alike;
mod child;
mod exit;
#[cfg(any(test, target_os = "macos"))]
mod family;
#[cfg(target_os = "linux")]
mod guardian;
mod handshake;
#[cfg(target_os = "linux")]
mod inject;
mod launch;
mod lengths;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
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
#[cfg(windows)]
mod windows;

#[cfg(test)]
mod everywhere_tests;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::{Duration, Instant};

use perf_budget_core::budget::Constraint;
use perf_budget_core::outcome::{Cause, Unmeasured};

pub(crate) use self::alike::{fill, lengthened};
pub(crate) use self::child::{Child, Readiness};
pub(crate) use self::exit::{code_words, is_exception, overflowed_stack};
pub(crate) use self::handshake::{REJECTED, Rejected};
#[cfg(target_os = "linux")]
pub(crate) use self::handshake::{Token, accept};
#[cfg(target_os = "linux")]
pub(crate) use self::inject::{Stage, inject};
pub(crate) use self::launch::{Changes, Finished, Input, Launch, Parent, Stream, Written};
pub(crate) use self::lengths::{Alike, Lengths};
#[cfg(all(target_os = "linux", any(test, feature = "internals")))]
pub use self::linux::tracing_refused;
pub(crate) use self::system::{helper, unusable};
pub(crate) use self::usage::{Counted, Living, Usage};

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
    child.wait(deadline)?.ok_or_else(|| timed_out(&mut child, timeout))
}

/// Runs a process as [`run`] does, but ends it and returns `None` once it has run for `own`. The time in which it waited for a
/// processor does not count, where the platform reports it.
pub(crate) fn run_unless_long(
    launch: &Launch,
    own: Duration,
    timeout: Duration,
) -> Result<Option<Finished>, Unmeasured> {
    let mut child = Child::spawn(launch)?;
    let deadline = child.deadline(timeout);
    let mut waited = Duration::ZERO;
    loop {
        // What a process waited is not known any more once it has ended.
        waited = child.living().and_then(|living| living.waited).unwrap_or(waited);
        let Some(next) = next_look(child.spawned_at().elapsed(), waited, own) else {
            return child.wait(Instant::now());
        };
        let next = Instant::now() + next;
        if let Some(finished) = child.wait(next.min(deadline))? {
            return Ok(Some(finished));
        }
        if next >= deadline {
            return Err(timed_out(&mut child, timeout));
        }
    }
}

/// Returns how long to wait before the process is looked at again; `None` if it has already taken longer than `own`, its waits for
/// a processor not counted.
fn next_look(elapsed: Duration, waited: Duration, own: Duration) -> Option<Duration> {
    /// A process may be waiting at this moment, which is not counted yet.
    const SHORTEST: Duration = Duration::from_millis(20);
    let left = own.checked_sub(elapsed.saturating_sub(waited)).filter(|left| !left.is_zero())?;
    Some(left.max(SHORTEST))
}

fn timed_out(child: &mut Child, timeout: Duration) -> Unmeasured {
    let text = format!(
        "`{}` did not end within {timeout:?} and was killed; if it may take longer, raise `timeout`",
        child.name
    );
    child.give_up(Cause::TimedOut, text)
}

#[cfg(test)]
mod patience_tests {
    use super::*;

    #[test]
    fn a_wait_for_a_processor_is_not_time_that_a_process_takes() {
        let ms = Duration::from_millis;
        let left = |elapsed, waited, own| {
            let left = next_look(ms(elapsed), ms(waited), ms(own));
            left.map(|left| left.as_millis())
        };
        assert_eq!(left(0, 0, 1000), Some(1000));
        assert_eq!(left(1000, 0, 1000), None);
        assert_eq!(left(5000, 4700, 1000), Some(700));
        // There is always a pause between two looks.
        assert_eq!(left(5000, 4001, 1000), Some(20));
        assert_eq!(left(6000, 5000, 1000), None);
        // The system's two clocks differ a little.
        assert_eq!(left(100, 101, 1000), Some(1000));
    }
}
