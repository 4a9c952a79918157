//! `cargo budget diff REV`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use perf_budget_core::budget::environment::EnvironmentFacts;
use perf_budget_core::budget::switches;
use perf_budget_core::budget::{self, Budgets};

use super::output::{print, show};
use super::rendering::document;
use crate::edit::diff::render::Comparison;
use crate::edit::diff::{self, Change};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::git::Repository;
use crate::project::Project;

/// List the limits that were loosened, tightened, added or removed since a revision
///
/// Compares the limits of budgets.toml in the work tree with those at REV; how they are written does not matter. The exit
/// code is 1 if something was loosened, removed or otherwise weakened and no `why` was written or changed with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget diff origin/main
  cargo budget diff HEAD~1 --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  cargo budget diff v1.2.0 --because \"the new format is larger, see #123\"")]
pub(super) struct Diff {
    /// The revision to compare with: a branch, a tag or a commit
    #[arg(value_name = "REV")]
    revision: String,
    /// The format of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Give the reason for every change that weakens the budgets and has no `why` of its own, such as a removed budget
    #[arg(long, value_name = "REASON")]
    because: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request
    Markdown,
}

impl Diff {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        if self.because.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(Failure::usage("the reason after `--because` is empty; give one"));
        }
        let directory =
            std::path::absolute(".").map_err(|e| Failure::io("resolve", Path::new("."), &e))?;
        let project = Project::find(&directory).ok();
        let start = project.as_ref().map_or(&directory, |project| &project.root);
        let mut repository = Repository::containing(start)?;
        let commit = repository.commit(&self.revision)?;
        let mut text = repository.budgets(&commit)?;
        if project.is_none() {
            // The file was removed. It was in this directory or in one above.
            while text.is_none() {
                repository =
                    repository.above().ok_or_else(|| no_file(&directory, &self.revision))?;
                text = repository.budgets(&commit)?;
            }
        }
        let before = |facts: &EnvironmentFacts| {
            let old = |text: &String| old(text, &self.revision, &repository.path(), facts);
            text.as_ref().map(old).transpose()
        };
        let after = |facts: &EnvironmentFacts| {
            let load = |project: &Project| Ok(budget::load_in(&project.file(), facts)?);
            project.as_ref().map(load).transpose()
        };
        let changes = changes(&before, &after)?;
        let comparison = Comparison {
            revision: &self.revision,
            commit: &commit,
            file: &repository.path(),
            unexplained: changes.iter().filter(|change| Change::is_unexplained(change)).count(),
            because: self.because.as_deref(),
            changes: &changes,
        };
        match self.format {
            Format::Text => show(&comparison.text())?,
            Format::Json => document(&comparison.json())?,
            Format::Markdown => print(&comparison.markdown())?,
        }
        let explained = comparison.unexplained == 0 || self.because.is_some();
        Ok(if explained { Exit::Holds } else { Exit::Broken })
    }
}

/// A state of the file in each of its environments.
type State<'s> = &'s dyn Fn(&EnvironmentFacts) -> Result<Option<Budgets>, Failure>;

/// Returns the changes of the file without an environment, the further changes in each environment, and the machines on
/// which another environment is in force.
fn changes(before: State<'_>, after: State<'_>) -> Result<Vec<Change>, Failure> {
    let states = |name: Option<&str>| {
        let facts = EnvironmentFacts::of_record(name);
        Ok::<_, Failure>((before(&facts)?, after(&facts)?))
    };
    let (old, new) = states(None)?;
    let mut changes = diff::compare(old.as_ref(), new.as_ref());
    let all = [&old, &new].into_iter().flatten().flat_map(|file| &file.environments);
    let names: BTreeSet<&String> = all.map(|environment| &environment.name).collect();
    for name in names {
        let (old, new) = states(Some(name))?;
        diff::add_environment(name, diff::compare(old.as_ref(), new.as_ref()), &mut changes);
    }
    if let (Some(old), Some(new)) = (&old, &new) {
        changes.extend(switches((old, new), &states, &changes)?);
    }
    Ok(changes)
}

/// The two states of the file in the environment of this name.
type States<'s> = &'s dyn Fn(Option<&str>) -> Result<(Option<Budgets>, Option<Budgets>), Failure>;

/// Returns on which machines another environment is in force. `known` are the changes that are listed already.
fn switches(
    (old, new): (&Budgets, &Budgets),
    states: States<'_>,
    known: &[Change],
) -> Result<Vec<Change>, Failure> {
    let name = |file: &Budgets, at: Option<usize>| at.map(|at| file.environments[at].name.clone());
    let mut changes = Vec::new();
    for switch in switches::switches(&old.environments, &new.environments) {
        let (before, _) = states(name(old, switch.before).as_deref())?;
        let (old_file, after) = states(name(new, switch.after).as_deref())?;
        if let (Some(before), Some(old), Some(after)) = (before, old_file, after) {
            changes.push(diff::switched(&switch, (&before, &after), &old, known));
        }
    }
    Ok(changes)
}

/// Parses and checks the file as it was at the revision.
fn old(
    text: &str,
    revision: &str,
    path: &str,
    facts: &EnvironmentFacts,
) -> Result<Budgets, Failure> {
    let name = PathBuf::from(format!("{revision}:{path}"));
    budget::parse_in(text, &name, facts).map_err(|e| {
        let text =
            format!("`{path}` is broken at {revision}, so nothing can be compared with it:\n{e}");
        Failure { text, ..Failure::from(e) }
    })
}

/// Returns the failure for a repository that has no budgets.toml in any of the directories.
fn no_file(directory: &Path, revision: &str) -> Failure {
    Failure::usage(format!(
        "there is no budgets.toml in `{}` or above it, neither now nor at {revision}; `cargo budget init` writes one",
        directory.display()
    ))
}
