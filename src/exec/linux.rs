//! The start and the end of processes on Linux. No portable library offers what is needed here.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::budget::Constraint;

use super::guardian;
use super::handshake::{Copied, Token};
use super::launch::{Event, Launch};
use super::supervisor::{self, End};
use super::traced::Tracing;
use super::usage::Counted;
use crate::os::kernel::Processors;
use crate::os::traffic::{self, Traffic};
use crate::os::usage::Counts;
use crate::os::{kernel, moment, proc};

/// How long the harness waits for a report about a tree that is to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the harness reads a report that has begun to arrive, or has not come in time.
const LAST: Duration = Duration::from_secs(1);

/// The size of the report that a process makes when it is about to load its program: five numbers, the file of its bytes and
/// its own statm.
const START: usize = NUMBERS * 8 + traffic::FILE + 128;
/// The numbers of the report: the clock, the id, the page faults of both kinds, and how much of the file of its bytes
/// the process has read.
const NUMBERS: usize = 5;

/// A process that was started and whose end nobody has read yet.
#[derive(Debug)]
pub(super) struct Handle {
    start: Start,
    /// The guardian, which is the parent of the supervisor, which is the parent of the process.
    guardian: u32,
    channel: UnixStream,
    /// Whether the supervisor counts system calls.
    is_traced: bool,
    end: Option<End>,
}

/// A process as it was just before it loaded its program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) pid: u32,
    pub(super) at: Instant,
    /// The resident size, in bytes, of the copy of its parent that it began as.
    pub(super) forked_from: u64,
    /// The counts of the system until then.
    pub(super) before: Counted,
}

/// Starts `command` below a supervisor of its own, which is a copy of this process that does nothing else.
pub(super) fn spawn(mut command: Command, launch: &Launch) -> io::Result<Handle> {
    let constraint = launch.constraint;
    let processors = processors(constraint)?;
    let (channel, theirs) = UnixStream::pair()?;
    let (reports, report_end) = io::pipe()?;
    let tokens = launch.tokens.iter().map(|token| token.copy()).collect::<Vec<_>>();
    // The process waits at this pipe until it is traced.
    let gate = launch.is_traced.then(io::pipe).transpose()?;
    let in_between = move || {
        guardian::stand_guard(theirs.as_fd())?;
        let guardian = parent_id();
        supervisor::begin()?;
        // The handshake asks that the parent of the process has made the sockets.
        tokens.iter().try_for_each(Copied::renew)?;
        let supervisor = std::process::id();
        if let Some(root) = kernel::fork()? {
            let tracing = gate.as_ref().map(|(_, gate)| trace(root, gate));
            watch((root, guardian), &theirs, tracing)
        } else {
            constrain(processors.as_ref(), constraint.memory)?;
            at_start(supervisor, &report_end)?;
            gate.as_ref().map_or(Ok(()), |(gate, _)| wait_at(gate))
        }
    };
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure only makes system calls; it
    // neither allocates nor locks. One copy goes on to the exec, and the others never return.
    unsafe {
        command.pre_exec(in_between);
    }
    let guardian = command.spawn()?.id();
    // The command holds the supervisor's ends of the sockets.
    drop(command);
    let start = Start::receive(reports)?;
    Ok(Handle { start, guardian, channel, is_traced: launch.is_traced, end: None })
}

/// Returns the processors that a constraint leaves. They are found before the fork, after which nothing may allocate.
pub(super) fn processors(constraint: Constraint) -> io::Result<Option<Processors>> {
    constraint.processors.map(|count| Processors::first(count as usize)).transpose()
}

/// Applies a constraint to this process and to what it starts.
pub(super) fn constrain(processors: Option<&Processors>, memory: Option<u64>) -> io::Result<()> {
    processors.map_or(Ok(()), Processors::keep_this_thread)?;
    memory.map_or(Ok(()), kernel::limit_memory)
}

/// Starts `command` as a child of this process, which supervises it.
pub(super) fn spawn_below(mut command: Command) -> io::Result<Start> {
    let parent = std::process::id();
    let (reports, report_end) = io::pipe()?;
    let at_start = move || at_start(parent, &report_end);
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: as above.
    unsafe {
        command.pre_exec(at_start);
    }
    command.spawn()?;
    drop(command);
    Start::receive(reports)
}

