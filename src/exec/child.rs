//! A child process while it runs: waiting for its end, and for what it writes.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::after_ready::Watch;
use super::alike;
use super::exit::{self, Exit};
use super::launch::{Event, Finished, Input, Launch, Stream, Written};
use super::output::{self, Drain};
use super::system::{self, End, MemoryCounts};
use super::usage::{Living, Usage};
use super::{refusal, repository};
use crate::os::calls::Counts;

/// A child process. Dropping it ends the process and everything that the process started.
#[derive(Debug)]
pub(crate) struct Child {
    pub(super) name: String,
    handle: system::Handle,
    stdout: Drain,
    stderr: Drain,
    wake: io::PipeReader,
    stdin: Option<io::PipeWriter>,
    #[cfg(unix)]
    channel: Option<std::os::unix::net::UnixStream>,
    memory_before: MemoryCounts,
    finished: bool,
    /// How often each system call was made, or why that is not known, if it was counted and the process was ended.
    calls: Option<Result<Box<Counts>, Unmeasured>>,
    /// How the process ended, if it ended by itself.
    ended: Option<Finished>,
    /// What the process had used, if it was ended and the system tells.
    used: Option<Usage>,
}

/// The result of waiting until a process is ready.
#[derive(Debug)]
pub(crate) enum Readiness {
    /// The process became ready at this moment.
    At(Instant),
    /// The process ended before it was ready.
    Ended(Box<Finished>),
    /// The deadline passed first.
    Late,
}

impl Child {
    /// Starts a process. The clock starts in the child, just before its program is loaded, so that the time needed to
    /// copy this process does not count as the command's.
    pub(crate) fn spawn(launch: &Launch) -> Result<Child, Unmeasured> {
        let name = launch.name();
        let pipe_error = |e| refusal::pipes_failed(&name, &e);
        let (out, out_end) = io::pipe().map_err(pipe_error)?;
        let (err, err_end) = io::pipe().map_err(pipe_error)?;
        let (wake, waker) = io::pipe().map_err(pipe_error)?;
        #[cfg(unix)]
        let mut channel = None;
        let (stdin, stdin_end) = match &launch.stdin {
            Input::Null => (Stdio::null(), None),
            Input::File(file) => {
                let opened =
                    File::open(file).map_err(|e| refusal::input_failed(&name, file, &e))?;
                (Stdio::from(opened), None)
            }
            Input::Open => {
                let (read, write) = io::pipe().map_err(pipe_error)?;
                (read.into(), Some(write))
            }
            #[cfg(unix)]
            Input::Channel => {
                let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(pipe_error)?;
                channel = Some(ours);
                (std::os::fd::OwnedFd::from(theirs).into(), None)
            }
        };
        let watched_text =
            |stream| launch.watch.as_ref().filter(|w| w.0 == stream).map(|w| w.1.as_str());
        let second_waker = waker.try_clone().map_err(pipe_error)?;
        let stdout = Drain::start(out, watched_text(Stream::Stdout), launch.keep, waker)
            .map_err(pipe_error)?;
        let stderr = Drain::start(err, watched_text(Stream::Stderr), launch.keep, second_waker)
            .map_err(pipe_error)?;

        let started = alike::padded(launch);
        let surround = |command: &mut Command| {
            repository::remove_variables(command);
            for name in &started.without {
                command.env_remove(name);
            }
            command.envs(started.env.iter().map(|(k, v)| (k, v)));
            command.stdin(stdin).stdout(out_end).stderr(err_end);
            if let Some(dir) = &started.dir {
                command.current_dir(dir);
            }
        };
        let memory_before = MemoryCounts::now();
        let handle =
            system::start(&started, surround).map_err(|e| refusal::start_failed(launch, &e))?;
        Ok(Child {
            name,
            handle,
            stdout,
            stderr,
            wake,
            stdin: stdin_end,
            #[cfg(unix)]
            channel,
            memory_before,
            finished: false,
            calls: None,
            ended: None,
            used: None,
        })
    }

    /// Returns the channel to the process's standard input, the first time that it is asked for.
    #[cfg(unix)]
    pub(crate) fn channel(&mut self) -> Option<std::os::unix::net::UnixStream> {
        self.channel.take()
    }

