//! The files of a budget on artifacts: in the package, or among what cargo has built of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{Budget, Subject};
use perf_budget_core::files;

use super::Inside;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// The number of files of an artifact whose contents are shown.
pub(crate) const FILES: usize = 3;

/// The directories in which the files of one revision are.
pub(crate) struct Place {
    /// The directory of the package.
    pub(crate) root: PathBuf,
    /// The directory of what cargo has built.
    pub(crate) built: PathBuf,
}

/// Returns the contents of the largest files of each budget on artifacts, by the budget's name. A file that cannot be
/// read now is left out, since the contents are only additional information on what was measured.
pub(crate) fn by_budget(
    project: &Project,
    profile: &str,
    progress: Progress,
) -> BTreeMap<String, Vec<(String, Inside)>> {
    let place = Place::of(project, profile);
    let mut found = BTreeMap::new();
    let mut budgets = project.budgets().map(|file| file.budgets).unwrap_or_default();
    budgets.retain(|budget| matches!(budget.subject, Subject::Artifact(_)));
    let work = progress.count("looking into", "artifacts", budgets.len());
    for budget in budgets {
        let Subject::Artifact(patterns) = &budget.subject else { continue };
        let files = place.files(&budget, patterns).unwrap_or_default();
        let inside = files.iter().take(FILES).filter_map(|path| {
            let name = path.strip_prefix(&place.root).unwrap_or(path).display().to_string();
            Some((name, Inside::of(path).ok()??))
        });
        found.insert(budget.name.clone(), inside.collect());
        work.step();
    }
    found
}

impl Place {
    /// Returns the directories of the project itself.
    pub(crate) fn of(project: &Project, profile: &str) -> Place {
        let results = project.results();
        let target = results.parent().unwrap_or(&project.root);
        Place { root: project.root.clone(), built: target.join(profile) }
    }

    /// Returns the files of a budget on artifacts, for all its cases, the largest first.
    pub(crate) fn files(
        &self,
        budget: &Budget,
        patterns: &[String],
    ) -> Result<Vec<PathBuf>, Failure> {
        let mut filled = Vec::new();
        for case in &budget.cases {
            for pattern in patterns {
                let pattern = case.fill(pattern);
                filled.push(
                    match pattern.strip_prefix("{bin:").and_then(|rest| rest.split_once('}')) {
                        Some((name, rest)) => {
                            self.built.join(format!("{name}{rest}")).display().to_string()
                        }
                        None => pattern,
                    },
                );
            }
        }
        let mut files = files::find(&filled, &self.root)
            .map_err(|why| Failure::unmeasured(why.to_string()))?
            .files;
        files.sort_by_cached_key(|file| std::cmp::Reverse(file.bytes));
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    /// Returns the name of a file, which is the same for every revision.
    pub(crate) fn name(&self, path: &Path) -> String {
        let built =
            path.strip_prefix(&self.built).map(|rest| format!("{{built}}/{}", rest.display()));
        let own = || path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        built.unwrap_or_else(|_| own())
    }

    /// Returns the path of the file with that name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match name.strip_prefix("{built}/") {
            Some(rest) => self.built.join(rest),
            None => self.root.join(name),
        }
    }
}