/// Starts `command`, which will be a supervisor, below a guardian, and returns the guardian. The command's standard input is
/// the channel to the harness. When that is closed, the guardian ends the command even if it has not become a supervisor.
/// Each of the two leads a group of its own, so that a signal to the harness's group does not reach it.
pub(super) fn spawn_supervisor(mut command: Command, tokens: &[Arc<Token>]) -> io::Result<u32> {
    let tokens = tokens.iter().map(|token| token.copy()).collect::<Vec<_>>();
    // This is asked for before the fork, since the first call allocates memory.
    let stdin = io::stdin();
    let at_start = move || {
        guardian::stand_guard(stdin.as_fd())?;
        tokens.iter().try_for_each(Copied::renew)
    };
    #[expect(unsafe_code, reason = "std offers no safe way to run code between fork and exec")]
    // SAFETY: as above.
    unsafe {
        command.pre_exec(at_start);
    }
    Ok(command.spawn()?.id())
}

/// Runs in the child, before its program is loaded.
fn at_start(parent: u32, mut reports: &io::PipeWriter) -> io::Result<()> {
    kernel::lead_group()?;
    die_with_parent(parent)?;
    // The statm is the copy's own size, which the kernel will count as the command's. The clock is read last.
    let mut report = [0; START];
    let (numbers, files) = report.split_at_mut(NUMBERS * 8);
    let (io, statm) = files.split_at_mut(traffic::FILE);
    let _ = kernel::open(c"/proc/self/statm")?.read(statm)?;
    // Some systems do not have this file.
    let read = kernel::open(c"/proc/self/io").and_then(|mut file| file.read(io)).unwrap_or(0);
    let Counts { faults, major_faults, .. } = kernel::resources(kernel::ResourceOwner::Process)
        .map_or(Counts::default(), |usage| Counts::from_rusage(&usage));
    let pid = u64::from(std::process::id());
    let all = [moment::monotonic(), pid, faults, major_faults, read as u64];
    for (to, number) in numbers.chunks_exact_mut(8).zip(all) {
        to.copy_from_slice(&number.to_le_bytes());
    }
    reports.write_all(&report)
}