    /// Returns the process id.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.handle.id()
    }

    /// Returns the moment just before the program was loaded.
    pub(crate) fn spawned_at(&self) -> Instant {
        self.handle.spawned_at()
    }

    /// Returns the moment at which `timeout` is over. A longer timeout than the clock can hold is cut to a century.
    pub(crate) fn deadline(&self, timeout: Duration) -> Instant {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.spawned_at() + timeout.min(century)
    }

    /// Waits for the process to end; returns `None` if the deadline passes first. It fails if the process writes too
    /// much or is ended by a signal; nothing of the process is left after a failure or after its end.
    pub(crate) fn wait(&mut self, deadline: Instant) -> Result<Option<Finished>, Unmeasured> {
        loop {
            if let Some(ended) = &self.ended {
                return Ok(Some(ended.clone()));
            }
            match self.wait_for_event(deadline)? {
                Event::Ended(at) => return self.conclude(at).map(Some),
                Event::Late => return Ok(None),
                Event::Woken => {}
            }
        }
    }

    /// Waits until the watched text is written.
    pub(crate) fn ready(&mut self, deadline: Instant) -> Result<Readiness, Unmeasured> {
        loop {
            if let Some(at) = self.matched() {
                return Ok(Readiness::At(at));
            }
            match self.wait_for_event(deadline)? {
                Event::Ended(at) => {
                    let finished = self.conclude(at)?;
                    // The process may have written the text just before it ended.
                    return Ok(self
                        .matched()
                        .map_or(Readiness::Ended(Box::new(finished)), Readiness::At));
                }
                Event::Late => return Ok(Readiness::Late),
                Event::Woken => {}
            }
        }
    }

    /// Waits until `probe` returns true. The longer it takes, the more rarely it asks. So the moment is known to within
    /// 2 % of the time since the start, but never more precisely than 0.2 ms or less precisely than 5 ms.
    pub(crate) fn until(
        &mut self,
        deadline: Instant,
        mut probe: impl FnMut() -> bool,
    ) -> Result<Readiness, Unmeasured> {
        loop {
            if probe() {
                return Ok(Readiness::At(Instant::now()));
            }
            let step = self.spawned_at().elapsed() / 50;
            let step = step.clamp(Duration::from_micros(200), Duration::from_millis(5));
            let next = (Instant::now() + step).min(deadline);
            match self.wait_for_event(next)? {
                Event::Ended(at) if probe() => return self.conclude(at).map(|_| Readiness::At(at)),
                Event::Ended(at) => {
                    return self.conclude(at).map(|finished| Readiness::Ended(Box::new(finished)));
                }
                Event::Late if next == deadline => return Ok(Readiness::Late),
                Event::Late | Event::Woken => {}
            }
        }
    }

    /// Returns how a process that has just become ready ended, if it ended on its own right afterwards: see [`Watch`]. It
    /// is watched for `least`, or longer.
    pub(crate) fn ended_within(&mut self, least: Duration) -> Result<Option<Finished>, Unmeasured> {
        const STEP: Duration = Duration::from_millis(2);
        let began = Instant::now();
        let used_before = system::used(&self.handle);
        loop {
            if let Some(ended) = self.wait(Instant::now() + STEP)? {
                return Ok(Some(ended));
            }
            let used = [used_before, system::used(&self.handle)];
            let is_busy = system::is_busy(&self.handle);
            let watch = Watch::new(least, began.elapsed(), used, is_busy);
            if watch.is_over() {
                return Ok(None);
            }
        }
    }

    /// Returns what the process and everything it started hold at this moment; `None` if it has ended, or if the
    /// platform does not report it.
    pub(crate) fn living(&self) -> Option<Living> {
        system::living(&self.handle)
    }

    /// Ends the process and everything it started because of `cause`, and returns that as the reason, with the
    /// process's last output.
    pub(crate) fn give_up(&mut self, cause: Cause, text: impl Into<String>) -> Unmeasured {
        self.kill();
        Unmeasured { cause, text: text.into(), output: self.last_words() }
    }

    /// Ends the process and everything it started, and returns when nothing of it is left. A second call does
    /// nothing.
    pub(crate) fn kill(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            self.handle.kill();
            let end = self.reap();
            self.used = end.as_ref().ok().and_then(|end| end.usage);
            let calls = |end: End| end.calls.map(|calls| self.counted(calls));
            self.calls = end.map_or_else(|why| Some(Err(why)), calls);
            self.drain();
        }
    }

    /// Returns what a process that was ended had used by then; `None` if it ended by itself, or if the system does not tell.
    pub(crate) fn used(&self) -> Option<&Usage> {
        self.used.as_ref()
    }

    /// Counts system calls up to this moment, if they are counted at all.
    pub(crate) fn mark(&self) {
        self.handle.mark();
    }

    /// Returns how often a process that was ended had made each system call until the marked moment; `None` if the calls were
    /// not counted.
    ///
    /// # Errors
    /// If the process could not be traced, or if its end could not be read.
    pub(crate) fn calls(&self) -> Result<Option<&Counts>, Unmeasured> {
        let calls = self.calls.as_ref().map(|calls| calls.as_deref().map_err(Clone::clone));
        calls.transpose()
    }

    /// Returns the end of the standard error, or of the standard output if nothing was written to standard error.
    pub(crate) fn last_words(&self) -> Option<String> {
        self.stderr.written().text().or_else(|| self.stdout.written().text())
    }

    /// Returns the end of the standard output.
    pub(crate) fn written(&self) -> Written {
        self.stdout.written()
    }

    /// Whether the end of what was written to a stream has this text.
    pub(crate) fn has_written(&self, stream: Stream, text: &str) -> bool {
        let drain = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        output::is_written(text, &drain.written().tail)
    }

    fn matched(&self) -> Option<Instant> {
        self.stdout.matched().or(self.stderr.matched())
    }

    fn wait_for_event(&mut self, deadline: Instant) -> Result<Event, Unmeasured> {
        let event = self.handle.wait_for_event(&self.wake, deadline).map_err(|e| {
            Unmeasured::new(Cause::Harness, format!("failed to wait for `{}`: {e}", self.name))
        })?;
        if self.stdout.flooded() || self.stderr.flooded() {
            let text = format!(
                "`{}` wrote more than {} MiB and was killed; make it quieter",
                self.name,
                output::FLOOD >> 20
            );
            return Err(self.give_up(Cause::Flooded, text));
        }
        Ok(event)
    }

    /// Cleans up after the process has ended by itself: ends what it left behind, reaps it, and returns how it ended.
    fn conclude(&mut self, at: Instant) -> Result<Finished, Unmeasured> {
        self.finished = true;
        let End { exit, usage, strays, some_left, calls, .. } = self.reap()?;
        self.drain();
        if some_left {
            let text = format!(
                "`{}` left a process that could not be ended; look for one in an uninterruptible call, or of \
                 another user, and end it",
                self.name
            );
            return Err(Unmeasured::new(Cause::Harness, text));
        }
        let calls = calls.map(|calls| self.counted(calls)).transpose()?;
        match exit {
            Exit::Code(code) => {
                let finished = Finished {
                    code,
                    wall: at.saturating_duration_since(self.spawned_at()),
                    usage,
                    calls,
                    stdout: self.stdout.written(),
                    stderr: self.stderr.written(),
                    strays,
                };
                self.ended = Some(finished.clone());
                Ok(finished)
            }
            Exit::Signal(signal) => Err(exit::died(
                &self.name,
                signal,
                &self.memory_before.killer_since(),
                self.last_words(),
            )),
        }
    }

    /// Returns how the process ended, once nothing of it is left.
    fn reap(&mut self) -> Result<End, Unmeasured> {
        self.handle.reap().map_err(|e| {
            let text = format!("failed to read how `{}` ended: {e}", self.name);
            Unmeasured::new(Cause::Harness, text)
        })
    }

    /// Returns the counts of system calls, or the system's error in words.
    fn counted(&self, calls: Result<Box<Counts>, i32>) -> Result<Box<Counts>, Unmeasured> {
        calls.map_err(|errno| refusal::untraced(&self.name, errno))
    }

    /// Closes the standard input and waits for the output streams to end. Every process that could write is gone by
    /// now; the wait is limited in case one was not found.
    fn drain(&mut self) {
        self.stdin = None;
        let patience = Instant::now() + Duration::from_secs(2);
        self.stdout.finish(patience);
        self.stderr.finish(patience);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
