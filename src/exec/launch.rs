//! A process to start: how it is started, and what is known of it afterwards.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::budget::Constraint;

#[cfg(target_os = "linux")]
use super::handshake::Token;
use super::lengths::Alike;
use super::repository;
use super::usage::Usage;
use crate::os::calls::Counts;

/// Differences from the environment of this process: each variable with its value, or `None` if it is not inherited.
pub(crate) type Changes = BTreeMap<String, Option<String>>;

/// A process to start, and how to start it.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub(crate) program: OsString,
    /// The name of the process in messages; `None` means the last part of the program's path.
    pub(crate) called: Option<String>,
    /// The arguments of the program.
    pub(crate) args: Vec<OsString>,
    /// Variables that are set for the process, besides those that it inherits.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Variables of this process that the new one does not inherit.
    pub(crate) without: Vec<OsString>,
    /// The directory in which the process starts; `None` means the directory of this process.
    pub(crate) dir: Option<PathBuf>,
    /// The standard input of the process.
    pub(crate) stdin: Input,
    /// The text that `Child::ready` waits for.
    pub(crate) watch: Option<(Stream, String)>,
    /// How many of the last bytes of each stream are kept: [`Written::KEPT`], or more if the whole output is the
    /// answer.
    pub(crate) keep: usize,
    /// The process that forks it.
    pub(crate) parent: Parent,
    /// Whether the system calls of the process and its descendants are counted, which makes each of them many times slower.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux can count them"))]
    pub(crate) is_traced: bool,
    /// The resources that the process and its descendants may use.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux can enforce it"))]
    pub(crate) constraint: Constraint,
    /// The lengths to which its paths and its environment are padded, if another process is compared with it.
    pub(crate) alike: Option<Alike>,
    /// The tokens by which it is accepted as a helper of this binary. Each is good for one start.
    #[cfg(target_os = "linux")]
    pub(crate) tokens: Vec<Arc<Token>>,
}

/// The process that forks another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// This process.
    Harness,
    /// A small process in between, for what is measured from outside. A forked process begins as a copy of its
    /// parent, and the copy counts as the process's own. So the size of the parent is part of [`Usage::peak_rss`], and
    /// the wall time and the processor time include the time to discard the copy. A relay costs one more start of this
    /// binary, some milliseconds. Only Linux has it; elsewhere this is the same as `Harness`.
    Relay,
}

/// The standard input of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Nothing: standard input is at its end at once.
    Null,
    /// A pipe that stays open and silent while the process runs, for servers that end when their input does.
    Open,
    /// The content of a file.
    File(PathBuf),
    /// A socket, which `Child::channel` returns the other end of.
    #[cfg(unix)]
    Channel,
}

/// One of the two streams that a process writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The facts about a process that has ended and of which nothing is left.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// The exit code.
    pub(crate) code: i32,
    /// The time from just before the program was loaded to the end of the process.
    pub(crate) wall: Duration,
    /// The resources that the process used; `None` if the platform does not report them.
    pub(crate) usage: Option<Usage>,
    /// The end of the standard output.
    pub(crate) stdout: Written,
    /// The end of the standard error.
    pub(crate) stderr: Written,
    /// How often each system call was made, if that was counted.
    pub(crate) calls: Option<Box<Counts>>,
    /// The number of descendants that outlived the process and had to be ended.
    pub(crate) strays: usize,
}

/// The output of a process on one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The last bytes, as many as were to be kept.
    pub(crate) tail: Vec<u8>,
    /// The number of bytes that the process wrote in all.
    pub(crate) bytes: u64,
}

/// The reason why a wait for a process returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Ended(Instant),
    Woken,
    Late,
}

impl Launch {
    /// Returns a launch of `program` without arguments, in this process's directory, reading nothing.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Launch {
            program: program.into(),
            called: None,
            args: Vec::new(),
            env: Vec::new(),
            without: Vec::new(),
            dir: None,
            stdin: Input::Null,
            watch: None,
            keep: Written::KEPT,
            parent: Parent::Harness,
            is_traced: false,
            constraint: Constraint::default(),
            alike: None,
            #[cfg(target_os = "linux")]
            tokens: Vec::new(),
        }
    }

    /// Adds differences from the environment of this process.
    pub(crate) fn change_environment(&mut self, changes: &Changes) {
        for (name, value) in changes {
            match value {
                Some(value) => self.env.push((name.into(), value.into())),
                None => self.without.push(name.into()),
            }
        }
    }

    /// Returns the environment that the process will have.
    pub(crate) fn environment(&self) -> BTreeMap<OsString, OsString> {
        let is_inherited =
            |name: &OsString| !repository::is_local(name) && !self.without.contains(name);
        let inherited = std::env::vars_os().filter(|(name, _)| is_inherited(name));
        inherited.chain(self.env.iter().cloned()).collect()
    }

    /// Returns the command that starts the program, without environment, streams and directory.
    pub(super) fn direct(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command
    }

    /// Returns the name of the process in messages.
    pub(crate) fn name(&self) -> String {
        if let Some(called) = &self.called {
            return called.clone();
        }
        let path = Path::new(&self.program);
        path.file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }
}
