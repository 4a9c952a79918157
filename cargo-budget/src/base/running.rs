//! The environment in which cargo runs the tests of a revision.
//!
//! The harness runs in the environment of this revision and starts the base's processes itself, so these would find this
//! revision's variables and libraries. Therefore cargo is asked for the environment of both revisions: it runs their
//! tests by a [`Runner`], which is this command under another name.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use perf_budget_core::build::hold;
pub(super) use perf_budget_core::build::runner::Changes;
use perf_budget_core::build::runner::{self, Runner};

use super::build::{Built, Side, Target};
use super::environment;
use crate::child;
use crate::failure::Failure;
use crate::project::Project;

/// A test that is built, and the revision that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) target: &'a Target,
    /// The directory of the package.
    pub(super) package: &'a Path,
    pub(super) side: Side<'a>,
    /// The test binary.
    pub(super) binary: &'a Path,
}

/// Prints the environment, where this process was started in place of a test or a benchmark. Returns `None` where it was not.
///
/// # Errors
/// Returns the reason why the environment could not be printed.
pub(crate) fn print_environment() -> Option<Result<ExitCode, String>> {
    let line = runner::line(env::args_os(), env::vars_os())?;
    let printed = std::io::stdout().write_all(line.as_bytes());
    let failed = |e| format!("failed to print the environment: {e}");
    Some(printed.map(|()| ExitCode::SUCCESS).map_err(failed))
}

/// Returns another name of this command in a directory, under which it prints its environment.
pub(super) fn runner(place: &Path) -> Result<Runner, Failure> {
    Runner::new(place, hold).map_err(|e| Failure::io("link a runner in", place, &e))
}

/// Returns what cargo changes in the environment of this process for a test. `place` is a directory for another name
/// of this command.
pub(super) fn changes(test: Test<'_>, place: &Path) -> Result<Changes, Failure> {
    let runner = runner(place)?;
    let mut cargo = test.side.cargo();
    cargo.arg("test").args(test.side.arguments()).args(test.target.arguments());
    let (arguments, variables) = runner.settings(&triples(test)?);
    // If cargo ran the test itself and not the runner, the test would only list its cases.
    cargo.args(arguments).args(["--", "--list"]).envs(variables);
    cargo.current_dir(test.package).stderr(Stdio::piped());
    let failed = |why: &str| {
        Failure::unmeasured(format!(
            "failed to find the variables with which cargo runs the test `{}` in `{}`: {why}",
            test.target.test,
            test.package.display()
        ))
    };
    let output = child::run(&mut cargo, test.side.timeout())
        .map_err(|why| failed(&environment::describe_unfinished(&why)))?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(messages.trim()));
    }
    let printed = runner::printed(&output.stdout);
    let seen = printed.first();
    let seen =
        seen.ok_or_else(|| failed("cargo ran the test in another way than it was asked to"))?;
    Ok(runner::between(&own_variables(), &seen.variables))
}

/// Returns a command that runs the tests of this revision as `cargo test` does.
pub(crate) fn harness(
    built: &Built,
    target: &Target,
    project: &Project,
) -> Result<Command, Failure> {
    let Built { binary, .. } = built;
    let test = Test { target, package: &project.root, side: Side::Head, binary };
    let mut command = child::program(binary);
    for (name, value) in changes(test, &project.results().join("base/links"))? {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(&project.root);
    Ok(command)
}

/// Returns a variable that has another value in the base's tests than in this revision's; `None` where there is none.
/// Variables that describe the package and its place do not count, nor do rustup's own.
pub(super) fn difference(head: &Changes, base: &Changes) -> Option<String> {
    let describes = |name: &str| {
        let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_", "RUSTUP_"];
        let of_place = [
            "CARGO",
            "OUT_DIR",
            "LD_LIBRARY_PATH",
            "DYLD_FALLBACK_LIBRARY_PATH",
            "DYLD_LIBRARY_PATH",
            "OLDPWD",
            "PWD",
            "RUST_RECURSION_COUNT",
            "SHLVL",
        ];
        of_place.contains(&name)
            // Windows looks for libraries in `PATH`, so cargo adds the directories of those that it has built.
            || (cfg!(windows) && name.eq_ignore_ascii_case("PATH"))
            || starts.iter().any(|start| name.starts_with(start))
    };
    of_base(head, base).into_keys().find(|name| !describes(name))
}

/// Returns the differences of the environment in which the base's tests run from that of this revision's, given what
/// cargo changes for each of them.
pub(super) fn of_base(head: &Changes, base: &Changes) -> Changes {
    let mut found = Changes::new();
    for name in head.keys().chain(base.keys()).filter(|name| head.get(*name) != base.get(*name)) {
        let value = base.get(name).cloned().unwrap_or_else(|| env::var(name).ok());
        found.insert(name.clone(), value);
    }
    found
}

/// Returns the variables of this process. Those that are not UTF-8 are left out: no file of cargo's can set them.
fn own_variables() -> BTreeMap<String, String> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Returns the platforms that the test may be built for. Cargo's settings name the program that runs a test by its platform.
fn triples(test: Test<'_>) -> Result<Vec<String>, Failure> {
    let mut cargo = test.side.cargo();
    let output = child::output(cargo.arg("-vV").current_dir(test.package));
    let output = output.map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
    Ok(runner::triples(&String::from_utf8_lossy(&output.stdout), [test.binary]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(list: &[(&str, Option<&str>)]) -> Changes {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn the_base_has_what_cargo_sets_for_it_and_nothing_that_cargo_sets_for_this_revision() {
        let head = changes(&[
            ("MODE", Some("new")),
            ("ADDED", Some("1")),
            ("SAME", Some("x")),
            ("PATH", Some("new")),
        ]);
        let base = changes(&[
            ("MODE", Some("old")),
            ("REMOVED", Some("2")),
            ("SAME", Some("x")),
            ("GONE", None),
        ]);
        let mut got = of_base(&head, &base);
        // Only this revision's configuration replaces the user's own value, so the base has the user's.
        assert_eq!(got.remove("PATH"), Some(env::var("PATH").ok()));
        let want = [("MODE", Some("old")), ("ADDED", None), ("REMOVED", Some("2")), ("GONE", None)];
        assert_eq!(got, changes(&want));
    }
}
