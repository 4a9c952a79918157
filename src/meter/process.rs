//! Processes: starting them, waiting for them, and ending them with everything they started.
//!
//! The only file that spawns, so that one promise is kept in one place: whatever happens, a process
//! that was started here ends here, with all its descendants, and its output takes bounded memory.
//!
//! On Linux a child also dies with this process (`PR_SET_PDEATHSIG`). The kernel sends that signal
//! when the **thread** that spawned ends, so a [`Child`] must stay on the thread that made it, and
//! that thread must outlive it.

mod exit;
#[cfg(target_os = "linux")]
mod linux;
mod output;
#[cfg(not(target_os = "linux"))]
mod portable;
mod refusal;
mod tree;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

use self::output::Drain;
use self::tree::Tree;
use super::{Cause, Unmeasured};

pub(crate) use self::exit::Exit;

/// What to start, and how.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub(crate) program: OsString,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Variables set for it, on top of this process's own.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Where it starts; `None`: where this process is.
    pub(crate) dir: Option<PathBuf>,
    /// What it reads.
    pub(crate) stdin: Input,
    /// The text that [`Child::ready`] waits for.
    pub(crate) watch: Option<(Stream, String)>,
}

/// What a process reads on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Nothing: the end of the file at once.
    Null,
    /// A pipe that stays open and silent as long as the process runs, for servers that end when their
    /// input does.
    Open,
}

/// One of the two streams a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A process that was started. Dropping it ends it, and everything it started.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    handle: system::Handle,
    tree: Tree,
    stdout: Drain,
    stderr: Drain,
    wake: io::PipeReader,
    stdin: Option<io::PipeWriter>,
    kills_before: Option<u64>,
    finished: bool,
}

/// What is known of a process that has ended, and of which nothing is left.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// Its exit code.
    pub(crate) code: i32,
    /// From just before its program was loaded to its end.
    pub(crate) wall: Duration,
    /// What it used; `None` where the platform does not tell.
    pub(crate) usage: Option<Usage>,
    /// The end of its standard output.
    pub(crate) stdout: Written,
    /// The end of its standard error.
    pub(crate) stderr: Written,
    /// How many descendants outlived it and had to be ended.
    pub(crate) strays: usize,
}

/// What a process used, by the time it ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Usage {
    /// User and system time of all its threads and of the children it waited for.
    pub(crate) cpu: Duration,
    /// Involuntary context switches of the same.
    pub(crate) preempted: u64,
    /// How long its main thread was ready to run and had no processor; `None` where the kernel does
    /// not count it.
    pub(crate) waited: Option<Duration>,
    /// The kernel's `ru_maxrss` in bytes: the largest resident size of the process, of any child it
    /// waited for, **and of the process that spawned it at that moment**. It is its own only where it
    /// exceeds the spawner's.
    pub(crate) max_rss: u64,
    /// Whether it waited for children of its own.
    pub(crate) had_children: bool,
}

/// What a process wrote to one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The last bytes, at most [`Written::KEPT`].
    pub(crate) tail: Vec<u8>,
    /// How many bytes it wrote in all.
    pub(crate) bytes: u64,
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

/// What ended a look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Ended(Instant),
    Woken,
    Late,
}

/// Starts a process, waits for its end, and gives what it did. An `Err` where it could not be
/// started, took longer than `timeout`, flooded, or was ended by a signal; an exit code other than
/// zero is for the caller to judge. Nothing of the process is left in either case.
pub(crate) fn run(launch: &Launch, timeout: Duration) -> Result<Finished, Unmeasured> {
    let mut child = Child::spawn(launch)?;
    let deadline = child.spawned_at() + timeout;
    match child.wait(deadline)? {
        Some(finished) => Ok(finished),
        None => Err(child.give_up(
            Cause::TimedOut,
            format!("`{}` did not end within {timeout:?} and was killed", child.name),
        )),
    }
}

impl Launch {
    /// A launch of `program` without arguments, in this process's directory, reading nothing.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Launch {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            stdin: Input::Null,
            watch: None,
        }
    }

    /// The program as it is named in messages: the last part of its path.
    pub(crate) fn name(&self) -> String {
        let path = Path::new(&self.program);
        path.file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
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
        let (stdin, stdin_end) = match launch.stdin {
            Input::Null => (Stdio::null(), None),
            Input::Open => {
                let (read, write) = io::pipe().map_err(plumb)?;
                (read.into(), Some(write))
            }
        };
        let text = |stream| launch.watch.as_ref().filter(|w| w.0 == stream).map(|w| w.1.as_str());
        let again = waker.try_clone().map_err(plumb)?;
        let stdout = Drain::start(out, text(Stream::Stdout), waker).map_err(plumb)?;
        let stderr = Drain::start(err, text(Stream::Stderr), again).map_err(plumb)?;

        let marker = tree::Marker::new();
        let mut command = Command::new(&launch.program);
        command.args(&launch.args).envs(launch.env.iter().map(|(k, v)| (k, v)));
        command.env(tree::VARIABLE, marker.value());
        command.stdin(stdin).stdout(out_end).stderr(err_end);
        if let Some(dir) = &launch.dir {
            command.current_dir(dir);
        }
        let kills_before = system::memory_kills();
        let handle = system::spawn(command).map_err(|e| refusal::of_start(launch, &e))?;
        let tree = Tree::new(handle.id(), marker);
        Ok(Child {
            name,
            handle,
            tree,
            stdout,
            stderr,
            wake,
            stdin: stdin_end,
            kills_before,
            finished: false,
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.handle.id()
    }

    /// When its program was about to be loaded.
    pub(crate) fn spawned_at(&self) -> Instant {
        self.handle.spawned_at()
    }

    /// Waits for the end; `None` where the deadline comes first. Fails where it floods or is ended by
    /// a signal; then, and after its end, nothing of it is left.
    pub(crate) fn wait(&mut self, deadline: Instant) -> Result<Option<Finished>, Unmeasured> {
        loop {
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

    /// The end of what it wrote so far.
    pub(crate) fn written(&self, stream: Stream) -> Written {
        match stream {
            Stream::Stdout => self.stdout.written(),
            Stream::Stderr => self.stderr.written(),
        }
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
            self.tree.end();
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
        let strays = self.tree.end();
        let (exit, usage) = self.handle.reap().map_err(|e| {
            let text = format!("failed to read how `{}` ended: {e}", self.name);
            Unmeasured::new(Cause::Harness, text)
        })?;
        self.drain();
        match exit {
            Exit::Code(code) => Ok(Finished {
                code,
                wall: at.saturating_duration_since(self.spawned_at()),
                usage,
                stdout: self.stdout.written(),
                stderr: self.stderr.written(),
                strays,
            }),
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
