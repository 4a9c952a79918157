//! The guardian: the process above a supervisor, which takes its place if the supervisor is killed, and has it go on if
//! it is stopped.
//!
//! A command that is measured may kill its parent, by mistake or on purpose (`kill -9 $PPID`). Then the guardian is the
//! nearest ancestor that adopts orphans, and it ends them as the supervisor would have. It is in a session of its own,
//! so that no signal to the supervisor's group or session reaches it. A command that kills both within the same moment
//! is not held: above the guardian is the harness, which cannot tell its own children from orphans.
//!
//! A guardian is a copy of the harness that only makes system calls. It holds the channel between the harness and the
//! supervisor open, so that the harness reads the end of the channel when nothing is left below either of them.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::supervisor;
use crate::os::{calls, kernel};

/// How long a supervisor may take to end its tree before the guardian does. The supervisor itself takes 5 s at most.
const PATIENCE: Duration = Duration::from_secs(7);

/// How long the harness waits for a guardian: for [`PATIENCE`], and for as long as the guardian may take to end the tree.
const FAREWELL: Duration = Duration::from_secs(15);

/// How long a stopped guardian stays stopped at most. A guardian that learns of no signals looks at its supervisor this often.
const STEP: Duration = Duration::from_millis(100);

/// The exit code of a guardian whose supervisor was killed.
const KILLED: i32 = 3;

/// Makes this process, which is a copy of the harness, the guardian of another copy. Only the other copy returns; it leads
/// a group of its own.
pub(super) fn stand_guard(channel: BorrowedFd<'_>) -> io::Result<()> {
    supervisor::begin()?;
    let (ready, closed_when_ready) = io::pipe()?;
    match kernel::fork()? {
        None => {
            drop(closed_when_ready);
            // A guardian that is stopped before it has closed what it inherited would leave the harness waiting for the start. So
            // this waits until the guardian has closed its end of the pipe.
            let _ = (&ready).read(&mut [0]);
            kernel::lead_group()
        }
        Some(supervisor) => {
            let was_killed = guard(supervisor, channel);
            kernel::exit_now(if was_killed { KILLED } else { 0 })
        }
    }
}

/// Waits for the end of the supervisor, and ends what it has left behind. Returns whether the supervisor was killed.
fn guard(supervisor: u32, channel: BorrowedFd<'_>) -> bool {
    kernel::block_signals();
    kernel::heed_children();
    let _ = kernel::lead_session();
    // The copy may have inherited a stream by chance, whose reader would then wait for its end for ever.
    kernel::close_all_but(channel);
    let changes = calls::stops().ok();
    let mut end_at = None;
    while !kernel::has_ended(supervisor) {
        if kernel::is_stopped_child(supervisor) {
            let _ = kernel::resume(supervisor);
        }
        // Without a descriptor of the signals, the loop looks several times a second.
        let step = if changes.is_some() { Duration::from_secs(3600) } else { STEP };
        let left = end_at.map_or(step, |at: Instant| at.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            let _ = kernel::kill(supervisor);
            let _ = kernel::wait_for_end(supervisor);
            break;
        }
        let until_closed = end_at.is_none().then_some(channel);
        let changed = changes.as_ref().map(AsFd::as_fd);
        if let Ok([true, _]) = kernel::closed_or_readable(until_closed, changed, left.min(step)) {
            end_at = Some(Instant::now() + PATIENCE);
        }
        if let Some(changed) = changed {
            calls::drain(changed);
        }
    }
    let was_killed = kernel::reap(supervisor).is_ok_and(|end| libc::WIFSIGNALED(end.status));
    supervisor::end_descendants(false);
    was_killed
}

/// Resumes a guardian that was stopped.
pub(super) fn wake(guardian: u32) {
    let _ = kernel::resume(guardian);
}

/// Waits until a descriptor is readable, for `patience` at most. It resumes the guardian all the while, since the signal
/// that stops it may arrive at any time.
pub(super) fn wait_below(
    guardian: u32,
    until: BorrowedFd<'_>,
    patience: Duration,
) -> io::Result<()> {
    let began = Instant::now();
    loop {
        wake(guardian);
        let [is_there] = kernel::readable([Some(until)], STEP)?;
        if is_there || began.elapsed() >= patience {
            return Ok(());
        }
    }
}

/// Waits for the end of a guardian whose supervisor has reported or has not answered, and reaps it. Returns whether the
/// supervisor was killed.
pub(super) fn dismiss(guardian: u32) -> bool {
    if let Ok(ended) = kernel::process_fd(guardian) {
        let _ = wait_below(guardian, ended.as_fd(), FAREWELL);
    }
    let _ = kernel::kill(guardian);
    let is_killed = |status| libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == KILLED;
    kernel::reap(guardian).is_ok_and(|end| is_killed(end.status))
}
