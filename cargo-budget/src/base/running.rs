//! The environment in which cargo runs the tests of a revision.
//!
//! Before cargo runs a test, it sets the variables of `[env]`, those of build scripts, the directories of shared
//! libraries, and a description of the package. The harness runs in the environment of this revision, and starts the
//! base's processes itself, so they would find this revision's variables and libraries.
//!
//! So cargo is asked for the environment of both revisions: it runs their tests by a program that is named to it. That
//! program is this command under another name, and it prints its environment instead of running the test.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::build::{Built, Side, Target};
use super::environment;
use crate::child;
use crate::failure::Failure;
use crate::links::hold;
use crate::project::Project;

/// The name under which this command prints its environment.
const NAME: &str = "perf-budget-environment";

/// Differences from the environment of this process: each variable with its value, or `None` if it is not inherited.
pub(super) type Changes = BTreeMap<String, Option<String>>;

/// A test that is built, and the revision that it is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) target: &'a Target,
    /// The directory of the package.
    pub(super) package: &'a Path,
    pub(super) side: Side<'a>,
    /// The test binary.
    pub(super) binary: &'a Path,
}

/// Prints the environment, where this process was started in place of a test. Returns `None` where it was not.
///
/// # Errors
/// Returns the reason why the environment could not be printed.
pub(crate) fn print_environment() -> Option<Result<ExitCode, String>> {
    let called = PathBuf::from(env::args_os().next()?);
    (called.file_stem()? == NAME).then(|| {
        let failed = |e: &dyn std::fmt::Display| format!("failed to print the environment: {e}");
        let text = serde_json::to_vec(&own_variables()).map_err(|e| failed(&e))?;
        std::io::stdout().write_all(&text).map_err(|e| failed(&e))?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns what cargo changes in the environment of this process for a test. `place` is a directory for another name
/// of this command.
pub(super) fn changes(test: Test<'_>, place: &Path) -> Result<Changes, Failure> {
    let name = place.join(format!("{NAME}{}", env::consts::EXE_SUFFIX));
    hold(&name).map_err(|e| Failure::io("link", &name, &e))?;
    let mut cargo = test.side.cargo();
    cargo.arg("test").args(test.side.arguments()).args(test.target.arguments());
    for triple in triples(test)? {
        let program = toml_edit::Value::from(name.to_string_lossy().as_ref());
        cargo.args(["--config", &format!("target.{triple:?}.runner=[{program}]")]);
    }
    // If cargo ran the test all the same, it would only list what it has.
    cargo.args(["--", "--list"]).current_dir(test.package).stderr(Stdio::piped());
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
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(said.trim()));
    }
    let seen: BTreeMap<String, String> = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("cargo ran the test in another way than it was asked to"))?;
    Ok(between(&own_variables(), &seen))
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

/// Returns a variable that has another value in the base's tests than in this revision's; `None` where no value differs but
/// those that describe the package and where it is, and rustup's own.
pub(super) fn difference(head: &Changes, base: &Changes) -> Option<String> {
    let describes = |name: &str| {
        let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_", "RUSTUP_"];
        matches!(name, "CARGO" | "OUT_DIR" | "LD_LIBRARY_PATH" | "RUST_RECURSION_COUNT")
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

fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Changes {
    let names = before.keys().chain(after.keys());
    let differing = names.filter(|name| before.get(*name) != after.get(*name));
    differing.map(|name| (name.clone(), after.get(name).cloned())).collect()
}

/// Returns the platforms that the test may be built for. By their names cargo is told which program runs the test. They
/// are this machine's, and the one in the path of the binary, which is `TARGET_DIR/TRIPLE/PROFILE/deps/NAME`.
fn triples(test: Test<'_>) -> Result<Vec<String>, Failure> {
    let mut cargo = test.side.cargo();
    let output = child::output(cargo.arg("-vV").current_dir(test.package));
    let output = output.map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    let of_path = test.binary.ancestors().nth(3).and_then(|path| path.file_name()?.to_str());
    let mut found: Vec<String> =
        host.into_iter().chain(of_path).map(|triple| triple.trim().to_owned()).collect();
    found.dedup();
    Ok(found)
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
        // The user's own value, which only this revision's configuration replaces.
        assert_eq!(got.remove("PATH"), Some(env::var("PATH").ok()));
        let want = [("MODE", Some("old")), ("ADDED", None), ("REMOVED", Some("2")), ("GONE", None)];
        assert_eq!(got, changes(&want));
    }

    #[test]
    fn added_changed_and_removed_variables_are_found() {
        let all = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let before = all(&[("same", "1"), ("changed", "1"), ("removed", "1")]);
        let after = all(&[("same", "1"), ("changed", "2"), ("added", "1")]);
        let want = [("changed", Some("2")), ("removed", None), ("added", Some("1"))];
        assert_eq!(between(&before, &after), changes(&want));
    }
}
