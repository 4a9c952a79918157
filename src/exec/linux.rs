//! What Linux does for a process that no portable library does.

use std::ffi::CString;
use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::child::Seen;
use super::relay::{self, Relay};
use super::tree::Tree;
use super::{Exit, Launch, Living, Parent, Usage};
use crate::os::kernel;

/// A started process, not yet reaped.
#[derive(Debug)]
pub(super) struct Handle {
    pid: u32,
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
    let parent = std::process::id();
    let (mut reports, report_end) = io::pipe()?;
    let at_start = move || {
        kernel::die_with_parent()?;
        if parent_id() != parent {
            // It died before the line above: nobody is left to measure for.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // The copy's own size, which the kernel will count as the command's. The clock comes last.
        let mut report = [0; 128];
        let _ = kernel::open(c"/proc/self/statm")?.read(&mut report[8..])?;
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
    let pid = child.id();
    // The standard library's handle is dropped here, which neither waits nor kills.
    Ok(Handle {
        pid,
        spawned_at: instant(clock),
        pidfd: kernel::process_fd(pid).ok(),
        forked_from: resident(statm),
        relay: None,
    })
}

/// Nanoseconds of the clock that `Instant` reads too, and that all processes share.
fn monotonic() -> u64 {
    kernel::clock(kernel::Clock::Monotonic).map_or(0, |time| time.as_nanos() as u64)
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
    pages.map_or(u64::MAX, |pages| pages * kernel::page_size() as u64)
}

impl Handle {
    /// A process that a relay has started.
    pub(super) fn relayed(pid: u32, spawned_at: Instant, relay: Relay) -> Self {
        let pidfd = kernel::process_fd(pid).ok();
        Handle { pid, spawned_at, pidfd, forked_from: 0, relay: Some(relay) }
    }

    /// The relay's id, where there is one.
    pub(super) fn relay(&self) -> Option<u32> {
        self.relay.as_ref().map(Relay::id)
    }

    pub(super) fn id(&self) -> u32 {
        self.pid
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.spawned_at
    }

    /// Waits until the process ends, something arrives on `wake`, or the deadline.
    pub(super) fn look(&self, mut wake: &PipeReader, deadline: Instant) -> io::Result<Seen> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let step = if self.pidfd.is_some() { left } else { left.min(Duration::from_millis(1)) };
            let pidfd = self.pidfd.as_ref().map(AsFd::as_fd);
            let [woken, ended] = kernel::readable([Some(wake.as_fd()), pidfd], step)?;
            let now = Instant::now();
            let ended = ended
                || (pidfd.is_none()
                    && stat(self.id()).is_none_or(|fields| fields.starts_with('Z')));
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
        let _ = kernel::kill_group(self.pid);
    }

    /// Reaps it, waiting for its end where it has only just been killed. To be called once.
    pub(super) fn reap(&mut self) -> io::Result<(Exit, Option<Usage>)> {
        if let Some(relay) = &mut self.relay {
            return relay.reap();
        }
        // A killed process ends within moments, unless it is in an uninterruptible call.
        let patience = Duration::from_secs(10);
        if let Some(fd) = &self.pidfd
            && kernel::readable([Some(fd.as_fd())], patience)? == [false]
        {
            return Err(io::Error::other("it does not end although it was killed"));
        }
        let _ = kernel::wait_for_end(self.pid);
        let waited = waited(self.id());
        let had_children = had_children(self.id());
        let (status, usage) = self.wait4()?;
        let exit = if libc::WIFSIGNALED(status) {
            Exit::Signal(libc::WTERMSIG(status))
        } else {
            Exit::Code(libc::WEXITSTATUS(status))
        };
        let usage = Usage {
            cpu: kernel::duration(usage.ru_utime) + kernel::duration(usage.ru_stime),
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
                let pid = self.pid.cast_signed();
                let reaped = libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr());
                (reaped, usage.assume_init())
            };
            if reaped == self.pid.cast_signed() {
                return Ok((status, usage));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
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

/// Clock ticks of user and system time of the children it waited for.
pub(super) fn children_ticks(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    let mut fields = stat.split_ascii_whitespace().skip(13).map(|field| field.parse::<u64>().ok());
    Some(fields.next()?? + fields.next()??)
}

/// What the tree of `root` holds; `None` where the root has ended.
pub(super) fn living(root: u32, tree: &Tree) -> Option<Living> {
    Living::read(root, tree)
}

/// User and system time of a living process, of all the threads it ever had.
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    kernel::clock_of(kernel::processor_clock(pid)?)
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
    let user = kernel::user();
    let told = user == 0
        || metadata.uid() == user
        || kernel::may_write(&CString::new(path.as_os_str().as_bytes())?);
    if !told {
        return Ok(None);
    }
    let length = usize::try_from(metadata.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Some((0, 0)));
    }
    let mut pages = vec![0_u8; length.div_ceil(kernel::page_size())];
    mincore(&file, length, &mut pages)?;
    Ok(Some((pages.iter().filter(|&&page| page & 1 == 1).count(), pages.len())))
}

/// Fills `pages`, one byte for each page of the file's first `length` bytes; the lowest bit is set
/// where the page is in memory.
#[expect(unsafe_code, reason = "no library asks which pages of a file are in memory")]
fn mincore(file: &fs::File, length: usize, pages: &mut [u8]) -> io::Result<()> {
    assert!(pages.len() >= length.div_ceil(kernel::page_size()));
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
