//! What a selftest injects into a command: this binary is started in its place, works or holds memory,
//! and then becomes the command.
//!
//! The process stays the same one, so that whatever is injected counts as the command's, from just before
//! its program is loaded until it is ready or ends.

use std::hint::spin_loop;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::door::{self, Pass, Shut};
use super::launch::Launch;
use crate::os::{kernel, memory};

/// Set for a process that is to become a command, and for nothing else.
const VARIABLE: &str = "PERF_BUDGET_INJECT";
/// The exit code of one that could not.
const NEVER: u8 = 74;

/// What is done before the command's program is loaded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    /// Processor time is used, so many seconds.
    Work(f64),
    /// So many bytes are resident, and given back.
    Touch(f64),
    /// A process beside it holds so many resident bytes.
    Beside(f64),
    /// It ends with another exit code.
    Exit,
    /// This is the process beside it.
    Hold(f64),
}

impl Stage {
    /// A word, and how much.
    fn to_text(self) -> String {
        match self {
            Stage::Work(seconds) => format!("work {seconds}"),
            Stage::Touch(bytes) => format!("touch {bytes}"),
            Stage::Beside(bytes) => format!("beside {bytes}"),
            Stage::Exit => "exit 0".to_owned(),
            Stage::Hold(bytes) => format!("hold {bytes}"),
        }
    }

    fn of(text: &str) -> Option<Stage> {
        let (word, amount) = text.split_once(' ')?;
        let amount = amount.parse().ok()?;
        match word {
            "work" => Some(Stage::Work(amount)),
            "touch" => Some(Stage::Touch(amount)),
            "beside" => Some(Stage::Beside(amount)),
            "exit" => Some(Stage::Exit),
            "hold" => Some(Stage::Hold(amount)),
            _ => None,
        }
    }
}

/// Has `launch` start what is injected first.
///
/// # Errors
/// Where this binary is not known.
pub(crate) fn inject(launch: &mut Launch, stage: Stage) -> Result<(), Unmeasured> {
    let failed = |why: &dyn std::fmt::Display| {
        Unmeasured::new(Cause::Harness, format!("failed to inject into a command: {why}"))
    };
    let own = std::env::current_exe().map_err(|e| failed(&e))?;
    let (pass, _) = Pass::new().map_err(|e| failed(&e))?;
    let asked = pass.value(&stage.to_text());
    launch.passes.push(Arc::new(pass));
    launch.called.get_or_insert(launch.name());
    let program = std::mem::replace(&mut launch.program, own.into());
    launch.args.insert(0, program);
    launch.env.push((VARIABLE.into(), asked.into()));
    Ok(())
}

/// Becomes the command, if this process was started to; gives a code to exit with where it could not, or is
/// to end with another than the command. `None` in every other process.
///
/// # Errors
/// Where it is to become one, and not for a harness.
pub(super) fn injected() -> Result<Option<ExitCode>, Shut> {
    let Some(door::Opened { rest, .. }) = door::knock(VARIABLE)? else { return Ok(None) };
    let error = match become_it(&rest) {
        Ok(code) => return Ok(Some(code)),
        Err(error) => error,
    };
    // Standard error is the command's own, and is shown where it fails.
    let _ = writeln!(io::stderr(), "perf-budget: failed to inject into a command: {error}");
    Ok(Some(ExitCode::from(NEVER)))
}

fn become_it(asked: &str) -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let stage = Stage::of(asked).ok_or_else(|| {
        io::Error::other(format!("`{VARIABLE}` is `{asked}`, which is not understood"))
    })?;
    match stage {
        Stage::Work(seconds) => {
            // What starting this binary used is part of it.
            while kernel::clock(kernel::Clock::Process)
                .is_some_and(|used| used.as_secs_f64() < seconds)
            {
                spin_loop();
            }
        }
        Stage::Touch(bytes) => drop(touched(bytes)),
        Stage::Beside(bytes) => {
            let (pass, _) = Pass::new()?;
            let mut beside = Command::new(std::env::current_exe()?);
            beside.env(VARIABLE, pass.value(&Stage::Hold(bytes).to_text()));
            // This is the only thread, and nothing else is started before the other has come in.
            kernel::inherit(pass.number(), true)?;
            let mut beside = beside.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
            // It says when it has them.
            let said = beside.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
            said.take(1).read_exact(&mut [0])?;
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

/// Bytes that make this process so large.
fn touched(bytes: f64) -> Vec<u8> {
    let more = (bytes as u64).saturating_sub(memory::resident());
    std::hint::black_box(vec![1; more as usize])
}
