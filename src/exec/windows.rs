//! Processes on Windows. Each is in a job. Everything that it starts is in the job too, and cannot leave it, so what they hold and
//! have used is known as far as Windows counts it.

use std::io::{self, PipeReader};
use std::os::windows::process::CommandExt;
use std::process::{Child, Command};
use std::time::Instant;

use super::exit::Exit;
use super::launch::{Event, Launch};
use super::portable::{self, End};
use super::usage::{Counted, Living, Usage};
use crate::os::job::{self, Job, Used};

/// A started process.
#[derive(Debug)]
pub(super) struct Handle {
    child: Child,
    spawned_at: Instant,
    job: Job,
}

/// Starts the program of `launch`, in the environment that `surround` gives it, in a job of its own. It is in that job before it
/// does anything. Until then it is in a job of this process, with which it ends if this process is killed in that moment.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = launch.direct();
    surround(&mut command);
    command.creation_flags(job::SUSPENDED);
    job::end_children_with_this_process();
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
        Ok(portable::wait(self.child.try_wait()?.is_some(), deadline))
    }

    /// Kills the process and what belongs to it.
    pub(super) fn kill(&mut self) {
        let _ = self.job.end();
        let _ = self.child.kill();
    }

    /// Reaps the process and ends what is left in its job.
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let status = self.child.wait()?;
        let strays = self.job.living()?;
        if strays > 0 {
            self.job.end()?;
        }
        let some_left = portable::some_left(|| Ok(self.job.living()? > 0))?;
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
    pub(super) fn living(&self) -> Option<Living> {
        let held = self.job.held().ok().filter(|held| held.rss > 0)?;
        let used = self.job.used().ok()?;
        let cpu = used.cpu;
        let own = job::processor_time(&self.child).ok()?;
        Some(Living {
            processes: held.processes,
            rss: held.rss,
            peak_rss: Some(held.peak_rss),
            cpu,
            others: cpu.saturating_sub(own),
            waited: None,
            preempted: None,
            counted: counted(&self.job, used),
        })
    }
}

/// Returns what Windows has counted of all processes of a job.
fn counted(job: &Job, used: Used) -> Counted {
    Counted { faults: used.faults, major_faults: None, traffic: job.traffic().ok() }
}
