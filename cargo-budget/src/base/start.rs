//! The start of a program that builds something, in the environment of the revision that it builds.

use std::io::ErrorKind;
use std::process::Stdio;

use perf_budget_core::build::{Program, ProgramResult, Step, TARGET_VARIABLES};
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::environment::{self, Environment};
use crate::child::{self, Unfinished};
use crate::failure::Failure;
use crate::links::Recording;

/// Starts a program that builds something, in the environment of the base or of this revision, and waits for its end.
/// Its standard error is shown. `recording` says how the links that cargo makes are recorded, if they are.
pub(super) fn start(
    step: &Step,
    base: Option<&Environment>,
    recording: Option<&Recording>,
) -> Result<ProgramResult, Unmeasured> {
    let mut command = match (&step.program, base) {
        (Program::Cargo, Some(base)) => base.cargo(),
        (Program::Cargo, None) => child::cargo(),
        (Program::Named(name), base) => {
            let mut command = child::program(name);
            if let Some(base) = base {
                base.apply(&mut command);
            }
            command
        }
    };
    if base.is_some() {
        for name in TARGET_VARIABLES {
            command.env_remove(name);
        }
    }
    command.args(&step.args).envs(step.env.iter().map(|(name, value)| (name, value)));
    // The call that runs benchmarks by a runner may build them again.
    let is_build = |arg: &String| arg == "--no-run" || arg == "bench";
    let links = step.program == Program::Cargo && step.args.iter().any(is_build);
    if let Some(recording) = recording.filter(|_| links) {
        let failed = |failure: Failure| Unmeasured::new(Cause::Harness, failure.text);
        recording.apply(&mut command).map_err(failed)?;
    }
    command.current_dir(&step.dir);
    let patience = base.map_or(child::FOREVER, Environment::program_timeout);
    let done = child::run(command.stderr(Stdio::inherit()), patience).map_err(|why| {
        let cause = match &why {
            Unfinished::NotStarted(e) if e.kind() == ErrorKind::NotFound => Cause::NotFound,
            Unfinished::Late(_) => Cause::TimedOut,
            Unfinished::Flooded => Cause::Flooded,
            Unfinished::NotStarted(_) | Unfinished::Unread(_) => Cause::Harness,
        };
        Unmeasured::new(cause, environment::describe_unfinished(&why))
    })?;
    Ok(ProgramResult {
        code: done.status.code().unwrap_or(-1),
        stdout: done.stdout,
        messages: None,
    })
}
