//! Processes where only the standard library's means exist: macOS, Windows.
//!
//! A process and its group are ended; what left the group is not found. Resources are not known.

use std::io::{self, PipeReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::child::Seen;
use super::tree::Tree;
use super::{Exit, Launch, Living, Usage};

/// Nothing can be planted into a command here.
pub(crate) fn planted() -> Option<std::process::ExitCode> {
    None
}

/// A started process.
#[derive(Debug)]
pub(super) struct Handle {
    child: Child,
    spawned_at: Instant,
}

/// Starts what `launch` says, in the surroundings that it is given.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = launch.direct();
    surround(&mut command);
    spawn(command)
}

/// Starts `command`, on Unix as the leader of a group of its own.
fn spawn(mut command: Command) -> io::Result<Handle> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let spawned_at = Instant::now();
    Ok(Handle { child: command.spawn()?, spawned_at })
}

impl Handle {
    /// None: what a relay is for is not known here in any case.
    #[expect(clippy::unused_self, reason = "the same call as on Linux")]
    pub(super) fn relay(&self) -> Option<u32> {
        None
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.spawned_at
    }

    /// Waits for a millisecond at most; the caller looks at its streams each time.
    pub(super) fn look(&mut self, _wake: &PipeReader, deadline: Instant) -> io::Result<Seen> {
        if self.child.try_wait()?.is_some() {
            return Ok(Seen::Ended(Instant::now()));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Seen::Late);
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
        Ok(Seen::Woken)
    }

    /// Kills it, on Unix with its group.
    pub(super) fn kill(&mut self) {
        #[cfg(unix)]
        if let Ok(None) = self.child.try_wait() {
            let _ = crate::os::kernel::kill_group(self.child.id());
        }
        let _ = self.child.kill();
    }

    /// Reaps it.
    pub(super) fn reap(&mut self) -> io::Result<(Exit, Option<Usage>)> {
        let status = self.child.wait()?;
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Ok((Exit::Signal(signal), None));
        }
        Ok((Exit::Code(status.code().unwrap_or(-1)), None))
    }
}

/// Only Linux counts them where everyone can read it.
pub(super) fn memory_kills() -> Option<u64> {
    None
}

/// Never started as a relay: there is none.
pub(crate) fn relay() -> Option<std::process::ExitCode> {
    None
}

/// Nothing: only Linux shows what another process started.
#[derive(Debug)]
pub(crate) struct Guard;

impl Guard {
    /// Does nothing.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn post() -> io::Result<Guard> {
        Ok(Guard)
    }
}

/// Never started as a guard: there is none.
pub(crate) fn guard() -> Option<std::process::ExitCode> {
    None
}

/// Only Linux shows it.
pub(super) fn living(_root: u32, _tree: &Tree) -> Option<Living> {
    None
}