/// Has the kernel kill this process when its parent ends.
fn die_with_parent(parent: u32) -> io::Result<()> {
    kernel::die_with_parent()?;
    if parent_id() != parent {
        // The parent died before the line above, so nobody is left to measure for.
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

/// Traces the root, and opens its gate.
fn trace(root: u32, mut gate: &io::PipeWriter) -> Tracing {
    let tracing = Tracing::begin(root);
    let _ = gate.write_all(&[u8::from(tracing.is_traced())]);
    tracing
}

/// Waits until this process is traced. One that is not traced ends here, and its supervisor says why.
fn wait_at(mut gate: &PipeReader) -> io::Result<()> {
    let mut is_traced = [0];
    gate.read_exact(&mut is_traced)?;
    if is_traced == [0] {
        kernel::exit_now(1);
    }
    Ok(())
}

/// Supervises, in a copy of the harness, and never returns. The ids are those of the root and of the guardian.
fn watch(ids: (u32, u32), channel: &UnixStream, mut tracing: Option<Tracing>) -> ! {
    kernel::block_signals();
    // The copy may have inherited a stream by chance, whose reader would then wait for its end for ever.
    kernel::close_all_but(channel.as_fd());
    supervisor::supervise(ids, channel, tracing.as_mut(), |report| {
        let _ = (&mut &*channel).write_all(report);
    });
    kernel::exit_now(0)
}

impl Start {
    fn receive(mut reports: io::PipeReader) -> io::Result<Start> {
        let mut report = [0; START];
        reports.read_exact(&mut report)?;
        let (sent, files) = report.split_at(NUMBERS * 8);
        let (io, statm) = files.split_at(traffic::FILE);
        let mut numbers = supervisor::numbers(sent);
        let mut next = || numbers.next().unwrap_or_default();
        let (clock, pid, faults, major_faults, read) = (next(), next(), next(), next(), next());
        // The file does not contain the reading of itself, nor the writing of this report.
        let traffic = Traffic::of_file(io).map(|Traffic { read: before, written }| Traffic {
            read: before + read,
            written: written + START as u64,
        });
        Ok(Start {
            pid: u32::try_from(pid).map_err(io::Error::other)?,
            at: moment::instant(clock),
            forked_from: proc::resident_in(statm),
            before: Counted::with_faults(faults, major_faults, traffic),
        })
    }
}

impl Handle {
    /// Makes the handle of a process that a relay has started.
    pub(super) fn relayed(start: Start, guardian: u32, channel: UnixStream) -> Handle {
        Handle { start, guardian, channel, is_traced: false, end: None }
    }

    pub(super) fn id(&self) -> u32 {
        self.start.pid
    }

    /// Returns the process that the whole tree descends from, and that is not part of it; `None` if the root has ended.
    pub(super) fn supervisor(&self) -> Option<u32> {
        proc::parent(self.start.pid)
    }

    /// Returns what the system had counted of the process before its program was loaded.
    pub(super) fn counted_before(&self) -> Counted {
        self.start.before
    }

    pub(super) fn spawned_at(&self) -> Instant {
        self.start.at
    }

    /// Waits until the process and all that it started have ended, something arrives on `wake`, or the deadline
    /// passes.
    pub(super) fn wait_for_event(
        &mut self,
        mut wake: &PipeReader,
        deadline: Instant,
    ) -> io::Result<Event> {
        loop {
            if let Some(end) = &self.end {
                return Ok(Event::Ended(end.at));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let fds = [Some(wake.as_fd()), Some(self.channel.as_fd())];
            let [woken, ended] = kernel::readable(fds, left)?;
            if ended {
                self.end = Some(self.receive()?);
            } else if woken {
                // Each message is one byte, and all messages mean the same.
                wake.read_exact(&mut [0])?;
                return Ok(Event::Woken);
            } else if left.is_zero() {
                return Ok(Event::Late);
            }
        }
    }

    fn receive(&mut self) -> io::Result<End> {
        let Start { forked_from, before, .. } = self.start;
        End::receive(&mut self.channel, forked_from, before, self.is_traced)
    }

    /// Has the supervisor report what it has counted until now, if it counts.
    pub(super) fn mark(&self) {
        if self.is_traced {
            // The tree may have ended in the meantime, and then all of it counts.
            let _ = (&self.channel).write_all(&[0]);
        }
    }

    /// Asks the supervisor to end the process and all that it started.
    pub(super) fn kill(&self) {
        // The tree may have ended in the meantime, which is what is wanted.
        let _ = self.channel.shutdown(std::net::Shutdown::Write);
        guardian::wake(self.guardian);
    }

    /// Returns how the process ended, once nothing of it is left; waits for that. It may be called once.
    pub(super) fn reap(&mut self) -> io::Result<End> {
        let end = match self.end.take() {
            Some(end) => Ok(end),
            None => guardian::wait_below(self.guardian, self.channel.as_fd(), PATIENCE)
                .and_then(|()| self.channel.set_read_timeout(Some(LAST)))
                .and_then(|()| self.receive()),
        };
        guardian::dismiss(self.guardian);
        end
    }
}

/// Returns why this system lets no process trace another, for tests that could not pass there; `None` if it does. It asks
/// only the kernel, so that a fault of the code above is never taken for a refusal.
///
/// # Panics
/// If no process can be started, or if the kernel fails for another reason.
#[cfg(any(test, feature = "internals"))]
pub fn tracing_refused() -> Option<String> {
    let mut child = Command::new("sleep").arg("100").spawn().expect("sleep starts");
    let seized = crate::os::calls::Tracer::seize(child.id());
    let _ = child.kill();
    let _ = child.wait();
    let error = seized.err()?;
    let number = error.raw_os_error();
    assert!(
        [libc::EPERM, libc::EACCES, libc::ENOSYS].map(Some).contains(&number),
        "failed to trace a child: {error}"
    );
    Some(format!("not run: ptrace refused: {error}"))
}
