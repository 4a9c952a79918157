//! What a search needs before its first comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;

use super::asked::Asked;
use super::locked::Locked;
use super::range::{self, Range};
use super::rules::Rules;
use crate::base::Beside;
use crate::child;
use crate::failure::Failure;
use crate::project::{Project, latest};

/// Returns the command that prepares each checkout of the good commit: the user's, and where the good commit does not have
/// the budget yet, one that puts the rules there, as its own harness must know the name.
pub(super) fn prepare(
    project: &Project,
    range: &Range,
    rules: &Rules,
    beside: &Beside,
    own: Option<&str>,
) -> Result<Option<String>, Failure> {
    let own = own.map(str::to_owned);
    let before = crate::git::Repository::of(&project.root)?.budgets(&range.good)?;
    let Some(before) = before.filter(|_| rules.is_compared) else { return Ok(own) };
    let known = perf_budget_core::budget::parse(&before, Path::new("budgets.toml"));
    // A file that today's rules cannot read is not asked for its names.
    if known.is_ok_and(|file| file.budgets.iter().all(|budget| budget.name != rules.budget)) {
        let path = beside.results.join("rules.toml");
        std::fs::write(&path, &rules.text).map_err(|e| Failure::io("write", &path, &e))?;
        let copy = child::copy(&path, "budgets.toml");
        return Ok(Some(own.map_or(copy.clone(), |own| format!("{copy} && {own}"))));
    }
    Ok(own)
}

/// Returns what differs in the lock files of both ends of a range.
pub(super) fn locked(project: &Project, range: &Range, beside: &Beside) -> Result<Locked, Failure> {
    let mut above = project.root.ancestors().enumerate();
    let found = above.find(|(_, directory)| directory.join("Cargo.lock").is_file());
    let path = found
        .and_then(|(levels, _)| {
            let directory = beside.above(levels)?;
            Some(directory.strip_prefix(&beside.top).ok()?.join("Cargo.lock"))
        })
        .unwrap_or_else(|| PathBuf::from("Cargo.lock"));
    let bad = range.commits.last().unwrap_or(&range.good);
    let [before, now] =
        [&range.good, bad].map(|commit| range::file_at(&project.root, commit, &path));
    let locked = Locked::new([&range.good, bad], path.clone(), [&before?, &now?])?;
    if locked.changed.is_empty() {
        return Err(Failure::usage(format!(
            "no package of `{}` differs between {} and {bad}, so none of them did it; leave `--lock` out",
            path.display(),
            range.good
        )));
    }
    Ok(locked)
}

/// Returns the tests that are red as far as the last runs say. A record that cannot be read says nothing, and is not
/// what is asked for here.
pub(super) fn reds(project: &Project) -> BTreeSet<String> {
    let record = project.record();
    let record = record.is_file().then(|| project.read_record(&record).ok()).flatten();
    let red = record.map(|record| latest(&record)).unwrap_or_default();
    red.into_iter().filter(Outcome::is_red).map(|outcome| outcome.test).collect()
}

/// Returns everything that the answers of a search depend on.
pub(super) fn identity(
    project: &Project,
    asked: &Asked<'_>,
    rules: &Rules,
    range: &Range,
) -> String {
    let mut rustc = child::program("rustc");
    let rustc = rustc.arg("-vV").current_dir(&project.root).output();
    let rustc = rustc.map(|output| output.stdout).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let Asked { alpha, prepare, layouts, target, lock, .. } = asked;
    format!(
        "{version} {rules:?} {range:?} {alpha} {prepare:?} {layouts:?} {target:?} {lock} {} {:?} {}",
        project.root.display(),
        std::env::var_os("RUSTFLAGS"),
        String::from_utf8_lossy(&rustc)
    )
}
