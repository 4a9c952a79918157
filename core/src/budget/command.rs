//! A command to run: what starts, in which surroundings, and when it counts as started.

use std::path::PathBuf;

use crate::quantity::{Quantity, Unit};

/// A command to run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Command {
    /// The program and its arguments, which may be none. `{bin:NAME}` has the same meaning as for an artifact.
    pub argv: Vec<String>,
    /// The environment variables that are set for the command.
    pub env: Vec<(String, String)>,
    /// When the command counts as started.
    pub ready: Ready,
    /// Whether the command's files are in the page cache when it starts.
    pub cache: Cache,
    /// The directory that it runs in, from that of the file on. `None` for that of the file.
    pub cwd: Option<String>,
    /// The file that it reads on its standard input. `None` for nothing.
    pub stdin: Option<String>,
    /// The program that is run before each run of the command and is not measured, with its arguments; empty for none.
    pub prepare: Vec<String>,
    /// The program that is run after each run of the command and is not measured, with its arguments; empty for none.
    pub cleanup: Vec<String>,
    /// The resources that the command may use.
    pub constraint: Constraint,
}

/// The resources that a command or a workload may use, as on a smaller machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Constraint {
    /// The most bytes of memory of its own that each of its processes may have. `None` for no limit.
    pub memory: Option<u64>,
    /// How many processors its processes may run on. `None` for all.
    pub processors: Option<u32>,
}

impl Constraint {
    /// Whether nothing is constrained.
    pub fn is_none(self) -> bool {
        self == Constraint::default()
    }

    /// Returns the note that an outcome has about the constraint; `None` if nothing is constrained.
    pub fn note(self) -> Option<String> {
        let memory = self.memory.map(|bytes| {
            let bytes = Quantity::new(bytes as f64, Unit::Bytes);
            format!("{bytes} of memory of its own for each process")
        });
        let processors = self.processors.map(|count| match count {
            1 => "1 processor".to_owned(),
            count => format!("{count} processors"),
        });
        let parts: Vec<String> = processors.into_iter().chain(memory).collect();
        (!parts.is_empty()).then(|| format!("measured with at most {}", parts.join(" and ")))
    }
}

/// When a command counts as started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ready {
    /// When it ends, with success.
    #[default]
    Exit,
    /// When this text is on its standard output.
    Stdout(String),
    /// When this text is on its standard error.
    Stderr(String),
    /// When this TCP port of the loopback interface accepts a connection.
    Port(u16),
    /// When this file exists.
    File(PathBuf),
    /// When the command itself says so. It ends, and a line of its standard output has this name and how long it took.
    Reported(String),
}

/// The state of the page cache when a command starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cache {
    /// The program's file is in the page cache, because a first run is discarded.
    #[default]
    Warm,
    /// The pages of the program's file are dropped before each run.
    Evicted,
}

impl Command {
    /// Returns every text in which `{bin:NAME}`, `{wasm:NAME}` and `{param}` are replaced.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        let env = self.env.iter().map(|(_, value)| value);
        let surroundings = self.cwd.iter().chain(&self.stdin);
        self.argv.iter().chain(env).chain(surroundings).chain(&self.prepare).chain(&self.cleanup)
    }

    /// Returns the same texts, so that they can be changed.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let env = self.env.iter_mut().map(|(_, value)| value);
        let surroundings = self.cwd.iter_mut().chain(&mut self.stdin);
        let argv = self.argv.iter_mut().chain(env).chain(surroundings);
        argv.chain(&mut self.prepare).chain(&mut self.cleanup)
    }
}
