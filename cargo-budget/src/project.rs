//! The project that the command runs in, and the paths of its budgets, its outcomes and its accepted values.

use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, Budgets};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;

use crate::failure::Failure;
use crate::progress::Progress;

/// The variable that names another directory for results. The harness reads it too.
const DIRECTORY: &str = "PERF_BUDGET_DIR";

/// A directory with a `budgets.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The directory of `budgets.toml`.
    pub(crate) root: PathBuf,
    /// The package that it belongs to; `None` where no Cargo.toml beside it names one.
    package: Option<String>,
    /// The file with the budgets, where that is not the `budgets.toml` of the directory.
    file: Option<PathBuf>,
}

impl Project {
    /// Returns the project of the current directory.
    pub(crate) fn here() -> Result<Project, Failure> {
        Project::find(Path::new("."))
    }

    /// Returns the project that `start` is in: the nearest directory upwards with a `budgets.toml`.
    pub(crate) fn find(start: &Path) -> Result<Project, Failure> {
        let start = std::path::absolute(start).map_err(|e| Failure::io("resolve", start, &e))?;
        let found = start.ancestors().find(|dir| dir.join("budgets.toml").is_file());
        let project =
            |root: &Path| Project { root: root.to_owned(), package: package(root), file: None };
        found.map(project).ok_or_else(|| {
            Failure::usage(format!(
                "there is no budgets.toml in `{}` or above it; `cargo budget init` writes one",
                start.display()
            ))
        })
    }

    /// Returns the path of `budgets.toml`.
    pub(crate) fn file(&self) -> PathBuf {
        self.file.clone().unwrap_or_else(|| self.root.join("budgets.toml"))
    }

    /// Returns the workspace that the current directory is in, as a project that needs no `budgets.toml`.
    pub(crate) fn workspace() -> Result<Project, Failure> {
        let metadata = crate::child::metadata(Path::new("."));
        let mut metadata = metadata;
        let described = metadata
            .no_deps()
            .exec()
            .map_err(|e| Failure::usage(format!("cargo failed to describe this project: {e}")))?;
        let root = described.workspace_root.into_std_path_buf();
        Ok(Project { package: package(&root), root, file: None })
    }

    /// Returns the project with its budgets in another file.
    pub(crate) fn with_file(self, file: PathBuf) -> Project {
        Project { file: Some(file), ..self }
    }

    /// Reads and checks the budgets.
    pub(crate) fn budgets(&self) -> Result<Budgets, Failure> {
        Ok(budget::load(&self.file())?)
    }

    /// Returns the directory for results: `target/budgets` of the workspace, which may be above the package.
    pub(crate) fn results(&self) -> PathBuf {
        if let Some(set) = std::env::var_os(DIRECTORY) {
            return PathBuf::from(set);
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").map(|set| self.root.join(set));
        let mut near = self.root.ancestors().map(|dir| dir.join("target"));
        let marked = near.find(|target| target.join("CACHEDIR.TAG").is_file());
        target.or(marked).unwrap_or_else(|| self.root.join("target")).join("budgets")
    }

    /// Returns the path of `outcomes.jsonl`.
    pub(crate) fn record(&self) -> PathBuf {
        self.results().join("outcomes.jsonl")
    }

    /// Returns the outcomes of the last recorded run in the order in which they were reached: the last outcome of each
    /// test.
    pub(crate) fn last_run(&self, progress: Progress) -> Result<Vec<Outcome>, Failure> {
        let path = self.record();
        let _work = progress.busy("reading outcomes");
        if !path.exists() {
            return Err(Failure::unmeasured(format!(
                "no outcomes are recorded in `{}`; run `cargo test --release` first",
                path.display()
            )));
        }
        let all = record::read(&path)?;
        if all.is_empty() {
            return Err(Failure::unmeasured(format!(
                "there is no outcome in `{}`: the run ended before its first test did; run the tests again",
                path.display()
            )));
        }
        let own = self.own(all);
        if own.is_empty() {
            return Err(Failure::unmeasured(format!(
                "`{}` only has outcomes of other packages; run `cargo test --release` in `{}` first",
                path.display(),
                self.root.display()
            )));
        }
        Ok(last_run(own))
    }

    /// Returns those outcomes that belong to this project. A workspace has one record for all of its packages.
    pub(crate) fn own(&self, outcomes: Vec<Outcome>) -> Vec<Outcome> {
        let other = |outcome: &Outcome| {
            let package = &outcome.run.package;
            self.package.as_ref().is_some_and(|own| !package.is_empty() && package != own)
        };
        outcomes.into_iter().filter(|outcome| !other(outcome)).collect()
    }
}

/// Returns the name of the package whose Cargo.toml is in a directory.
pub(crate) fn package(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let manifest = toml_edit::Document::parse(text).ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

/// Returns the outcomes of the last run among those of several runs.
pub(crate) fn last_run(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let Some(last) = outcomes.last().map(|outcome| outcome.run.id.clone()) else {
        return Vec::new();
    };
    let mut of_run: Vec<Outcome> = Vec::new();
    for outcome in outcomes.into_iter().filter(|outcome| outcome.run.id == last) {
        match of_run.iter_mut().find(|known| known.test == outcome.test) {
            Some(known) => *known = outcome,
            None => of_run.push(outcome),
        }
    }
    of_run
}
