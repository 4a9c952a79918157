//! What Linux does for a process that no portable library does: the one file here with `unsafe`.

use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process_group,
    pidfd_open, set_parent_process_death_signal, waitid,
};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::{Exit, Seen, Usage};

/// A started process, not yet reaped.
#[derive(Debug)]
pub(super) struct Handle {
    pid: Pid,
    spawned_at: Instant,
    /// `None` where the kernel or a sandbox refuses it: then its end is looked for every millisecond.
    pidfd: Option<OwnedFd>,
}

/// Starts `command` as the leader of a group of its own that dies with the calling thread.
pub(super) fn spawn(mut command: Command) -> io::Result<Handle> {
    let parent = getpid();
    let (mut clock, clock_end) = io::pipe()?;
    let at_start = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(parent) {
            // It died before the line above: nobody is left to measure for.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(nanos(clock_gettime(ClockId::Monotonic)).to_ne_bytes().as_slice());
        (&clock_end).write_all(&bytes)
    };
    command.process_group(0);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes four
    // system calls (prctl, getppid, clock_gettime, write), and neither allocates nor locks.
    unsafe {
        command.pre_exec(at_start);
    }
    let (now, mark) = (Instant::now(), nanos(clock_gettime(ClockId::Monotonic)));
    let child = command.spawn()?;
    let mut bytes = [0; 16];
    clock.read_exact(&mut bytes)?;
    let late = u64::try_from(i128::from_ne_bytes(bytes) - mark).unwrap_or(0);
    let pid = Pid::from_child(&child);
    // The standard library's handle is dropped here, which neither waits nor kills.
    Ok(Handle {
        pid,
        spawned_at: now + Duration::from_nanos(late),
        pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
    })
}

fn nanos(time: Timespec) -> i128 {
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

impl Handle {
    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_pid().cast_unsigned()
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.spawned_at
    }

    /// Waits until the process ends, something arrives on `wake`, or the deadline.
    pub(super) fn look(&self, mut wake: &PipeReader, deadline: Instant) -> io::Result<Seen> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let step = if self.pidfd.is_some() { left } else { left.min(Duration::from_millis(1)) };
            let timeout = Timespec {
                tv_sec: i64::try_from(step.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: step.subsec_nanos().into(),
            };
            let mut fds = vec![PollFd::new(wake, PollFlags::IN)];
            fds.extend(self.pidfd.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            let now = Instant::now();
            let woken = fds[0].revents().contains(PollFlags::IN);
            let ended = match fds.get(1) {
                Some(fd) => fd.revents().contains(PollFlags::IN),
                None => self.is_zombie()?,
            };
            if ended {
                return Ok(Seen::Ended(now));
            }
            if woken {
                wake.read(&mut [0; 64])?;
                return Ok(Seen::Woken);
            }
            if left.is_zero() {
                return Ok(Seen::Late);
            }
        }
    }

    fn is_zombie(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.pid), options)?.is_some())
    }

    /// Kills its whole group.
    pub(super) fn kill(&self) {
        // It may have ended meanwhile: that is what is wanted.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Reaps it, waiting for its end where it has only just been killed. To be called once.
    pub(super) fn reap(&mut self) -> io::Result<(Exit, Option<Usage>)> {
        let _ = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let waited = waited(self.id());
        let had_children = had_children(self.id());
        let (status, usage) = self.wait4()?;
        let exit = if libc::WIFSIGNALED(status) {
            Exit::Signal(libc::WTERMSIG(status))
        } else {
            Exit::Code(libc::WEXITSTATUS(status))
        };
        let usage = Usage {
            cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
            preempted: usage.ru_nivcsw.cast_unsigned(),
            waited,
            max_rss: usage.ru_maxrss.cast_unsigned() * 1024,
            had_children,
        };
        Ok((exit, Some(usage)))
    }

    #[expect(unsafe_code, reason = "no library gives the resources of one child")]
    fn wait4(&self) -> io::Result<(libc::c_int, libc::rusage)> {
        let mut status = 0;
        loop {
            let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
            // SAFETY: both pointers are to live, writable memory of the right types; `rusage` is plain
            // numbers, for which zeroes are valid.
            let (reaped, usage) = unsafe {
                let pid = self.pid.as_raw_pid();
                let reaped = libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr());
                (reaped, usage.assume_init())
            };
            if reaped == self.pid.as_raw_pid() {
                return Ok((status, usage));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_usec as u32 * 1000)
}

/// How long the main thread waited for a processor: `/proc/PID/schedstat`, which a zombie still has.
pub(super) fn waited(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Whether it waited for children: they have left their page faults in `cminflt` of its stat.
fn had_children(pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let after_name = text.rfind(')').map_or("", |end| &text[end + 1..]);
    after_name.split_ascii_whitespace().nth(8).is_some_and(|faults| faults != "0")
}

/// How often the kernel has killed for want of memory since it started, in any container.
pub(super) fn memory_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}
