//! What Linux does for a process that no portable library does.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::door::Pass;
use super::launch::Seen;
use super::supervisor::{self, End};
use crate::os::{kernel, moment, proc};

/// How long nothing may be heard of a tree that is to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes with which a process says that it is about to load its program: the clock, its id, its own statm.
const START: usize = 128;

/// A started process that has not ended, or of which nobody has asked how.
#[derive(Debug)]
pub(super) struct Handle {
    start: Start,
    /// The process above it.
    supervisor: u32,
    channel: UnixStream,
    end: Option<End>,
}

/// A process as it was just before it loaded its program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) pid: u32,
    pub(super) at: Instant,
    /// Its resident bytes as a copy of its parent.
    pub(super) forked_from: u64,
}

/// Starts `command` below a supervisor of its own: a copy of this process that does nothing else.
pub(super) fn spawn(mut command: Command, passes: &[Arc<Pass>]) -> io::Result<Handle> {
    let (channel, theirs) = UnixStream::pair()?;
    let (reports, report_end) = io::pipe()?;
    let handed = handed(passes);
    let in_between = move || {
        supervisor::begin()?;
        let supervisor = std::process::id();
        match fork()? {
            Some(root) => watch(root, &theirs),
            None => at_start(supervisor, &handed, &report_end),
        }
    };
    command.process_group(0);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes system
    // calls alone; it neither allocates nor locks. One copy goes on to the exec, the other never returns.
    unsafe {
        command.pre_exec(in_between);
    }
    let supervisor = command.spawn()?.id();
    // The ends of the sockets that are the supervisor's.
    drop(command);
    let start = Start::receive(reports)?;
    Ok(Handle { start, supervisor, channel, end: None })
}

/// Starts `command` as a child of this process, which supervises it.
pub(super) fn spawn_below(mut command: Command) -> io::Result<Start> {
    let parent = std::process::id();
    let (reports, report_end) = io::pipe()?;
    let at_start = move || at_start(parent, &[], &report_end);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: as above.
    unsafe {
        command.pre_exec(at_start);
    }
    command.spawn()?;
    drop(command);
    Start::receive(reports)
}

/// Starts `command`, which will supervise; until it does it dies with this thread. It leads a group of its own, so
/// that a signal to the harness's passes it by.
pub(super) fn spawn_supervisor(mut command: Command, passes: &[Arc<Pass>]) -> io::Result<u32> {
    let parent = std::process::id();
    let handed = handed(passes);
    let at_start = move || {
        die_with(parent)?;
        handed.iter().try_for_each(|&number| kernel::inherit(number, true))
    };
    command.process_group(0);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: as above.
    unsafe {
        command.pre_exec(at_start);
    }
    Ok(command.spawn()?.id())
}

fn handed(passes: &[Arc<Pass>]) -> Vec<i32> {
    passes.iter().map(|pass| pass.number()).collect()
}

/// In the child, before its program is loaded.
fn at_start(parent: u32, handed: &[i32], mut reports: &io::PipeWriter) -> io::Result<()> {
    kernel::lead_group()?;
    die_with(parent)?;
    handed.iter().try_for_each(|&number| kernel::inherit(number, true))?;
    // The copy's own size, which the kernel will count as the command's. The clock comes last.
    let mut report = [0; START];
    let _ = kernel::open(c"/proc/self/statm")?.read(&mut report[12..])?;
    report[8..12].copy_from_slice(&std::process::id().to_ne_bytes());
    report[..8].copy_from_slice(&moment::monotonic().to_ne_bytes());
    reports.write_all(&report)
}

fn die_with(parent: u32) -> io::Result<()> {
    kernel::die_with_parent()?;
    if parent_id() != parent {
        // It died before the line above: nobody is left to measure for.
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

#[expect(unsafe_code, reason = "std offers no fork")]
fn fork() -> io::Result<Option<u32>> {
    // SAFETY: it is called in a copy of one thread, between fork and exec, where either side makes system calls
    // alone.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        child => Ok(Some(child.cast_unsigned())),
    }
}

/// Supervises, in a copy of the harness, and never comes back.
fn watch(root: u32, channel: &UnixStream) -> ! {
    kernel::block_signals();
    // Nobody is to wait for the end of a stream that this copy holds by chance.
    close_all_but(channel.as_fd());
    supervisor::supervise(root, channel.as_fd(), |report| {
        let _ = (&mut &*channel).write_all(report);
    });
    kernel::exit_now(0)
}

fn close_all_but(kept: BorrowedFd<'_>) {
    let kept = kept.as_raw_fd().cast_unsigned();
    if let Some(last) = kept.checked_sub(1) {
        kernel::close_range(0, last);
    }
    kernel::close_range(kept + 1, u32::MAX);
}

impl Start {
    fn receive(mut reports: io::PipeReader) -> io::Result<Start> {
        let mut report = [0; START];
        reports.read_exact(&mut report)?;
        let (clock, rest) = report.split_at(8);
        let (pid, statm) = rest.split_at(4);
        let clock = u64::from_ne_bytes(clock.try_into().map_err(io::Error::other)?);
        let pid = u32::from_ne_bytes(pid.try_into().map_err(io::Error::other)?);
        Ok(Start { pid, at: moment::instant(clock), forked_from: proc::resident_in(statm) })
    }
}

impl Handle {
    /// A process that a relay has started.
    pub(super) fn relayed(start: Start, relay: u32, channel: UnixStream) -> Handle {
        Handle { start, supervisor: relay, channel, end: None }
    }

    pub(super) fn id(&self) -> u32 {
        self.start.pid
    }

    /// The process that all of the tree descends from, and that is not of it.
    pub(super) fn supervisor(&self) -> u32 {
        self.supervisor
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.start.at
    }

    /// Waits until the process and all it started have ended, something arrives on `wake`, or the deadline.
    pub(super) fn look(&mut self, mut wake: &PipeReader, deadline: Instant) -> io::Result<Seen> {
        loop {
            if let Some(end) = &self.end {
                return Ok(Seen::Ended(end.at));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let fds = [Some(wake.as_fd()), Some(self.channel.as_fd())];
            let [woken, ended] = kernel::readable(fds, left)?;
            if ended {
                self.end = Some(End::receive(&mut self.channel, self.start.forked_from)?);
            } else if woken {
                // One byte a message, and any of them says the same.
                wake.read_exact(&mut [0])?;
                return Ok(Seen::Woken);
            } else if left.is_zero() {
                return Ok(Seen::Late);
            }
        }
    }

    /// Has it ended, with all that it started.
    pub(super) fn kill(&self) {
        // It may have ended meanwhile: that is what is wanted.
        let _ = self.channel.shutdown(std::net::Shutdown::Write);
    }

    /// How it ended, once nothing of it is left; waits for that. To be called once.
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let end = match self.end {
            Some(end) => Ok(end),
            None => self
                .channel
                .set_read_timeout(Some(PATIENCE))
                .and_then(|()| End::receive(&mut self.channel, self.start.forked_from)),
        };
        let _ = kernel::kill(self.supervisor);
        let _ = kernel::reap(self.supervisor);
        end
    }
}
