//! One comparison: a commit is checked out, its `budgets.toml` is replaced by the rules of the search, and `cargo budget
//! check` judges the one limit.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::paths;
use perf_budget_core::record;
use perf_budget_core::verdict::Verdict;

use super::rules::Rules;
use crate::base::{NOT_COMPARED, Target, TemporaryWorkTree};
use crate::failure::Failure;
use crate::file;
use crate::interrupt::Interrupt;

/// How many bytes from the end of the output are read for the reason of a failure.
const TAIL: u64 = 64 * 1024;

/// How commits are compared, the same for all of them.
pub(crate) struct Comparison<'a> {
    pub(crate) beside: &'a TemporaryWorkTree,
    pub(crate) rules: &'a Rules,
    pub(crate) target: &'a Target,
    /// The project's directory.
    pub(crate) root: &'a Path,
    /// A shell command that runs in each checkout and makes what cargo does not build.
    pub(crate) prepare: Option<&'a str>,
    /// The number of links of each revision.
    pub(crate) layouts: Option<u32>,
    pub(crate) interrupt: &'a Interrupt,
}

/// The result of a run of the tests.
#[derive(Debug)]
pub(crate) enum TestResult {
    /// The limit was judged, or the evidence did not suffice.
    Judged(Box<Outcome>),
    /// It was not measured: the reason, in words.
    Not(String),
}

impl Comparison<'_> {
    /// Judges the limit at the commit that is checked out; a relative limit is compared with `base`. The file with the output
    /// gets its name from `name`.
    pub(crate) fn run(&self, base: &str, name: &str) -> Result<TestResult, Failure> {
        let package = &self.beside.package;
        if !package.join("Cargo.toml").is_file() {
            return Ok(TestResult::Not("it has no such package".to_owned()));
        }
        self.write_rules()?;
        let results = self.beside.results.join("results");
        // Every run begins without the evidence of others, since the search multiplies the evidence of all runs.
        for folder in ["evidence", "runs"] {
            let _ = fs::remove_dir_all(results.join(folder));
        }
        let record = paths::record(&results);
        let _ = fs::remove_file(&record);
        let log = self.log(name);
        let file =
            log.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&log));
        let file = file.map_err(|e| Failure::io("write", &log, &e))?;
        let both = file.try_clone().map_err(|e| Failure::io("write", &log, &e))?;
        let mut command = self.beside.command(&self.arguments(base))?;
        let status = self.interrupt.status(command.stdout(file).stderr(both))?;
        let outcomes = if record.is_file() { record::read(&record)?.outcomes } else { Vec::new() };
        let own = outcomes.into_iter().rev().find(|outcome| outcome.test == self.rules.test);
        let printed = tail(&log);
        Ok(match own {
            _ if printed.contains(NOT_COMPARED) => TestResult::Not(reason(&printed)),
            Some(outcome) if matches!(outcome.verdict, Verdict::Skipped | Verdict::Unmeasured) => {
                TestResult::Not(outcome.reason)
            }
            Some(outcome) => TestResult::Judged(Box::new(outcome)),
            None if status.code() == Some(2) => {
                TestResult::Not(format!("its tests do not take these limits: {}", reason(&printed)))
            }
            None => TestResult::Not(reason(&printed)),
        })
    }

    /// Whether files alone prove that the checked-out commit runs the same code as `other`. Nothing is built for this. For a
    /// benchmark this proves nothing, since it has a program of its own.
    pub(crate) fn is_same(&self, other: &str) -> Result<bool, Failure> {
        let rules = self.rules;
        let can_be_proven = rules.is_compared && !rules.is_benchmark && self.prepare.is_none();
        if !can_be_proven || !self.beside.package.join("Cargo.toml").is_file() {
            return Ok(false);
        }
        self.write_rules()?;
        let mut arguments = self.arguments(other);
        // The arguments after `--` are for the tests, which are not run here.
        let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
        arguments.truncate(end);
        arguments.push("--unchanged".to_owned());
        let mut command = self.beside.command(&arguments)?;
        let status = self.interrupt.status(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
        Ok(status.success())
    }

    /// Returns the path of the file with the output of a comparison.
    fn log(&self, name: &str) -> PathBuf {
        self.beside.results.join("output").join(format!("{name}.txt"))
    }

    fn arguments(&self, base: &str) -> Vec<String> {
        let mut arguments = vec!["check".to_owned()];
        let mut with = |name: &str, value: &str| arguments.push(format!("--{name}={value}"));
        with("test", &self.target.test);
        with("profile", &self.target.profile);
        if self.rules.is_compared {
            with("base", base);
            if let Some(layouts) = self.layouts {
                with("layouts", &layouts.to_string());
            }
            if let Some(prepare) = self.prepare {
                with("prepare", prepare);
            }
        }
        arguments.extend(self.target.options.iter().cloned());
        arguments.extend(["--", "--exact", &self.rules.test].map(str::to_owned));
        arguments
    }

    /// Writes the files that are the same at each commit: the rules, the accepted values, and a lock file that no commit
    /// has.
    fn write_rules(&self) -> Result<(), Failure> {
        let package = &self.beside.package;
        let file = package.join("budgets.toml");
        file::write_if_other(&file, &self.rules.text)?;
        let accepted = (self.root.join("budgets.lock"), package.join("budgets.lock"), true);
        let mut above = self.root.ancestors().enumerate();
        // The lock file is that of the workspace, which may be above the package.
        let lock = above.find(|(_, directory)| directory.join("Cargo.lock").is_file());
        let lock = lock.and_then(|(levels, directory)| {
            let in_checkout = self.beside.above(levels)?;
            Some((directory.join("Cargo.lock"), in_checkout.join("Cargo.lock"), false))
        });
        for (from, to, replaces) in [Some(accepted), lock].into_iter().flatten() {
            let is_same = || fs::read(&from).is_ok_and(|known| fs::read(&to).ok() == Some(known));
            if from.is_file() && (replaces && !is_same() || !to.exists()) {
                fs::copy(&from, &to).map_err(|e| Failure::io("write", &to, &e))?;
            }
        }
        Ok(())
    }
}

/// Returns the end of a file.
fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// Returns from an output why nothing was measured: the line of the command itself, the first error of a build, or else the
/// last error or line.
fn reason(printed: &str) -> String {
    let compared = printed.lines().find_map(|line| line.split_once(NOT_COMPARED));
    if let Some((_, why)) = compared {
        return format!("its base cannot be compared with: {}", why.trim());
    }
    let error = |line: &&str| line.starts_with("error");
    if printed.contains("could not compile") {
        let first = printed.lines().find(error).unwrap_or("error");
        return format!("it does not build: {first}");
    }
    let last = printed
        .lines()
        .rfind(error)
        .or_else(|| printed.lines().rfind(|line| !line.trim().is_empty()));
    last.map_or_else(
        || "nothing was said".to_owned(),
        |line| line.trim_start_matches("error: ").to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_first_error_of_a_build_and_else_the_last() {
        let check = |printed: &str, want: &str| assert_eq!(reason(printed), want);
        check(
            "error[E0425]: cannot find value `oops`\nerror: could not compile `x`\nerror: failed to build\n",
            "it does not build: error[E0425]: cannot find value `oops`",
        );
        check("error: a\nerror: b\n\n", "b");
        check("gone\n\n", "gone");
        check("", "nothing was said");
        check(
            "warning: nothing was compared with the base: no disk; the other limits were judged\n",
            "its base cannot be compared with: no disk; the other limits were judged",
        );
    }
}
