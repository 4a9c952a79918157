//! The start of a program that builds something, in the environment of the revision that it builds.

use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};

use perf_budget_core::build::{Ended, Program, Step, TARGET_VARIABLES};
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::environment::Environment;
use crate::child;
use crate::failure::Failure;
use crate::links::Recording;

/// A program that writes more bytes than this to its standard output is ended, as the harness ends it.
const FLOOD: u64 = 64 << 20;

/// Starts a program that builds something, in the environment of the base or in this revision's, and waits for its end.
/// Its standard error is shown. What cargo links may be recorded.
pub(super) fn start(
    step: &Step,
    base: Option<&Environment>,
    recording: Option<&Recording>,
) -> Result<Ended, Unmeasured> {
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
    let links = step.program == Program::Cargo && step.args.iter().any(|arg| arg == "--no-run");
    if let Some(recording) = recording.filter(|_| links) {
        let failed = |failure: Failure| Unmeasured::new(Cause::Harness, failure.text);
        recording.apply(&mut command).map_err(failed)?;
    }
    command.current_dir(&step.dir).stdin(Stdio::null());
    let (status, stdout) = read(command.stderr(Stdio::inherit()))?;
    Ok(Ended { code: status.code().unwrap_or(-1), stdout, messages: None })
}

/// Runs a program to its end. Returns how it ended, and what it wrote to its standard output, which takes bounded memory.
fn read(command: &mut Command) -> Result<(ExitStatus, Vec<u8>), Unmeasured> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| {
        let absent = e.kind() == std::io::ErrorKind::NotFound;
        let cause = if absent { Cause::NotFound } else { Cause::Harness };
        Unmeasured::new(cause, format!("it was not started: {e}"))
    })?;
    let failed = |e| Unmeasured::new(Cause::Harness, format!("failed to read what it wrote: {e}"));
    let mut written = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(FLOOD + 1).read_to_end(&mut written).map_err(failed)?;
    }
    // The pipe is closed by now, so that what the program has started ends too when it writes on.
    let is_flood = written.len() as u64 > FLOOD;
    if is_flood {
        child.kill().map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if is_flood {
        let text =
            format!("it wrote more than {} MiB and was killed; make it quieter", FLOOD >> 20);
        return Err(Unmeasured::new(Cause::Flooded, text));
    }
    Ok((status, written))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_writes_without_end_is_ended() {
        for script in ["yes", "yes & wait"] {
            let why = read(child::program("sh").args(["-c", script])).unwrap_err();
            assert_eq!(why.cause, Cause::Flooded, "{why}");
            assert!(why.text.contains("64 MiB"), "{why}");
        }
        let (status, written) =
            read(child::program("sh").args(["-c", "echo done; exit 3"])).unwrap();
        assert_eq!((status.code(), &written[..]), (Some(3), &b"done\n"[..]));
    }
}
