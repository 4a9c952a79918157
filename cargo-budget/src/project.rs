//! The project that the command runs in, and the paths of its budgets, its outcomes and its accepted values.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::Budgets;
use perf_budget_core::budget::environment::EnvironmentFacts;
use perf_budget_core::outcome::{Outcome, Run};
use perf_budget_core::record::{self, Record};
use perf_budget_core::{budget, paths};

use crate::clock;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::runs::{judged_nothing, last_run, latest};

/// The directory of the harness for a project without budgets, below the directory with results.
pub(crate) const HARNESS: &str = "harness";
/// The directory below [`HARNESS`] with the outcomes from which `init --limits` derives first limits. They are not results of
/// the project.
pub(crate) const MEASURED: &str = "measured";

/// A directory with a `budgets.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The directory of `budgets.toml`.
    pub(crate) root: PathBuf,
    /// The package that it belongs to; `None` if no Cargo.toml in the directory names one.
    package: Option<String>,
    /// The file with the budgets, where that is not the `budgets.toml` of the directory.
    file: Option<PathBuf>,
    /// The name that runs record for this checkout and its file.
    checkout: String,
}

impl Project {
    /// Returns the project of the current directory.
    pub(crate) fn current() -> Result<Project, Failure> {
        Project::find(Path::new("."))
    }

    /// Returns the project in a directory, with its budgets in `file` or in the `budgets.toml` there.
    fn new(root: &Path, file: Option<PathBuf>) -> Project {
        let budgets = file.clone().unwrap_or_else(|| root.join("budgets.toml"));
        Project {
            root: root.to_owned(),
            package: package(root),
            checkout: paths::checkout(root, &budgets),
            file,
        }
    }

