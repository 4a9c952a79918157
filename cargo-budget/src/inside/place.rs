//! Where the files of a budget on artifacts are: in the package, or among what cargo has built of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use perf_budget::budget::{Budget, Subject};
use perf_budget::subject::artifact;

use super::Inside;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// Of so many files of an artifact it is said what is inside.
pub(crate) const FILES: usize = 3;

/// A revision's files.
pub(crate) struct Place {
    /// Its package.
    pub(crate) root: PathBuf,
    /// What cargo has built of it.
    pub(crate) built: PathBuf,
}

/// What is inside the first files of each budget on artifacts, by the budget's name. What cannot be looked into now
/// is left out: it was measured before, and this says more of it where it can.
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
    /// The project's own.
    pub(crate) fn of(project: &Project, profile: &str) -> Place {
        let results = project.results();
        let target = results.parent().unwrap_or(&project.root);
        Place { root: project.root.clone(), built: target.join(profile) }
    }

    /// The files of a budget on artifacts, of all its cases.
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
        artifact::files(&filled, &self.root).map_err(|why| Failure::unmeasured(why.to_string()))
    }

    /// What a file is called here, whichever revision's it is.
    pub(crate) fn name(&self, path: &Path) -> String {
        let built =
            path.strip_prefix(&self.built).map(|rest| format!("{{built}}/{}", rest.display()));
        let own = || path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        built.unwrap_or_else(|_| own())
    }

    /// Where a file of that name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match name.strip_prefix("{built}/") {
            Some(rest) => self.built.join(rest),
            None => self.root.join(name),
        }
    }
}
