//! What Linux does for a process that no portable library does: the one file here with `unsafe`.

use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process_group,
    pidfd_open, set_parent_process_death_signal, waitid,
};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::child::Seen;
use super::relay::{self, Relay};
use super::tree::Tree;
use super::{Exit, Launch, Living, Parent, Usage};

/// A started process, not yet reaped.
#[derive(Debug)]
pub(super) struct Handle {
    pid: Pid,
    spawned_at: Instant,
    /// `None` where the kernel or a sandbox refuses it: then its end is looked for every millisecond.
    pidfd: Option<OwnedFd>,
    /// Its resident bytes as a copy of this process, before it loaded its program.
    forked_from: u64,
    relay: Option<Relay>,
}

/// Starts what `launch` says, in the surroundings (variables, streams, directory) that it is given.
pub(super) fn start(launch: &Launch, surround: impl FnOnce(&mut Command)) -> io::Result<Handle> {
    let mut command = match launch.parent {
        Parent::Harness => launch.direct(),
        Parent::Relay => relay::command()?,
    };
    surround(&mut command);
    match launch.parent {
        Parent::Harness => spawn(command),
        Parent::Relay => relay::spawn(command, launch),
    }
}

/// Starts `command` as the leader of a group of its own that dies with the calling thread.
pub(super) fn spawn(mut command: Command) -> io::Result<Handle> {
    let parent = getpid();
    let (mut reports, report_end) = io::pipe()?;
    let at_start = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(parent) {
            // It died before the line above: nobody is left to measure for.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // The copy's own size, which the kernel will count as the command's. The clock comes last.
        let mut report = [0; 128];
        rustix::io::read(
            rustix::fs::open(c"/proc/self/statm", OFlags::RDONLY, Mode::empty())?,
            &mut report[8..],
        )?;
        report[..8].copy_from_slice(&monotonic().to_ne_bytes());
        (&report_end).write_all(&report)
    };
    command.process_group(0);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes system
    // calls alone (prctl, getppid, open, read, close, clock_gettime, write); it neither allocates nor
    // locks.
    unsafe {
        command.pre_exec(at_start);
    }
    let child = command.spawn()?;
    let mut report = [0; 128];
    reports.read_exact(&mut report)?;
    let (clock, statm) = report.split_at(8);
    let clock = u64::from_ne_bytes(clock.try_into().map_err(io::Error::other)?);
    let pid = Pid::from_child(&child);
    // The standard library's handle is dropped here, which neither waits nor kills.
    Ok(Handle {
        pid,
        spawned_at: instant(clock),
        pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
        forked_from: resident(statm),
        relay: None,
    })
}

/// Nanoseconds of the clock that `Instant` reads too, and that all processes share.
fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// The moment at which [`monotonic`] read so much.
pub(super) fn instant(nanos: u64) -> Instant {
    let (now, ago) = (Instant::now(), Duration::from_nanos(monotonic().saturating_sub(nanos)));
    now.checked_sub(ago).unwrap_or(now)
}

/// What [`monotonic`] read at that moment.
pub(super) fn nanos(instant: Instant) -> u64 {
    monotonic().saturating_sub(instant.elapsed().as_nanos() as u64)
}

/// The resident bytes in a `/proc/PID/statm`; more than there are where it cannot be read, so that
/// nothing is taken for the command's own.
fn resident(statm: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(statm);
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(u64::MAX, |pages| pages * rustix::param::page_size() as u64)
}

impl Handle {
    /// A process that a relay has started.
    pub(super) fn relayed(pid: Pid, spawned_at: Instant, relay: Relay) -> Self {
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok();
        Handle { pid, spawned_at, pidfd, forked_from: 0, relay: Some(relay) }
    }

    /// The relay's id, where there is one.
    pub(super) fn relay(&self) -> Option<u32> {
        self.relay.as_ref().map(Relay::id)
    }

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
                None => stat(self.id()).is_none_or(|fields| fields.starts_with('Z')),
            };
            if ended {
                return Ok(Seen::Ended(now));
            }
            if woken {
                // One byte a message, and any of them says the same.
                wake.read_exact(&mut [0])?;
                return Ok(Seen::Woken);
            }
            if left.is_zero() {
                return Ok(Seen::Late);
            }
        }
    }

    /// Kills its whole group.
    pub(super) fn kill(&self) {
        // It may have ended meanwhile: that is what is wanted.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Reaps it, waiting for its end where it has only just been killed. To be called once.
    pub(super) fn reap(&mut self) -> io::Result<(Exit, Option<Usage>)> {
        if let Some(relay) = &mut self.relay {
            return relay.reap();
        }
        // A killed process ends within moments, unless it is in an uninterruptible call.
        let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
        if let Some(fd) = &self.pidfd
            && poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&patience))? == 0
        {
            return Err(io::Error::other("it does not end although it was killed"));
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = waitid(WaitId::Pid(self.pid), options);
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
            forked_from: self.forked_from,
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
    stat(pid).is_some_and(|s| s.split_ascii_whitespace().nth(8).is_some_and(|n| n != "0"))
}

/// `/proc/PID/stat` from its third field, the state: the second is a name and may hold anything.
pub(super) fn stat(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text[text.rfind(')')? + 1..].trim_start().to_owned())
}

/// What the tree of `root` holds; `None` where the root has ended.
pub(super) fn living(root: u32, tree: &Tree) -> Option<Living> {
    Living::read(root, tree)
}

/// User and system time of a living process, of all the threads it ever had.
#[expect(unsafe_code, reason = "no library reads the clock of another process")]
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both pointers are to live, writable memory of the right types.
    let read = unsafe {
        libc::clock_getcpuclockid(pid.cast_signed(), &raw mut clock) == 0
            && libc::clock_gettime(clock, &raw mut time) == 0
    };
    read.then(|| Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32))
}

/// How often the kernel has killed for want of memory since it started, in any container.
pub(super) fn memory_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// How many pages of a file are in the page cache, and how many it has. `None` where the kernel does
/// not tell: it shows only who may write the file, so that nobody watches what others read.
pub(crate) fn resident_pages(path: &Path) -> io::Result<Option<(usize, usize)>> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    let user = rustix::process::geteuid();
    let told = user.is_root()
        || metadata.uid() == user.as_raw()
        || rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    if !told {
        return Ok(None);
    }
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Some((0, 0)));
    }
    let mut pages = vec![0_u8; length.div_ceil(rustix::param::page_size())];
    mincore(&file, length, &mut pages)?;
    Ok(Some((pages.iter().filter(|&&page| page & 1 == 1).count(), pages.len())))
}

/// Fills `pages`, one byte for each page of the file's first `length` bytes; the lowest bit is set
/// where the page is in memory.
#[expect(unsafe_code, reason = "no library asks which pages of a file are in memory")]
fn mincore(file: &fs::File, length: usize, pages: &mut [u8]) -> io::Result<()> {
    assert!(pages.len() >= length.div_ceil(rustix::param::page_size()));
    // SAFETY: the mapping is new, at an address that the kernel chooses, is never read or written,
    // and is unmapped before anyone else knows of it; `pages` has a byte for each of its pages.
    unsafe {
        let (none, fd) = (std::ptr::null_mut(), file.as_raw_fd());
        let at = libc::mmap(none, length, libc::PROT_READ, libc::MAP_SHARED, fd, 0);
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let counted = match libc::mincore(at, length, pages.as_mut_ptr()) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        };
        libc::munmap(at, length);
        counted
    }
}
