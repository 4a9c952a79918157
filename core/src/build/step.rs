//! One program that is started during a build: what it is, how it ended, and what its failure means.

use std::path::PathBuf;

use super::install;
use crate::outcome::{Cause, Unmeasured};

/// One program to start during a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The purpose of the step, in words that complete "failed to ...".
    pub aim: String,
    /// The program.
    pub program: Program,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The variables that are set for the program, each with its value.
    pub env: Vec<(String, String)>,
    /// The directory that the program starts in.
    pub dir: PathBuf,
}

/// Which program is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The cargo of the revision that is built.
    Cargo,
    /// A program that is looked up in `PATH`, or a path to one.
    Named(String),
}

impl Program {
    /// Returns the program's name in messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Program::Cargo => "cargo",
            Program::Named(name) => name,
        }
    }
}

/// The result of a program that ended by itself.
#[derive(Debug, Clone, Default)]
pub struct ProgramResult {
    /// The exit code.
    pub code: i32,
    /// The whole standard output.
    pub stdout: Vec<u8>,
    /// The end of what the program printed for people.
    pub messages: Option<String>,
}

/// A function that starts a program and waits for its end. It fails if the program does not start, or does not end by
/// itself in time.
pub type Start<'s> = &'s dyn Fn(&Step) -> Result<ProgramResult, Unmeasured>;

/// Starts a program and returns its standard output. If it fails, the error says how to install what is missing.
pub(super) fn run(step: &Step, start: Start<'_>) -> Result<Vec<u8>, Unmeasured> {
    let name = step.program.name();
    let failed = |text: String| format!("failed to {}: {text}", step.aim);
    let ended = start(step).map_err(|why| {
        let remedy = install::tool(name).filter(|_| why.cause == Cause::NotFound);
        let text = match remedy {
            Some(command) => failed(format!("`{name}` is not installed; run `{command}`")),
            None => failed(why.text),
        };
        Unmeasured { text, ..why }
    })?;
    if ended.code == 0 {
        return Ok(ended.stdout);
    }
    let messages = ended.messages.as_deref().unwrap_or_default();
    let (cause, text) = match install::target(messages) {
        Some((target, command)) => {
            (Cause::NotFound, format!("the target `{target}` is not installed; run `{command}`"))
        }
        None => (Cause::ExitedBadly, format!("`{name}` ended with exit code {}", ended.code)),
    };
    Err(Unmeasured { cause, text: failed(text), output: ended.messages })
}
