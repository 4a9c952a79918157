//! The effects that a selftest injects into a command: this binary is started in the command's place, does work or
//! holds memory, and then becomes the command.
//!
//! The process stays the same one, so that whatever is injected counts as the command's, from just before its program
//! is loaded until it is ready or ends.

use std::hint::spin_loop;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::handshake::{self, Rejected, Token};
use super::launch::Launch;
use crate::os::calls::{self, Counts};
use crate::os::traffic::{self, Traffic};
use crate::os::usage::Usage;
use crate::os::{kernel, memory};

/// The variable that is set for a process that is to become a command, and for no other.
const VARIABLE: &str = "PERF_BUDGET_INJECT";
/// The exit code of a process that could not become the command.
const FAILED: u8 = 74;

/// A step of an injection, which is taken before the command's program is loaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    /// The process uses this many seconds of processor time.
    Work(f64),
    /// The process makes this many bytes resident, and frees them.
    Touch(f64),
    /// The process touches this many fresh pages.
    Faults(f64),
    /// The process reads this many bytes.
    Read(f64),
    /// The process writes this many bytes.
    Write(f64),
    /// The process makes this many system calls.
    Calls(f64),
    /// Another process, beside this one, holds this many resident bytes.
    Beside(f64),
    /// The process ends with another exit code than the command.
    Exit,
    /// This is the process that holds this many resident bytes beside the command.
    Hold(f64),
}

impl Stage {
    /// Writes a stage as a word and an amount.
    fn to_text(self) -> String {
        match self {
            Stage::Work(seconds) => format!("work {seconds}"),
            Stage::Touch(bytes) => format!("touch {bytes}"),
            Stage::Faults(pages) => format!("faults {pages}"),
            Stage::Read(bytes) => format!("read {bytes}"),
            Stage::Write(bytes) => format!("write {bytes}"),
            Stage::Calls(count) => format!("calls {count}"),
            Stage::Beside(bytes) => format!("beside {bytes}"),
            Stage::Exit => "exit 0".to_owned(),
            Stage::Hold(bytes) => format!("hold {bytes}"),
        }
    }

    /// Reads a stage that [`Stage::to_text`] has written.
    fn parse(text: &str) -> Option<Stage> {
        let (word, amount) = text.split_once(' ')?;
        let amount = amount.parse().ok()?;
        match word {
            "work" => Some(Stage::Work(amount)),
            "touch" => Some(Stage::Touch(amount)),
            "faults" => Some(Stage::Faults(amount)),
            "read" => Some(Stage::Read(amount)),
            "write" => Some(Stage::Write(amount)),
            "calls" => Some(Stage::Calls(amount)),
            "beside" => Some(Stage::Beside(amount)),
            "exit" => Some(Stage::Exit),
            "hold" => Some(Stage::Hold(amount)),
            _ => None,
        }
    }
}

/// Changes `launch` so that the effect is injected before its program runs.
///
/// # Errors
/// If the path of this binary is not known.
pub(crate) fn inject(launch: &mut Launch, stage: Stage) -> Result<(), Unmeasured> {
    let failed = |why: &dyn std::fmt::Display| {
        Unmeasured::new(Cause::Harness, format!("failed to inject into a command: {why}"))
    };
    let own = std::env::current_exe().map_err(|e| failed(&e))?;
    let (token, _) = Token::new().map_err(|e| failed(&e))?;
    let value = token.value(&stage.to_text());
    launch.tokens.push(Arc::new(token));
    launch.called.get_or_insert(launch.name());
    let program = std::mem::replace(&mut launch.program, own.into());
    if let Some(alike) = &mut launch.alike {
        alike.paths.push(program.clone());
    }
    launch.args.insert(0, program);
    launch.env.push((VARIABLE.into(), value.into()));
    Ok(())
}

/// Becomes the command, if this process was started for that. Returns the exit code if it could not, or if the
/// injected effect is another exit code; returns `None` in every other process.
///
/// # Errors
/// If the variable is set, but not by a harness.
pub(super) fn injected() -> Result<Option<ExitCode>, Rejected> {
    let Some(handshake::Accepted { rest, .. }) = handshake::accept(VARIABLE)? else {
        return Ok(None);
    };
    let error = match become_command(&rest) {
        Ok(code) => return Ok(Some(code)),
        Err(error) => error,
    };
    // Standard error belongs to the command, and is shown if the command fails.
    let _ = writeln!(io::stderr(), "perf-budget: failed to inject into a command: {error}");
    Ok(Some(ExitCode::from(FAILED)))
}

fn become_command(text: &str) -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let stage = Stage::parse(text).ok_or_else(|| {
        io::Error::other(format!("`{VARIABLE}` is `{text}`, which is not understood"))
    })?;
    match stage {
        Stage::Work(seconds) => {
            // The time used to start this binary is part of the effect.
            while kernel::clock(kernel::Clock::Process)
                .is_some_and(|used| used.as_secs_f64() < seconds)
            {
                spin_loop();
            }
        }
        Stage::Touch(bytes) => drop(touched(bytes)),
        // The page faults of starting this binary are part of the effect.
        Stage::Faults(pages) => {
            let used = Usage::now().map_or(0, |usage| usage.faults());
            kernel::touch_fresh_pages((pages.ceil() as u64).saturating_sub(used) as usize)?;
        }
        Stage::Read(bytes) => {
            let moved = Traffic::of_process(std::process::id()).unwrap_or_default();
            traffic::read_zeros((bytes.ceil() as u64).saturating_sub(moved.read))?;
        }
        Stage::Write(bytes) => traffic::write_to_nowhere(bytes.ceil() as u64)?,
        // The system calls of starting this binary are part of the effect, where they are counted.
        Stage::Calls(count) => {
            let mut made = Box::new(Counts::NONE);
            let made = if calls::ask(&mut made) { made.total() } else { 0 };
            calls::spend((count.ceil() as u64).saturating_sub(made));
        }
        Stage::Beside(bytes) => {
            let (token, _) = Token::new()?;
            let mut beside = Command::new(std::env::current_exe()?);
            beside.env(VARIABLE, token.value(&Stage::Hold(bytes).to_text()));
            // This process has one thread, and it starts nothing else before the other process has been accepted.
            kernel::inherit(token.number(), true)?;
            let mut beside = beside.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
            // The other process writes a byte when it holds the memory.
            let output =
                beside.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
            output.take(1).read_exact(&mut [0])?;
        }
        Stage::Hold(bytes) => {
            let _held = touched(bytes);
            io::stdout().write_all(b".")?;
            io::stdout().flush()?;
            loop {
                std::thread::park();
            }
        }
        Stage::Exit => {
            let program = words.next().unwrap_or_default();
            let status = Command::new(program).args(words).env_remove(VARIABLE).status()?;
            let failed = status.code() != Some(0);
            return Ok(if failed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    let program = words.next().unwrap_or_default();
    Err(Command::new(program).args(words).env_remove(VARIABLE).exec())
}

/// Allocates memory until this process holds this many bytes.
fn touched(bytes: f64) -> Vec<u8> {
    let more = (bytes as u64).saturating_sub(memory::resident().unwrap_or(0));
    std::hint::black_box(vec![1; more as usize])
}
