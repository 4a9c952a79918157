//! Where the files of a budget on artifacts are: in the package, or where the gate left what it built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, Budget, Subject};
use perf_budget_core::build::{self, Built, Product};
use perf_budget_core::files;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::Inside;
use crate::base::Base;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// Of so many files of an artifact it is said what is inside.
pub(crate) const FILES: usize = 3;

/// A revision's files.
pub(crate) struct Place<'a> {
    project: &'a Project,
    /// The other revision; `None`: the project's own.
    base: Option<Base>,
}

/// A file of an artifact.
pub(crate) struct Part {
    /// What it is called, whichever revision's it is.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// What is inside the first files of each budget on artifacts, by the budget's name. What cannot be looked into now
/// is left out: it was measured before, and this says more of it where it can.
pub(crate) fn by_budget(
    project: &Project,
    progress: Progress,
) -> BTreeMap<String, Vec<(String, Inside)>> {
    let place = Place::of(project);
    let mut found = BTreeMap::new();
    let mut budgets = project.budgets().map(|file| file.budgets).unwrap_or_default();
    budgets.retain(|budget| matches!(budget.subject, Subject::Artifact(_)));
    let work = progress.count("looking into", "artifacts", budgets.len());
    for budget in budgets {
        let Subject::Artifact(patterns) = &budget.subject else { continue };
        let files = place.files(&budget, patterns).unwrap_or_default();
        let inside = files.iter().take(FILES).filter_map(|part| {
            let name = part.path.strip_prefix(&project.root).unwrap_or(&part.path);
            Some((name.display().to_string(), Inside::of(&part.path).ok()??))
        });
        found.insert(budget.name.clone(), inside.collect());
        work.step();
    }
    found
}

impl<'a> Place<'a> {
    /// The project's own, as its last run left them.
    pub(crate) fn of(project: &'a Project) -> Place<'a> {
        Place { project, base: None }
    }

    /// Those of another revision, built as the gate builds them.
    pub(crate) fn of_base(project: &'a Project, base: Base) -> Place<'a> {
        Place { project, base: Some(base) }
    }

    fn root(&self) -> &Path {
        self.base.as_ref().map_or(&self.project.root, |base| &base.root)
    }

    /// The files of a budget on artifacts, of all its cases, the largest first.
    pub(crate) fn files(&self, budget: &Budget, patterns: &[String]) -> Result<Vec<Part>, Failure> {
        let failed = |why: Unmeasured| Failure::unmeasured(why.to_string());
        let mut parts = Vec::new();
        for case in &budget.cases {
            self.make(&budget.build, &|text| case.fill(text)).map_err(failed)?;
            for pattern in patterns {
                let pattern = case.fill(pattern);
                let (path, _) = build::expand(&pattern, &budget.build, &mut |of| self.product(&of))
                    .map_err(failed)?;
                let found = files::find(&[path], self.root()).map_err(failed)?.files;
                parts.extend(
                    found.into_iter().map(|file| (file.bytes, self.part(&pattern, file.path))),
                );
            }
        }
        parts.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        Ok(parts.into_iter().map(|(_, part)| part).collect())
    }

    fn part(&self, pattern: &str, path: PathBuf) -> Part {
        let name = if build::names_a_target(pattern) {
            let own = path.file_name().unwrap_or_default().to_string_lossy();
            format!("{pattern} ({own})")
        } else {
            path.strip_prefix(self.root()).unwrap_or(&path).display().to_string()
        };
        Part { name, path }
    }

    /// Makes what a command of the budget makes, of another revision; the project's own is there.
    fn make(&self, build: &budget::Build, fill: &dyn Fn(&str) -> String) -> Result<(), Unmeasured> {
        if self.base.is_none() {
            return Ok(());
        }
        let mut command = Vec::new();
        for word in &build.command {
            let (word, _) = build::expand(&fill(word), build, &mut |of| self.product(&of))?;
            command.push(word);
        }
        let own = budget::Build { command, ..build.clone() };
        Product::made(&own).map_or(Ok(()), |made| self.product(&made).map(drop))
    }

    /// What was built: of the project by its last run, of another revision now.
    fn product(&self, product: &Product) -> Result<Built, Unmeasured> {
        if let Some(base) = &self.base {
            return base.product(self.project, product);
        }
        let found = build::find(&self.project.results(), &self.project.root, product);
        let path = found.ok_or_else(|| {
            let text =
                "what the last run built is not there any more; run `cargo test --release` again";
            Unmeasured::new(Cause::Missing, text)
        })?;
        Ok(Built { path, note: String::new() })
    }
}
