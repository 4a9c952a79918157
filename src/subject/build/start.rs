//! The start of the programs that build a revision: with the environment of that revision, and with a time limit.

use std::time::Duration;

use perf_budget_core::build::{Program, ProgramResult, Step, TARGET_VARIABLES};
use perf_budget_core::handover::Handover;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{self, Changes, Launch};

/// How the variables begin that cargo sets for a test. They describe the test's own package, so another package must not
/// see them.
const TEST_VARIABLES: [&str; 6] = [
    "CARGO_BIN_EXE_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// Returns the environment of this process without the variables that describe the package of this test.
pub(crate) fn without_own_package() -> Changes {
    let is_of_test = |name: &String| TEST_VARIABLES.iter().any(|start| name.starts_with(start));
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(is_of_test).map(|name| (name, None)).collect()
}

/// The environment and the time limit of the programs that build one revision.
pub(super) struct BuildEnvironment {
    changes: Changes,
    timeout: Duration,
}

impl BuildEnvironment {
    /// Returns the environment for builds of the base, or of this revision.
    pub(super) fn new(is_base: bool, timeout: Duration) -> Result<BuildEnvironment, Unmeasured> {
        let mut changes = without_own_package();
        if is_base {
            for name in TARGET_VARIABLES {
                changes.insert(name.to_owned(), None);
            }
            changes.extend(changes_of_base()?);
        }
        Ok(BuildEnvironment { changes, timeout })
    }

    /// Gives this environment to a process.
    pub(super) fn apply(&self, launch: &mut Launch) {
        launch.change_environment(&self.changes);
    }

    /// Starts a program and waits for its end.
    pub(super) fn start(&self, step: &Step) -> Result<ProgramResult, Unmeasured> {
        let mut launch = Launch::new(self.program(&step.program));
        self.apply(&mut launch);
        launch.env.extend(step.env.iter().map(|(name, value)| (name.into(), value.into())));
        launch.args = step.args.iter().map(Into::into).collect();
        launch.dir = (!step.dir.as_os_str().is_empty()).then(|| step.dir.clone());
        // The whole output of cargo is parsed, so more than its end is kept.
        launch.keep = 32 << 20;
        let done = exec::run(&launch, self.timeout).map_err(|why| {
            if why.cause != Cause::TimedOut {
                return why;
            }
            let text = format!(
                "it did not end within {:?} and was killed; if it may take longer, raise `build_timeout`",
                self.timeout
            );
            Unmeasured { text, ..why }
        })?;
        let errors = done.stderr.text();
        let messages = match step.program {
            // The standard output of cargo is JSON.
            Program::Cargo => errors,
            Program::Named(_) => errors.or_else(|| done.stdout.text()),
        };
        Ok(ProgramResult { code: done.code, stdout: done.stdout.tail, messages })
    }

    fn program(&self, program: &Program) -> std::ffi::OsString {
        match program {
            Program::Named(name) => name.into(),
            Program::Cargo => {
                let inherited = || std::env::var_os("CARGO");
                let changed = self.changes.get("CARGO");
                let cargo = changed.map_or_else(inherited, |value| value.clone().map(Into::into));
                cargo.unwrap_or_else(|| "cargo".into())
            }
        }
    }
}

/// Returns the differences between the environment of the base's builds and that of this process, in which this
/// revision's toolchain and configuration have set variables.
fn changes_of_base() -> Result<Changes, Unmeasured> {
    let handover = Handover::from_env(|name| std::env::var_os(name))
        .map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
    Ok(handover.unwrap_or_default().details.environment)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn with_changes(changes: &str) -> BuildEnvironment {
        let changes = serde_json::from_str(changes).unwrap();
        BuildEnvironment { changes, timeout: Duration::from_secs(60) }
    }

    fn step(program: Program, args: &[&str]) -> Step {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Step { aim: "try".to_owned(), program, args, env: Vec::new(), dir: std::env::temp_dir() }
    }

    /// The program `env` is started in the place of cargo, and prints its environment.
    #[test]
    fn a_build_of_the_base_has_the_environment_of_the_base() {
        let environment =
            with_changes("{\"CARGO\": \"env\", \"HOME\": null, \"BASES_OWN\": \"1\"}");
        let done = environment.start(&step(Program::Cargo, &[])).unwrap();
        let listed = String::from_utf8(done.stdout).unwrap();
        let has = |start: &str| listed.lines().any(|line| line.starts_with(start));
        assert!(has("BASES_OWN=1") && has("PATH=") && !has("HOME="), "{listed}");
    }

    #[test]
    fn a_build_does_not_see_the_variables_of_the_test() {
        for is_base in [false, true] {
            let environment = BuildEnvironment::new(is_base, Duration::from_secs(60)).unwrap();
            let done = environment.start(&step(Program::Named("env".to_owned()), &[])).unwrap();
            let listed = String::from_utf8(done.stdout).unwrap();
            assert!(
                !listed.contains("CARGO_MANIFEST_DIR=") && listed.contains("PATH="),
                "{listed}"
            );
        }
    }

    #[test]
    fn a_build_that_hangs_is_ended_and_the_error_names_the_key_to_raise() {
        let environment =
            BuildEnvironment { timeout: Duration::from_millis(50), ..with_changes("{}") };
        let shell = step(Program::Named("sh".to_owned()), &["-c", "echo compiling >&2; sleep 600"]);
        let why = environment.start(&shell).unwrap_err();
        assert_eq!(why.cause, Cause::TimedOut);
        assert!(
            why.text.contains("within 50ms") && why.text.contains("raise `build_timeout`"),
            "{why}"
        );
    }

    #[test]
    fn the_output_of_a_command_on_either_stream_is_kept() {
        for line in ["echo oops >&2; exit 3", "echo oops; exit 3"] {
            let shell = step(Program::Named("sh".to_owned()), &["-c", line]);
            let done = with_changes("{}").start(&shell).unwrap();
            assert_eq!((done.code, done.messages.as_deref().map(str::trim)), (3, Some("oops")));
        }
    }
}
