//! One process while it runs: waiting for it, for what it writes, for its end.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::exit::{self, Exit};
use super::launch::{Finished, Input, Launch, Seen, Stream};
use super::output::{self, Drain};
use super::system::{self, End};
use super::usage::Living;
use super::watch::Watch;
use super::{refusal, repository};

/// A process that was started. Dropping it ends it, and everything it started.
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
    kills_before: Option<u64>,
    finished: bool,
    /// How it ended by itself.
    ended: Option<Finished>,
}

/// What came of waiting for a text.
#[derive(Debug)]
pub(crate) enum Readiness {
    /// It was read at this moment.
    At(Instant),
    /// The process ended without it.
    Ended(Finished),
    /// The deadline came first.
    Late,
}

impl Child {
    /// Starts a process. The clock starts in the child, just before its program is loaded: what it
    /// costs to copy this process first is not the command's.
    pub(crate) fn spawn(launch: &Launch) -> Result<Child, Unmeasured> {
        let name = launch.name();
        let plumb = |e| refusal::of_pipes(&name, &e);
        let (out, out_end) = io::pipe().map_err(plumb)?;
        let (err, err_end) = io::pipe().map_err(plumb)?;
        let (wake, waker) = io::pipe().map_err(plumb)?;
        #[cfg(unix)]
        let mut channel = None;
        let (stdin, stdin_end) = match launch.stdin {
            Input::Null => (Stdio::null(), None),
            Input::Open => {
                let (read, write) = io::pipe().map_err(plumb)?;
                (read.into(), Some(write))
            }
            #[cfg(unix)]
            Input::Channel => {
                let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(plumb)?;
                channel = Some(ours);
                (std::os::fd::OwnedFd::from(theirs).into(), None)
            }
        };
        let text = |stream| launch.watch.as_ref().filter(|w| w.0 == stream).map(|w| w.1.as_str());
        let again = waker.try_clone().map_err(plumb)?;
        let stdout = Drain::start(out, text(Stream::Stdout), launch.keep, waker).map_err(plumb)?;
        let stderr = Drain::start(err, text(Stream::Stderr), launch.keep, again).map_err(plumb)?;

        let surround = |command: &mut Command| {
            repository::forget(command);
            for name in &launch.without {
                command.env_remove(name);
            }
            command.envs(launch.env.iter().map(|(k, v)| (k, v)));
            command.stdin(stdin).stdout(out_end).stderr(err_end);
            if let Some(dir) = &launch.dir {
                command.current_dir(dir);
            }
        };
        let kills_before = system::memory_kills();
        let handle = system::start(launch, surround).map_err(|e| refusal::of_start(launch, &e))?;
        Ok(Child {
            name,
            handle,
            stdout,
            stderr,
            wake,
            stdin: stdin_end,
            #[cfg(unix)]
            channel,
            kills_before,
            finished: false,
            ended: None,
        })
    }

    /// The channel to its standard input, the first time it is asked for.
    #[cfg(unix)]
    pub(crate) fn channel(&mut self) -> Option<std::os::unix::net::UnixStream> {
        self.channel.take()
    }