    /// Returns the project that `start` is in: the nearest directory upwards with a `budgets.toml`.
    pub(crate) fn find(start: &Path) -> Result<Project, Failure> {
        let start = std::path::absolute(start).map_err(|e| Failure::io("resolve", start, &e))?;
        let found = start.ancestors().find(|dir| dir.join("budgets.toml").is_file());
        let project = |root: &Path| Project::new(root, None);
        found.map(project).ok_or_else(|| {
            let mut named = start.ancestors().map(|dir| dir.join("budgets.toml"));
            if let Some(other) = named.find(|path| path.symlink_metadata().is_ok()) {
                return Failure::usage(format!(
                    "`{}` is there, and is not a file that can be read; put a file with budgets in its place",
                    other.display()
                ));
            }
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

    /// Returns the project with its budgets in the file that a test target reads.
    pub(crate) fn reading(&self, file: &Path) -> Project {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (file, root) = (whole(file), whole(&self.root));
        if file == whole(&self.file()) {
            return self.clone();
        }
        // Cargo may have given the target another path of the package, such as one through a link.
        let below = file.strip_prefix(&root).map(|below| self.root.join(below));
        self.with_file(below.unwrap_or(file))
    }

    /// Returns the path of the file with the budgets in another checkout of the package. A file among the results is made by
    /// the command, and no checkout has it; there it is `budgets.toml`.
    pub(crate) fn file_in(&self, package: &Path) -> PathBuf {
        let file = self.file();
        let below =
            file.strip_prefix(&self.root).ok().filter(|_| !file.starts_with(self.results()));
        package.join(below.unwrap_or(Path::new("budgets.toml")))
    }

    /// Returns the workspace that the current directory is in, as a project that needs no `budgets.toml`.
    pub(crate) fn workspace() -> Result<Project, Failure> {
        let described = crate::child::metadata(Path::new("."))
            .no_deps()
            .exec()
            .map_err(|e| Failure::usage(format!("cargo failed to describe this project: {e}")))?;
        Ok(Project::new(described.workspace_root.as_std_path(), None))
    }

    /// Returns the project that `start` is in, to show its runs. If there is no `budgets.toml`, it is the workspace with the
    /// budgets of `check --benches`, if that has run.
    pub(crate) fn recorded(start: &Path) -> Result<Project, Failure> {
        Project::find(start).or_else(|none| {
            let Ok(project) = Project::workspace() else { return Err(none) };
            let file = project.results().join(HARNESS).join("budgets.toml");
            if file.is_file() { Ok(project.with_file(file)) } else { Err(none) }
        })
    }

    /// Returns the project with its budgets in another file.
    pub(crate) fn with_file(&self, file: PathBuf) -> Project {
        Project::new(&self.root, Some(file))
    }

    /// Whether this is the project's file with budgets, by the name that a run has recorded.
    pub(crate) fn is_file_of(&self, recorded: &str) -> bool {
        let same = |path: PathBuf| path.canonicalize().ok() == self.file().canonicalize().ok();
        self.root.ancestors().map(|dir| dir.join(recorded)).any(|path| path.is_file() && same(path))
    }

    /// Reads and checks the budgets.
    pub(crate) fn budgets(&self) -> Result<Budgets, Failure> {
        Ok(budget::load(&self.file())?)
    }

    /// Reads and checks the budgets, in the environment that these outcomes were judged in.
    pub(crate) fn budgets_of(&self, outcomes: &[Outcome]) -> Result<Budgets, Failure> {
        let newest = outcomes.iter().max_by_key(|outcome| outcome.run.began);
        let Some(newest) = newest else { return self.budgets() };
        self.budgets_in(newest.run.environment.as_deref())
    }

    /// Reads and checks the budgets as they are in the environment of this name, or without one.
    pub(crate) fn budgets_in(&self, environment: Option<&str>) -> Result<Budgets, Failure> {
        Ok(budget::load_in(&self.file(), &EnvironmentFacts::of_record(environment))?)
    }

    /// Returns the directory with the results of the project's last run. Only the run knew that directory; unless it is
    /// `target/budgets` of the workspace, the run left a pointer to it.
    pub(crate) fn results(&self) -> PathBuf {
        if let Some(set) = paths::from_environment() {
            return self.root.join(set);
        }
        let places = self.places();
        let began = |place: &paths::Place| self.last_run_start(place);
        let default = paths::default(&self.root);
        match &places[..] {
            [] => default,
            [only] => only.results.clone(),
            // If two runs began in the same second, the one of the nearer directory comes first.
            _ => {
                let newest = places.iter().rev().max_by_key(|place| began(place));
                newest.map_or(default, |place| place.results.clone())
            }
        }
    }

    /// Returns the directories that may have results of the project.
    fn places(&self) -> Vec<paths::Place> {
        let mut places = paths::places(&self.root, &self.checkout);
        let measured = Path::new(HARNESS).join(MEASURED);
        places.retain(|place| !place.results.ends_with(&measured));
        // A run that could not leave a pointer used the variable that is still set.
        if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
            places.push(paths::Place {
                results: self.root.join(target).join("budgets"),
                began: None,
            });
        }
        places
    }

    /// Returns when the last run of the project in a directory began.
    fn last_run_start(&self, place: &paths::Place) -> Option<u64> {
        let record = paths::record(&place.results);
        let run = record::last_run(&record, |run| self.is_own(run));
        run.map(|run| run.began).or(place.began)
    }

    /// Refuses to say which of several results are the newest, if some were recorded at a time that is later than now, or cannot be
    /// read.
    fn can_tell_newest(&self) -> Result<(), Failure> {
        if paths::from_environment().is_some() {
            return Ok(());
        }
        let all = self.places();
        all.iter().try_for_each(|place| can_be_read(&paths::record(&place.results)))?;
        let began = |place: paths::Place| Some((self.last_run_start(&place)?, place.results));
        let places: Vec<_> = all.into_iter().filter_map(began).collect();
        if places.iter().all(|place| place.1 == places[0].1) {
            return Ok(());
        }
        let now = clock::now();
        let ahead = places.iter().find(|place| clock::is_ahead(place.0, now));
        let Some((_, results)) = ahead else { return Ok(()) };
        Err(Failure::unmeasured(format!(
            "the run in `{}` was recorded at a time that is later than now, so it cannot be told which results are the \
             newest; the clock was set: run the tests again and remove the older results, or name the right ones by \
             {}",
            results.display(),
            paths::DIRECTORY
        )))
    }

    /// Returns the path of `outcomes.jsonl`.
    pub(crate) fn record(&self) -> PathBuf {
        paths::record(&self.results())
    }

    /// Returns the records that exist in the places where the next run may write.
    pub(crate) fn records(&self) -> Vec<PathBuf> {
        let places = self.places().into_iter().map(|place| place.results);
        let mut records: Vec<PathBuf> =
            places.chain([self.results()]).map(|results| paths::record(&results)).collect();
        records.retain(|record| record.is_file());
        records.sort();
        records.dedup();
        records
    }

    /// Reads a record, without the entries of other projects.
    pub(crate) fn read_record(&self, path: &Path) -> Result<Record, Failure> {
        let mut record = record::read(path)?;
        let runs = record.begun.iter().map(|begun| &begun.run);
        let mut runs = runs.chain(record.outcomes.iter().map(|outcome| &outcome.run));
        // A directory that the user names may come from another machine, on which the project had another path.
        let is_brought = paths::from_environment().is_some() && !runs.any(|run| self.is_own(run));
        let is_own =
            |run: &Run| if is_brought { self.is_of_package(run) } else { self.is_own(run) };
        record.outcomes.retain(|outcome| is_own(&outcome.run));
        record.begun.retain(|begun| is_own(&begun.run));
        // Budgets whose file was deleted are no longer judged. A file among the results belongs to `check --benches`, and
        // not to this project.
        let is_foreign = |file: &Path| {
            self.file.is_none() && path.parent().is_some_and(|results| file.starts_with(results))
        };
        let mut known = HashMap::new();
        let mut exists = |file: &String| {
            let mut files = self.root.ancestors().map(|dir| dir.join(file));
            let look = || files.any(|file| file.is_file() && !is_foreign(&file));
            file.is_empty() || *known.entry(file.clone()).or_insert_with(look)
        };
        record.outcomes.retain(|outcome| exists(&outcome.file));
        record.begun.retain(|begun| exists(&begun.file));
        Ok(record)
    }

    /// Returns the outcomes of the last recorded run in the order in which they were reached: the last outcome of each
    /// test.
    pub(crate) fn last_run(&self, progress: Progress) -> Result<Vec<Outcome>, Failure> {
        Ok(last_run(&self.read(progress)?))
    }

    /// Returns the last outcome of each test, from the last run of all tests and the runs after it. So a later run of some
    /// tests, such as one that the advice "run it alone" asks for, does not hide the outcomes of the others.
    pub(crate) fn latest(&self, progress: Progress) -> Result<Vec<Outcome>, Failure> {
        Ok(latest(&self.read(progress)?))
    }

    /// Returns the entries of this project in the project's record.
    pub(crate) fn read(&self, progress: Progress) -> Result<Record, Failure> {
        let _work = progress.busy("reading outcomes");
        self.runs(&self.record())
    }

    /// Returns the entries of this project in a record.
    ///
    /// # Errors
    /// If there is no run, if the last one judged nothing, or if it is not certain which run is the last.
    pub(crate) fn runs(&self, path: &Path) -> Result<Record, Failure> {
        self.can_tell_newest()?;
        let shown = path.display();
        if !path.exists() {
            return Err(Failure::unmeasured(format!(
                "no outcomes are recorded in `{shown}`; run `cargo test --release` first"
            )));
        }
        if !path.is_file() && !path.is_dir() {
            return Err(Failure::unmeasured(format!(
                "`{shown}` is not a file, and reading it might never end; remove it, and run the tests again"
            )));
        }
        let record = self.read_record(path)?;
        if path.metadata().is_ok_and(|data| data.len() == 0) {
            return Err(Failure::unmeasured(format!(
                "there is no outcome in `{shown}`: the run ended before its first test did; run the tests again"
            )));
        }
        if let Some(nothing) = judged_nothing(&record) {
            return Err(nothing);
        }
        if record.outcomes.is_empty() {
            return Err(Failure::unmeasured(format!(
                "`{shown}` has outcomes of other projects only; run `cargo test --release` first"
            )));
        }
        Ok(record)
    }

    /// Whether a run is one of this project. An older record has only the name of the package. Projects that share a target
    /// directory also share the file of `check --benches` there, so such a run must be of the same package too.
    pub(crate) fn is_own(&self, run: &Run) -> bool {
        let is_here = run.checkout == self.checkout;
        let is_known = !run.checkout.is_empty() && self.file.is_none();
        if is_known {
            is_here
        } else {
            self.is_of_package(run) && (run.checkout.is_empty() || is_here)
        }
    }

    /// Whether a run is one of the project's package, wherever it was.
    fn is_of_package(&self, run: &Run) -> bool {
        let other = |own: &String| !run.package.is_empty() && run.package != *own;
        !self.package.as_ref().is_some_and(other)
    }
}

/// Returns the name of the package whose Cargo.toml is in a directory.
pub(crate) fn package(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let manifest = toml_edit::Document::parse(text).ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

/// Fails if a record is there and cannot be read: it may be that of the last run, and an older one elsewhere is no answer.
fn can_be_read(record: &Path) -> Result<(), Failure> {
    let why = match record.metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(());
        }
        Err(error) => error.to_string(),
        Ok(data) if !data.is_file() => "it is not a file".to_owned(),
        Ok(_) => match File::open(record) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        },
    };
    Err(Failure::unmeasured(format!(
        "failed to read `{}`: {why}; it may be the record of the last run, so it cannot be told which results are the newest: remove it, \
         or name the right results by {}",
        record.display(),
        paths::DIRECTORY
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_the_name_of_the_file_is_not_taken_for_a_missing_file() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("budgets.toml")).unwrap();
        let text = Project::find(place.path()).unwrap_err().text;
        assert!(text.contains("budgets.toml` is there, and is not a file"), "{text}");
    }

    #[test]
    fn the_file_of_a_target_is_at_the_same_place_in_another_checkout() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        std::fs::create_dir(root.join("limits")).unwrap();
        for name in ["budgets.toml", "limits/second.toml"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let project = Project::find(root).unwrap();
        let at = |named: &str| {
            let project = project.reading(&root.join("tests/..").join(named));
            (project.file(), project.file_in(Path::new("/base")))
        };
        std::fs::create_dir(root.join("tests")).unwrap();
        for name in ["budgets.toml", "limits/second.toml"] {
            assert_eq!(at(name), (project.root.join(name), Path::new("/base").join(name)));
        }
    }
}
