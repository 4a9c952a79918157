//! Processes: starting them, waiting for them, and ending them with everything they started.
//!
//! The only file that spawns, so that one promise is kept in one place: whatever happens, a process
//! that was started here ends here, with all its descendants, and its output takes bounded memory.
//!
//! On Linux a child also dies with this process (`PR_SET_PDEATHSIG`). The kernel sends that signal
//! when the **thread** that spawned ends, so a [`Child`] must stay on the thread that made it, and
//! that thread must outlive it. What the child started is ended by a [`Guard`] then.

mod child;
mod exit;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod linux;
mod output;
#[cfg(target_os = "linux")]
mod plant;
#[cfg(not(target_os = "linux"))]
mod portable;
mod refusal;
#[cfg(target_os = "linux")]
mod relay;
mod tree;
mod usage;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

use crate::outcome::{Cause, Unmeasured};

pub(crate) use self::child::{Child, Readiness};
pub(crate) use self::exit::Exit;
#[cfg(target_os = "linux")]
pub(crate) use self::guard::{Guard, guard};
#[cfg(target_os = "linux")]
pub(crate) use self::linux::resident_pages;
#[cfg(target_os = "linux")]
pub(crate) use self::plant::{Stage, plant, planted};
#[cfg(not(target_os = "linux"))]
pub(crate) use self::portable::{Guard, guard, planted, relay};
#[cfg(target_os = "linux")]
pub(crate) use self::relay::relay;
pub(crate) use self::usage::{Living, Usage};

/// What to start, and how.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub(crate) program: OsString,
    /// What it is called in messages; `None`: the last part of the program's path.
    pub(crate) called: Option<String>,
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
    /// How many of the last bytes of each stream are kept; [`Written::KEPT`] but where all of the
    /// output is the answer.
    pub(crate) keep: usize,
    /// Which process forks it.
    pub(crate) parent: Parent,
}

/// Which process forks another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// This one.
    Harness,
    /// A small one in between, for what is measured from outside. A forked process begins as a copy
    /// of its parent, and that counts as its own: its size for [`Usage::peak_rss`], and the time to
    /// throw it away for the wall clock and the processor's. It costs one more start of this binary,
    /// some milliseconds. Only Linux has it; elsewhere this is the same as `Harness`.
    Relay,
}

/// What a process reads on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Nothing: the end of the file at once.
    Null,
    /// A pipe that stays open and silent as long as the process runs, for servers that end when their
    /// input does.
    Open,
    /// What [`Child::channel`] sends it, and back: a socket.
    #[cfg(unix)]
    Channel,
}

/// One of the two streams a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
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

/// What a process wrote to one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The last bytes, as many as were to be kept.
    pub(crate) tail: Vec<u8>,
    /// How many bytes it wrote in all.
    pub(crate) bytes: u64,
}

/// Starts a process, waits for its end, and gives what it did. An `Err` where it could not be
/// started, took longer than `timeout`, flooded, or was ended by a signal; an exit code other than
/// zero is for the caller to judge. Nothing of the process is left in either case.
pub(crate) fn run(launch: &Launch, timeout: Duration) -> Result<Finished, Unmeasured> {
    let mut child = Child::spawn(launch)?;
    let deadline = child.deadline(timeout);
    match child.wait(deadline)? {
        Some(finished) => Ok(finished),
        None => Err(child.give_up(
            Cause::TimedOut,
            format!(
                "`{}` did not end within {timeout:?} and was killed; if it may take longer, raise `timeout`",
                child.name
            ),
        )),
    }
}

impl Launch {
    /// A launch of `program` without arguments, in this process's directory, reading nothing.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Launch {
            program: program.into(),
            called: None,
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            stdin: Input::Null,
            watch: None,
            keep: Written::KEPT,
            parent: Parent::Harness,
        }
    }

    /// The command that starts it directly, without its surroundings.
    fn direct(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        if let Some(called) = &self.called {
            return called.clone();
        }
        let path = Path::new(&self.program);
        path.file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}
