//! Processes where only the standard library's means exist: macOS, Windows.
//!
//! A process and its group are ended; what left the group is not found. Resources are not known.

use std::io::{self, PipeReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::launch::{Launch, Seen};
use super::usage::{Living, Usage};

/// How a process ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) exit: Exit,
    pub(super) usage: Option<Usage>,
    /// Nobody can tell how many there were.
    pub(super) strays: usize,
    pub(super) left: bool,
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

    /// Reaps it, and kills what is left of its group. What left the group cannot be found here.
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let status = self.child.wait()?;
        #[cfg(unix)]
        let _ = crate::os::kernel::kill_group(self.child.id());
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        let exit = signal.map_or(Exit::Code(status.code().unwrap_or(-1)), Exit::Signal);
        Ok(End { exit, usage: None, strays: 0, left: false })
    }

    /// Only Linux shows it.
    #[expect(clippy::unused_self, reason = "the same call as on Linux")]
    pub(super) fn living(&self) -> Option<Living> {
        None
    }
}
