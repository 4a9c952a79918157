//! The preparation of a search, before its first comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use perf_budget_core::fnv;
use perf_budget_core::outcome::Outcome;

use super::locked::Locked;
use super::options::Options;
use super::range::{self, Range};
use super::rules::Rules;
use super::toolchains::Toolchains;
use crate::base::TemporaryWorkTree;
use crate::child;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs::latest;
use crate::text::short;

/// Returns the command that prepares each checkout of the good commit. It is the user's command; if the good commit does not
/// have the budget yet, it also copies the rules there, because the harness of that commit must know the budget's name.
pub(super) fn prepare(
    project: &Project,
    range: &Range,
    rules: &Rules,
    beside: &TemporaryWorkTree,
    own: Option<&str>,
) -> Result<Option<String>, Failure> {
    let own = own.map(str::to_owned);
    let before = crate::git::Repository::containing(&project.root)?.budgets(&range.good)?;
    let Some(before) = before.filter(|_| rules.is_compared) else { return Ok(own) };
    let known = perf_budget_core::budget::parse(&before, Path::new("budgets.toml"));
    // If today's rules cannot read the file, its names are not checked.
    if known.is_ok_and(|file| file.budgets.iter().all(|budget| budget.name != rules.budget)) {
        let path = beside.results.join("rules.toml");
        std::fs::write(&path, &rules.text).map_err(|e| Failure::io("write", &path, &e))?;
        let copy = child::copy_line(&path, "budgets.toml");
        return Ok(Some(own.map_or(copy.clone(), |own| format!("{copy} && {own}"))));
    }
    Ok(own)
}

/// Returns the packages that differ between the lock files of both ends of a range. The inner error says why there are none.
pub(super) fn locked(
    project: &Project,
    range: &Range,
    beside: &TemporaryWorkTree,
) -> Result<Result<Locked, String>, Failure> {
    let mut above = project.root.ancestors().enumerate();
    let found = above.find(|(_, directory)| directory.join("Cargo.lock").is_file());
    let path = found
        .and_then(|(levels, _)| {
            let directory = beside.above(levels)?;
            Some(directory.strip_prefix(&beside.top).ok()?.join("Cargo.lock"))
        })
        .unwrap_or_else(|| PathBuf::from("Cargo.lock"));
    let bad = range.commits.last().unwrap_or(&range.good);
    let text = |commit| range::file_at(&project.root, commit, &path);
    let (before, now) = (text(&range.good)?, text(bad)?);
    let shown = path.display().to_string();
    let (Some(before), Some(now)) = (&before, &now) else {
        let without = short(if before.is_none() { &range.good } else { bad });
        return Ok(Err(format!(
            "`{shown}` is not in git at {without}, so both are built with the versions of now"
        )));
    };
    let locked = Locked::new([&range.good, bad], path, [before, now])?;
    if locked.changed.is_empty() {
        let ends = (short(&range.good), short(bad));
        let words = format!("no package of `{shown}` differs between {} and {}", ends.0, ends.1);
        return Ok(Err(words));
    }
    Ok(Ok(locked))
}

/// Returns the tests that were red in the last runs. A record that cannot be read is not a failure here, since the search
/// can do without it.
pub(super) fn reds(project: &Project) -> BTreeSet<String> {
    let record = project.record();
    let record = record.is_file().then(|| project.read_record(&record).ok()).flatten();
    let red = record.map(|record| latest(&record)).unwrap_or_default();
    red.into_iter().filter(Outcome::is_red).map(|outcome| outcome.test).collect()
}

/// Returns everything that the answers of a search depend on.
pub(super) fn identity(
    project: &Project,
    options: &Options<'_>,
    rules: &Rules,
    range: &Range,
    toolchains: Option<&Toolchains>,
) -> String {
    let mut rustc = child::program("rustc");
    let rustc = child::output(rustc.arg("-vV").current_dir(&project.root));
    let rustc = rustc.map(|output| output.stdout).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let Options { alpha, effort, prepare, layouts, target, lock, .. } = options;
    let is_flag = |name: &str| {
        ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].contains(&name)
            || ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_"]
                .iter()
                .any(|own| name.starts_with(own))
    };
    let flags: BTreeMap<_, _> =
        std::env::vars_os().filter(|(name, _)| is_flag(&name.to_string_lossy())).collect();
    // Git may not track these files.
    let files = ["budgets.lock", ".cargo/config.toml", ".cargo/config"];
    let files =
        files.map(|file| std::fs::read(project.root.join(file)).ok().map(|text| fnv::name(&text)));
    format!(
        "{version} {rules:?} {range:?} {alpha} {effort:?} {prepare:?} {layouts:?} {target:?} {lock} {toolchains:?} {} {flags:?} {files:?} {}",
        project.root.display(),
        String::from_utf8_lossy(&rustc)
    )
}
