//! Starting the programs that build: with the environment of the revision that is built, and a time limit.

use std::collections::BTreeMap;
use std::time::Duration;

use perf_budget_core::build::{Ended, Program, Step};
use perf_budget_core::handover::Handover;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::{self, Launch};

/// What cargo tells a test of its own package, and no program that builds another one.
const OF_A_TEST: [&str; 5] = [
    "CARGO_BIN_EXE_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
];
/// Where a user has cargo build: a place of this revision's, which the base must not write to.
const TARGETS: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// Variables that a build has otherwise than this process: their value, `None` where it is not to have them.
type Environment = BTreeMap<String, Option<String>>;

/// Starts what builds one revision.
pub(super) struct Starts {
    environment: Environment,
    timeout: Duration,
}

impl Starts {
    /// For the base or for this revision.
    pub(super) fn of(is_base: bool, timeout: Duration) -> Result<Starts, Unmeasured> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let own = |name: &String| OF_A_TEST.iter().any(|start| name.starts_with(start));
        let mut environment: Environment = names.filter(own).map(|name| (name, None)).collect();
        if is_base {
            environment.extend(TARGETS.map(|name| (name.to_owned(), None)));
            environment.extend(of_base()?);
        }
        Ok(Starts { environment, timeout })
    }

    /// Starts a program and waits for its end.
    pub(super) fn start(&self, step: &Step) -> Result<Ended, Unmeasured> {
        let mut launch = Launch::new(self.program(&step.program));
        for (name, value) in &self.environment {
            match value {
                Some(value) => launch.env.push((name.into(), value.into())),
                None => launch.without.push(name.into()),
            }
        }
        launch.args = step.args.iter().map(Into::into).collect();
        launch.dir = (!step.dir.as_os_str().is_empty()).then(|| step.dir.clone());
        // All of cargo's answer is needed, not only the end.
        launch.keep = 32 << 20;
        let done = exec::run(&launch, self.timeout).map_err(|why| match why.cause {
            Cause::TimedOut => Unmeasured {
                text: format!(
                    "it did not end within {:?} and was killed; if it may take longer, raise `build_timeout`",
                    self.timeout
                ),
                ..why
            },
            _ => why,
        })?;
        let said = done.stderr.text();
        let said = match step.program {
            Program::Cargo => said,
            Program::Named(_) => said.or_else(|| done.stdout.text()),
        };
        Ok(Ended { code: done.code, stdout: done.stdout.tail, said })
    }

    fn program(&self, program: &Program) -> std::ffi::OsString {
        match program {
            Program::Named(name) => name.into(),
            Program::Cargo => {
                let own = || std::env::var_os("CARGO");
                let set = self.environment.get("CARGO");
                let cargo = set.map_or_else(own, |set| set.clone().map(Into::into));
                cargo.unwrap_or_else(|| "cargo".into())
            }
        }
    }
}

/// How the base's environment differs from that of this process, which runs within what this revision's toolchain and
/// configuration set.
fn of_base() -> Result<Environment, Unmeasured> {
    let handover = Handover::from_env(|name| std::env::var_os(name))
        .map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
    Ok(handover.unwrap_or_default().told.environment)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn starts(environment: &str) -> Starts {
        let environment = serde_json::from_str(environment).unwrap();
        Starts { environment, timeout: Duration::from_secs(60) }
    }

    fn step(program: Program, args: &[&str]) -> Step {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Step { aim: "try".to_owned(), program, args, dir: std::env::temp_dir() }
    }

    /// The program `env` in cargo's place says what reached it.
    #[test]
    fn a_build_of_the_base_has_the_bases_environment() {
        let starts = starts("{\"CARGO\": \"env\", \"HOME\": null, \"BASES_OWN\": \"1\"}");
        let done = starts.start(&step(Program::Cargo, &[])).unwrap();
        let listed = String::from_utf8(done.stdout).unwrap();
        let has = |start: &str| listed.lines().any(|line| line.starts_with(start));
        assert!(has("BASES_OWN=1") && has("PATH=") && !has("HOME="), "{listed}");
    }

    #[test]
    fn a_build_knows_nothing_of_the_test_that_asks_for_it() {
        for is_base in [false, true] {
            let starts = Starts::of(is_base, Duration::from_secs(60)).unwrap();
            let done = starts.start(&step(Program::Named("env".to_owned()), &[])).unwrap();
            let listed = String::from_utf8(done.stdout).unwrap();
            assert!(
                !listed.contains("CARGO_MANIFEST_DIR=") && listed.contains("PATH="),
                "{listed}"
            );
        }
    }

    #[test]
    fn a_build_that_hangs_is_ended_and_says_which_key_to_raise() {
        let starts = Starts { timeout: Duration::from_millis(50), ..starts("{}") };
        let shell = step(Program::Named("sh".to_owned()), &["-c", "echo compiling >&2; sleep 600"]);
        let why = starts.start(&shell).unwrap_err();
        assert_eq!(why.cause, Cause::TimedOut);
        assert!(
            why.text.contains("within 50ms") && why.text.contains("raise `build_timeout`"),
            "{why}"
        );
    }

    #[test]
    fn what_a_command_says_on_either_stream_is_kept() {
        for line in ["echo oops >&2; exit 3", "echo oops; exit 3"] {
            let shell = step(Program::Named("sh".to_owned()), &["-c", line]);
            let done = starts("{}").start(&shell).unwrap();
            assert_eq!((done.code, done.said.as_deref().map(str::trim)), (3, Some("oops")));
        }
    }
}
