//! The files of a budget on artifacts: in the package, or in the place where the tests have built them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, Budget, Subject};
use perf_budget_core::build::{self, Built, Product};
use perf_budget_core::files;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::FileContents;
use crate::base::Base;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// The number of files of an artifact whose contents are shown.
pub(crate) const FILES: usize = 3;

/// The place of the files of one revision.
pub(crate) struct Place<'a> {
    project: &'a Project,
    /// The other revision; `None` stands for the project itself.
    base: Option<Base>,
}

/// A file of an artifact.
pub(crate) struct Part {
    /// The name of the file, which is the same for every revision.
    pub(crate) name: String,
    /// The path of the file.
    pub(crate) path: PathBuf,
}

/// Returns the contents of the largest files of each budget on artifacts, by the budget's name. A file that cannot be
/// read now is left out, since the contents are only additional information on what was measured.
pub(crate) fn by_budget(
    project: &Project,
    progress: Progress,
) -> BTreeMap<String, Vec<(String, FileContents)>> {
    let place = Place::of_project(project);
    let mut contents = BTreeMap::new();
    let mut budgets = project.budgets().map(|file| file.budgets).unwrap_or_default();
    budgets.retain(|budget| matches!(budget.subject, Subject::Artifact(_)));
    let work = progress.count("looking into", "artifacts", budgets.len());
    for budget in budgets {
        let Subject::Artifact(patterns) = &budget.subject else { continue };
        let files = place.files(&budget, patterns).unwrap_or_default();
        let inside = files.iter().take(FILES).filter_map(|part| {
            let name = part.path.strip_prefix(&project.root).unwrap_or(&part.path);
            Some((name.display().to_string(), FileContents::read(&part.path).ok()??))
        });
        contents.insert(budget.name.clone(), inside.collect());
        work.step();
    }
    contents
}

impl<'a> Place<'a> {
    /// Returns the place of the project's own files, as its last run left them.
    pub(crate) fn of_project(project: &'a Project) -> Place<'a> {
        Place { project, base: None }
    }

    /// Returns the place of another revision's files, which are built as the gate builds them.
    pub(crate) fn of_base(project: &'a Project, base: Base) -> Place<'a> {
        Place { project, base: Some(base) }
    }

    fn root(&self) -> &Path {
        self.base.as_ref().map_or(&self.project.root, |base| &base.root)
    }

    /// Returns the files of a budget on artifacts, for all its cases, the largest first.
    pub(crate) fn files(&self, budget: &Budget, patterns: &[String]) -> Result<Vec<Part>, Failure> {
        let failed = |why: Unmeasured| Failure::unmeasured(why.to_string());
        let mut parts = Vec::new();
        for case in &budget.cases {
            self.make(&budget.build, &|text| case.fill(text)).map_err(failed)?;
            for pattern in patterns {
                let pattern = case.fill(pattern);
                let (path, _) =
                    build::expand(&pattern, &budget.build, &mut |product| self.product(&product))
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

    /// Runs the build command of the budget in another revision. In the project itself the last run did that already.
    fn make(&self, build: &budget::Build, fill: &dyn Fn(&str) -> String) -> Result<(), Unmeasured> {
        if self.base.is_none() {
            return Ok(());
        }
        let mut command = Vec::new();
        for word in &build.command {
            let (word, _) =
                build::expand(&fill(word), build, &mut |product| self.product(&product))?;
            command.push(word);
        }
        let own = budget::Build { command, ..build.clone() };
        Product::made(&own).map_or(Ok(()), |made| self.product(&made).map(drop))
    }

    /// Returns what was built: by the last run in the project itself, and now in another revision.
    fn product(&self, product: &Product) -> Result<Built, Unmeasured> {
        if let Some(base) = &self.base {
            return base.product(self.project, product);
        }
        let found = build::find(&self.project.results(), &self.project.root, product);
        let path = found.ok_or_else(|| {
            let text =
                "what the last run built is no longer there; run `cargo test --release` again";
            Unmeasured::new(Cause::Missing, text)
        })?;
        Ok(Built { path, note: String::new() })
    }
}