    /// Its process id.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn id(&self) -> u32 {
        self.handle.id()
    }

    /// When its program was about to be loaded.
    pub(crate) fn spawned_at(&self) -> Instant {
        self.handle.spawned_at()
    }

    /// The moment `timeout` after that; a century after, where it would be more than a clock holds.
    pub(crate) fn deadline(&self, timeout: Duration) -> Instant {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.spawned_at() + timeout.min(century)
    }

    /// Waits for the end; `None` where the deadline comes first. Fails where it floods or is ended by
    /// a signal; then, and after its end, nothing of it is left.
    pub(crate) fn wait(&mut self, deadline: Instant) -> Result<Option<Finished>, Unmeasured> {
        loop {
            if let Some(ended) = &self.ended {
                return Ok(Some(ended.clone()));
            }
            match self.look(deadline)? {
                Seen::Ended(at) => return self.conclude(at).map(Some),
                Seen::Late => return Ok(None),
                Seen::Woken => {}
            }
        }
    }

    /// Waits for the watched text.
    pub(crate) fn ready(&mut self, deadline: Instant) -> Result<Readiness, Unmeasured> {
        loop {
            if let Some(at) = self.matched() {
                return Ok(Readiness::At(at));
            }
            match self.look(deadline)? {
                Seen::Ended(at) => {
                    let finished = self.conclude(at)?;
                    // The text may have been its last words.
                    return Ok(self.matched().map_or(Readiness::Ended(finished), Readiness::At));
                }
                Seen::Late => return Ok(Readiness::Late),
                Seen::Woken => {}
            }
        }
    }

    /// Waits until `probe` says yes, asking more rarely the longer it takes: the moment is known to
    /// 2 % of the time since the start, or to 0.2 ms, and never worse than to 5 ms.
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
            match self.look(next)? {
                Seen::Ended(at) if probe() => return self.conclude(at).map(|_| Readiness::At(at)),
                Seen::Ended(at) => return self.conclude(at).map(Readiness::Ended),
                Seen::Late if next == deadline => return Ok(Readiness::Late),
                Seen::Late | Seen::Woken => {}
            }
        }
    }

    /// How a process that has just become ready ended, if it did so on its own as soon as that.
    pub(crate) fn ended_at_once(&mut self) -> Result<Option<Finished>, Unmeasured> {
        const STEP: Duration = Duration::from_millis(2);
        let began = Instant::now();
        let used_before = system::used(&self.handle);
        loop {
            if let Some(ended) = self.wait(Instant::now() + STEP)? {
                return Ok(Some(ended));
            }
            let time = began.elapsed();
            let used = system::used(&self.handle).zip(used_before);
            let watch = Watch {
                time,
                used: used.map_or(time, |(now, before)| now.saturating_sub(before)),
                is_busy: system::is_busy(&self.handle),
            };
            if watch.is_over() {
                return Ok(None);
            }
        }
    }

    /// What it and everything it started hold at this moment; `None` where it has ended, or where the
    /// platform does not tell.
    pub(crate) fn living(&self) -> Option<Living> {
        system::living(&self.handle)
    }

    /// Ends it and everything it started, because of `cause`; gives the reason with its last output.
    pub(crate) fn give_up(&mut self, cause: Cause, text: impl Into<String>) -> Unmeasured {
        self.kill();
        Unmeasured { cause, text: text.into(), output: self.last_words() }
    }

    /// Ends it and everything it started. Returns when nothing of it is left. Does nothing the second
    /// time.
    pub(crate) fn kill(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            self.handle.kill();
            let _ = self.handle.reap();
            self.drain();
        }
    }

    /// The end of its standard error, or where it wrote nothing there, of its standard output.
    pub(crate) fn last_words(&self) -> Option<String> {
        self.stderr.written().text().or_else(|| self.stdout.written().text())
    }

    fn matched(&self) -> Option<Instant> {
        self.stdout.matched().or(self.stderr.matched())
    }

    fn look(&mut self, deadline: Instant) -> Result<Seen, Unmeasured> {
        let seen = self.handle.look(&self.wake, deadline).map_err(|e| {
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
        Ok(seen)
    }

    /// After its own end: ends what it left behind, reaps it, and says how it was.
    fn conclude(&mut self, at: Instant) -> Result<Finished, Unmeasured> {
        self.finished = true;
        let End { exit, usage, strays, left, .. } = self.handle.reap().map_err(|e| {
            let text = format!("failed to read how `{}` ended: {e}", self.name);
            Unmeasured::new(Cause::Harness, text)
        })?;
        self.drain();
        if left {
            let text = format!(
                "`{}` left a process that could not be ended; look for one in an uninterruptible call, or of \
                 another user, and end it",
                self.name
            );
            return Err(Unmeasured::new(Cause::Harness, text));
        }
        match exit {
            Exit::Code(code) => {
                let finished = Finished {
                    code,
                    wall: at.saturating_duration_since(self.spawned_at()),
                    usage,
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
                memory_killed(self.kills_before),
                self.last_words(),
            )),
        }
    }

    /// Closes its input, and waits for its streams to end. Everything that could write is gone by
    /// now; what hid too well to be found must not hang us.
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

/// Whether the kernel has killed for want of memory since `before`; `None` where it does not tell.
fn memory_killed(before: Option<u64>) -> Option<bool> {
    Some(system::memory_kills()? > before?)
}
