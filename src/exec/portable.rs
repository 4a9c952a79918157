//! Processes on macOS and Windows, where no supervisor process ends them.
//!
//! On Windows a process is in a job. Everything that it starts is in the job too, and cannot leave it, so what they hold
//! and have used is known as far as Windows counts it. On macOS a process leads a group. A descendant that has left the
//! group is not found, and the resources that a process used are not known.

use std::io::{self, PipeReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::launch::{Event, Launch};
#[cfg(windows)]
use super::usage::Counted;
use super::usage::{Living, Usage};
use crate::os::calls::Counts;
#[cfg(windows)]
use crate::os::job::{self, Job, Used};

/// How a process ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) exit: Exit,
    pub(super) usage: Option<Usage>,
    /// The number of descendants that outlived the process; 0 on Unix, where it is not known.
    pub(super) strays: usize,
    /// Whether some processes could not be ended.
    pub(super) some_left: bool,
    /// The system calls, which nobody counts here.
    pub(super) calls: Option<Result<Box<Counts>, i32>>,
}

/// A started process.
#[derive(Debug)]
pub(super) struct Handle {
    child: Child,
    spawned_at: Instant,
    #[cfg(windows)]
    job: Job,
}

/// Starts the program of `launch`, in the environment that `surround` gives it.
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

    /// Does nothing: system calls are counted on Linux only.
    #[expect(clippy::unused_self, reason = "the same call as on Linux")]
    pub(super) fn mark(&self) {}

    /// Waits for at most a millisecond; the caller looks at the streams each time.
    pub(super) fn wait_for_event(
        &mut self,
        _wake: &PipeReader,
        deadline: Instant,
    ) -> io::Result<Event> {
        if self.child.try_wait()?.is_some() {
            return Ok(Event::Ended(Instant::now()));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Event::Late);
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
        Ok(Event::Woken)
    }

    /// Kills the process and what belongs to it.
    pub(super) fn kill(&mut self) {
        #[cfg(unix)]
        if let Ok(None) = self.child.try_wait() {
            let _ = crate::os::kernel::kill_group(self.child.id());
        }
        #[cfg(windows)]
        let _ = self.job.end();
        let _ = self.child.kill();
    }

    /// Reaps the process and kills what is left of its group. A descendant that has left the group cannot be found
    /// here.
    #[cfg(unix)]
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let status = self.child.wait()?;
        let _ = crate::os::kernel::kill_group(self.child.id());
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let exit = signal.map_or(Exit::Code(status.code().unwrap_or(-1)), Exit::Signal);
        Ok(End { exit, usage: None, strays: 0, some_left: false, calls: None })
    }

    /// Reaps the process and ends what is left in its job.
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
        let some_left = self.job.living()? > 0;
        let exit = Exit::Code(status.code().unwrap_or(-1));
        let used = self.job.used().ok();
        let usage = used.map(|used| Usage {
            cpu: used.cpu,
            preempted: None,
            waited: None,
            // Windows keeps the peak of single processes only, each as long as somebody has a handle to it.
            max_rss: job::peak_rss(&self.child).unwrap_or(0),
            forked_from: 0,
            had_children: used.processes > 1,
            counted: counted(&self.job, used),
        });
        Ok(End { exit, usage, strays, some_left, calls: None })
    }

    /// Returns what the process and everything that it started hold and have used.
    #[cfg(windows)]
    pub(super) fn living(&self) -> Option<Living> {
        let held = self.job.held().ok().filter(|held| held.rss > 0)?;
        let used = self.job.used().ok()?;
        let cpu = used.cpu;
        let own = job::processor_time(&self.child).ok()?;
        Some(Living {
            processes: held.processes,
            rss: held.rss,
            peak_rss: held.peak_rss,
            cpu,
            others: cpu.saturating_sub(own),
            waited: None,
            preempted: None,
            counted: counted(&self.job, used),
        })
    }

    /// Returns `None`: macOS shows only a process itself what it holds.
    #[cfg(unix)]
    #[expect(clippy::unused_self, reason = "the same call as elsewhere")]
    pub(super) fn living(&self) -> Option<Living> {
        None
    }
}

/// Returns what Windows has counted of all processes of a job.
#[cfg(windows)]
fn counted(job: &Job, used: Used) -> Counted {
    Counted { faults: used.faults, major_faults: None, traffic: job.traffic().ok() }
}
