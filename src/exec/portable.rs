//! Processes where no supervisor ends them by descent: macOS, Windows.
//!
//! On Windows a process is in a job, which all that it starts is in too, and nothing leaves. Elsewhere it leads a
//! group, and what left the group is not found. Resources are not known.

use std::io::{self, PipeReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::launch::{Launch, Seen};
use super::usage::{Living, Usage};
#[cfg(windows)]
use crate::os::job::{self, Job};

/// How a process ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) exit: Exit,
    pub(super) usage: Option<Usage>,
    /// On Unix nobody can tell how many there were.
    pub(super) strays: usize,
    pub(super) left: bool,
}

/// A started process.
#[derive(Debug)]
pub(super) struct Handle {
    child: Child,
    spawned_at: Instant,
    #[cfg(windows)]
    job: Job,
}

/// Starts what `launch` says, in the surroundings that it is given.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = launch.direct();
    surround(&mut command);
    spawn(command)
}

/// Starts `command` as the leader of a group of its own.
#[cfg(unix)]
fn spawn(mut command: Command) -> io::Result<Handle> {
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let spawned_at = Instant::now();
    Ok(Handle { child: command.spawn()?, spawned_at })
}

/// Starts `command` in a job of its own, which it is in before it does anything.
#[cfg(windows)]
fn spawn(mut command: Command) -> io::Result<Handle> {
    std::os::windows::process::CommandExt::creation_flags(&mut command, job::SUSPENDED);
    let job = Job::new()?;
    let mut child = command.spawn()?;
    let spawned_at = Instant::now();
    if let Err(error) = job.adopt(&child) {
        let _ = child.kill();
        return Err(error);
    }
    Ok(Handle { child, spawned_at, job })
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

    /// Kills it, and what belongs to it.
    pub(super) fn kill(&mut self) {
        #[cfg(unix)]
        if let Ok(None) = self.child.try_wait() {
            let _ = crate::os::kernel::kill_group(self.child.id());
        }
        #[cfg(windows)]
        let _ = self.job.end();
        let _ = self.child.kill();
    }

    /// Reaps it, and kills what is left of its group. What left the group cannot be found here.
    #[cfg(unix)]
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let status = self.child.wait()?;
        let _ = crate::os::kernel::kill_group(self.child.id());
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let exit = signal.map_or(Exit::Code(status.code().unwrap_or(-1)), Exit::Signal);
        Ok(End { exit, usage: None, strays: 0, left: false })
    }

    /// Reaps it, and ends what is left in its job.
    #[cfg(windows)]
    pub(super) fn reap(&mut self) -> io::Result<End> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let status = self.child.wait()?;
        let strays = self.job.living()?;
        if strays > 0 {
            self.job.end()?;
        }
        let began = Instant::now();
        while self.job.living()? > 0 && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = self.job.living()? > 0;
        let exit = Exit::Code(status.code().unwrap_or(-1));
        Ok(End { exit, usage: None, strays, left })
    }

    /// Only Linux shows it.
    #[expect(clippy::unused_self, reason = "the same call as on Linux")]
    pub(super) fn living(&self) -> Option<Living> {
        None
    }
}
