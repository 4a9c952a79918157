//! The base revision: the builds that this revision is compared with, and what is known about them.
//!
//! `cargo budget check --base` builds the base and passes it to the tests in environment variables. A person can set
//! the same variables by hand.

mod benchmarks;
mod links;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::budget::{self, Budget, Case, Limit, Subject};
use perf_budget_core::build::BenchBuild;
use perf_budget_core::error::Error;
use perf_budget_core::handover::{
    self, BINARIES, DIRECTORY, Details, HEADS, Handover, LINKS, Unchanged, Written,
};
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{BaseRevision, CodeChanges, Proven};

pub(crate) use self::benchmarks::{BaseBenchmarks, Different};
pub(crate) use self::links::Links;
use crate::worker::process::Build;

/// The base revision, as the environment describes it.
#[derive(Debug)]
pub(crate) struct Base {
    /// The base's test binary as cargo builds it, and the directory it runs in. `None` if the base was not built.
    binary: Option<Build>,
    /// The test binaries of both revisions that times are compared with.
    links: Arc<Links>,
    /// The directory of the base's file with budgets, from which their paths start.
    pub(crate) root: PathBuf,
    /// The directory of the base's package, in which its processes run.
    package: PathBuf,
    /// The differences between the environment in which the base's processes run and that of this process: each
    /// variable with its value, or `None` if it is not inherited.
    pub(crate) environment: BTreeMap<String, Option<String>>,
    /// The names of the base's budgets, whether or not they are valid by today's rules. `None` if its `budgets.toml` cannot be read.
    names: Option<HashSet<String>>,
    /// The notes for every comparison with the base.
    pub(crate) notes: Vec<String>,
    /// The notes for every comparison of times with the base.
    pub(crate) link_notes: Vec<String>,
    /// The changes since the base in the code that runs. `None` if they are not known.
    pub(crate) changed: Option<CodeChanges>,
    /// The benchmarks of both revisions, as they were built to be compared. Empty if the command built none.
    benchmarks: Vec<BaseBenchmarks>,
    /// The parts that are proven unchanged, so that they need not be measured. `None` if everything is measured.
    unchanged: Option<Unchanged>,
    /// The parts that are proven unchanged in the builds that times are compared with.
    unchanged_times: Option<Unchanged>,
    /// The copies of both test binaries that show what a workload reaches, and what they prove. `None` if everything is
    /// measured.
    watched: Option<WatchedBuilds>,
    /// Which revision it is. `None` if a person named its binary by hand.
    pub(crate) revision: Option<BaseRevision>,
    /// The longest time that one limit is measured. `None` if nobody waits for it.
    pub(crate) effort: Option<Duration>,
}

/// Copies of both test binaries with a breakpoint in each function from which what differs can be reached.
#[derive(Debug)]
pub(crate) struct WatchedBuilds {
    pub(crate) base: Build,
    pub(crate) head: Build,
    /// The proof for a workload that runs to its end in both.
    pub(crate) proven: Proven,
}

impl Base {
    /// Returns the base that the environment describes, or `None` if it describes none. The base's budgets are expected
    /// in `file`, which is relative to the package, or else in a file of the same name.
    ///
    /// # Errors
    /// If a variable names a file that does not exist, or cannot be understood.
    pub(crate) fn of_environment(file: &Path) -> Result<Option<Base>, Error> {
        let Some(handover) = Handover::from_env(|name| std::env::var_os(name))? else {
            return Ok(None);
        };
        let always = handover::measures_always(|name| std::env::var_os(name))?;
        let benchmarks = handover.details.benchmarks.iter();
        let benchmarks = benchmarks.map(|built| BaseBenchmarks::read(built.clone(), always));
        let benchmarks = benchmarks.collect::<Result<Vec<_>, Error>>()?;
        if handover.details.lacks.is_some() {
            let Details { revision, run_environment: environment, .. } = handover.details;
            return Ok(Some(Base { environment, benchmarks, revision, ..Base::before_budgets() }));
        }
        let name = Path::new(file.file_name().unwrap_or(std::ffi::OsStr::new("budgets.toml")));
        let root = handover.directory.as_ref();
        let is_there = |file: &&Path| root.is_some_and(|root| root.join(file).is_file());
        let below = Some(file).filter(|file| file.is_relative()).filter(is_there);
        let base = Base::new(&handover, below.unwrap_or(name))?;
        // The proof was made for one test binary, and says nothing about any other.
        let this = std::env::current_exe().ok().and_then(|this| Written::of(&this).ok());
        let is_this_binary = |head: &Written| this.as_ref() == Some(head);
        let details = handover.details;
        let [unchanged, unchanged_times] = [details.unchanged, details.unchanged_times]
            .map(|proof| proof.filter(|unchanged| !always && is_this_binary(&unchanged.head)));
        let watched = details.watched.filter(|watched| !always && is_this_binary(&watched.of));
        let watched = watched.map(|watched| WatchedBuilds {
            proven: watched.proven(),
            base: Build::new(watched.base, Some(base.package.clone())).within(&base.environment),
            head: Build::new(watched.head, None),
        });
        let (mut notes, link_notes) = (details.notes, details.link_notes);
        notes.extend(base.notes.iter().cloned());
        Ok(Some(Base {
            notes,
            link_notes,
            benchmarks,
            unchanged,
            unchanged_times,
            watched,
            ..base
        }))
    }

    /// Returns a base from before the project had budgets.
    fn before_budgets() -> Base {
        Base {
            binary: None,
            links: Arc::default(),
            root: PathBuf::new(),
            package: PathBuf::new(),
            environment: BTreeMap::new(),
            names: Some(HashSet::new()),
            notes: Vec::new(),
            link_notes: Vec::new(),
            changed: None,
            benchmarks: Vec::new(),
            unchanged: None,
            unchanged_times: None,
            watched: None,
            revision: None,
            effort: None,
        }
    }

    /// Returns a base of which the builds that times are compared with are proven equal.
    #[cfg(test)]
    pub(crate) fn with_equal_times(proven: Proven, note: &str) -> Base {
        let this = std::env::current_exe().expect("this binary has a path");
        let head = Written::of(&this).expect("this binary is there");
        let equal = Unchanged { proven, budgets: Vec::new(), head };
        let (link_notes, unchanged_times) = (vec![note.to_owned()], Some(equal));
        Base { names: None, link_notes, unchanged_times, ..Base::before_budgets() }
    }

    fn new(handover: &Handover, file: &Path) -> Result<Base, Error> {
        let Handover { binaries, links, heads, directory, .. } = handover;
        for (variable, paths) in [(BINARIES, binaries), (LINKS, links), (HEADS, heads)] {
            if let Some(path) = paths.iter().find(|path| !path.is_file()) {
                return Err(Error::other(format!(
                    "{variable} names `{}`, which is not a file; it is the path of a test binary, as \
                     `cargo test --no-run` prints it",
                    path.display()
                )));
            }
        }
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|e| Error::io("resolve", path, e));
        let binary = binaries.first().map(|path| absolute(path)).transpose()?;
        let above =
            |path: &Path| path.ancestors().find(|dir| dir.join(file).is_file()).map(Path::to_owned);
        let root = match directory {
            Some(directory) => absolute(directory)?,
            None => binary.as_deref().and_then(above).ok_or_else(|| {
                Error::other(format!(
                    "there is no {} above `{}`; set {DIRECTORY} to the directory that the base \
                     revision's is in",
                    file.display(),
                    binary.as_deref().unwrap_or(Path::new("")).display()
                ))
            })?,
        };
        let budgets_file = root.join(file);
        let is_there = budgets_file.is_file();
        let names = if is_there { budget::names(&budgets_file) } else { Some(Vec::new()) };
        let unknown = names.is_none().then(|| {
            format!(
                "the base's {} cannot be read, so every budget is compared as if the base had it",
                file.display()
            )
        });
        // `Build::new` notes what each file looks like now, so that a later change of the file is noticed.
        let environment = &handover.details.run_environment;
        let own = |binary| Build::new(binary, Some(root.clone())).within(environment);
        let all = |paths: &[PathBuf], build: &dyn Fn(PathBuf) -> Build| {
            let build = |path: &PathBuf| absolute(path).map(build);
            paths.iter().map(build).collect::<Result<Vec<_>, Error>>()
        };
        let links = all(if links.is_empty() { binaries } else { links }, &own)?;
        let heads = all(heads, &|binary| Build::new(binary, None))?;
        let more = handover.details.more_links.clone();
        Ok(Base {
            links: Arc::new(Links::new(heads, links, (root.clone(), environment.clone()), more)),
            binary: binary.map(own),
            environment: environment.clone(),
            root: budgets_file.parent().unwrap_or(&root).to_owned(),
            package: root,
            names: names.map(HashSet::from_iter),
            notes: unknown.into_iter().collect(),
            changed: handover.details.changed.clone(),
            revision: handover.details.revision.clone(),
            effort: handover.details.effort.map(|seconds| Duration::from_secs(seconds.into())),
            ..Base::before_budgets()
        })
    }

    /// Returns the base's test binary as cargo builds it.
    pub(crate) fn build(&self) -> Option<&Build> {
        self.binary.as_ref()
    }

    /// Returns the test binaries of both revisions that times are compared with.
    pub(crate) fn links(&self) -> &Arc<Links> {
        &self.links
    }

    /// Whether the base was built. If it was not, nothing can be compared with it: a limit against the base is then
    /// either proven or red.
    pub(crate) fn is_built(&self) -> bool {
        self.binary.is_some()
    }

    /// Returns the proof that a limit of `budget` against the base holds, so that it need not be measured. `None` if
    /// there is no proof.
    pub(crate) fn proves(
        &self,
        budget: &Budget,
        case: Option<&Case>,
        limit: &Limit,
    ) -> Option<&Proven> {
        if let Some(name) = case.and_then(|case| budget.benchmark(case)) {
            let Subject::Benchmark(library, _) = budget.subject else { return None };
            let proven = self.benchmarks(budget)?.proven((library, name));
            return proven.filter(|_| handover::holds_if_equal(limit));
        }
        let unchanged = self.unchanged.as_ref()?;
        let holds = unchanged.covers(budget) && handover::holds_if_equal(limit);
        holds.then_some(&unchanged.proven)
    }

    /// Returns the proof that a limit against the base holds for a time that is compared by pairs of processes, where
    /// the builds that such times are compared with are equal. `None` if there is no proof.
    pub(crate) fn proves_time(&self, limit: &Limit) -> Option<&Proven> {
        let unchanged = self.unchanged_times.as_ref()?;
        handover::holds_if_equal(limit).then_some(&unchanged.proven)
    }

    /// Returns the copies of both test binaries that show what a workload reaches. `None` if there are none, or if this
    /// limit would have to be measured all the same.
    pub(crate) fn watched(&self, limit: &Limit) -> Option<&WatchedBuilds> {
        self.watched.as_ref().filter(|_| handover::holds_if_equal(limit))
    }

    /// Returns the copies of both programs that show what a benchmark reaches, and what they prove. `None` if there are none,
    /// or if this limit would have to be measured all the same.
    pub(crate) fn watched_benchmark(
        &self,
        budget: &Budget,
        case: usize,
        limit: &Limit,
    ) -> Option<&([PathBuf; 2], Proven)> {
        let different = self.different(budget, case).filter(|_| handover::holds_if_equal(limit))?;
        different.watched.as_ref()
    }

    /// Returns the benchmarks of both revisions that the command built as a budget has them built. `None` if it built
    /// none.
    pub(crate) fn benchmarks(&self, budget: &Budget) -> Option<&BaseBenchmarks> {
        let how = BenchBuild::of(&budget.subject, &budget.build);
        self.benchmarks.iter().find(|both| both.is_built_as(&how))
    }

    /// Returns what is prepared for the program of a budget's benchmark, if it may differ between the revisions.
    pub(crate) fn different(&self, budget: &Budget, case: usize) -> Option<&Arc<Different>> {
        let Subject::Benchmark(library, _) = budget.subject else { return None };
        let name = budget.benchmark(budget.cases.get(case)?)?;
        self.benchmarks(budget)?.different((library, name))
    }

    /// Whether the base has a budget's benchmark of this name, and can measure this metric of it. If that is not known yet,
    /// the comparison is tried.
    pub(crate) fn has_benchmark(&self, budget: &Budget, name: &str, metric: &Metric) -> bool {
        let Subject::Benchmark(library, _) = budget.subject else { return false };
        let benchmark = (library, name);
        self.benchmarks(budget).map_or(self.is_built(), |both| both.has(benchmark, metric))
    }

    /// Discards every proof, so that everything is measured.
    pub(crate) fn measure_always(&mut self) {
        self.benchmarks.iter_mut().for_each(BaseBenchmarks::measure_always);
        self.unchanged = None;
        self.unchanged_times = None;
        self.watched = None;
    }

    /// Whether the base has a budget of this name. Without one there is nothing to compare with. If the base's
    /// `budgets.toml` cannot be read, the comparison is tried.
    pub(crate) fn has(&self, budget: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(budget))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budgets_of_the_base_are_read_from_its_budgets_toml() {
        let dir = std::env::temp_dir().join(format!("perf-budget-base-{}", std::process::id()));
        let binary = dir.join("target/release/deps/budgets-1");
        std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
        std::fs::write(&binary, "").unwrap();
        let base = |directory| {
            let binaries = vec![binary.clone()];
            let handover = Handover { binaries, directory, ..Handover::default() };
            Base::new(&handover, Path::new("budgets.toml"))
        };
        let reason = base(None).unwrap_err().to_string();
        assert!(reason.contains("there is no budgets.toml above"), "{reason}");
        assert!(!base(Some(dir.clone())).unwrap().has("old"));
        std::fs::write(
            dir.join("budgets.toml"),
            "[budget.old]\nworkload = \"w\"\nmax = { p50 = \"1 ms\" }\n",
        )
        .unwrap();
        let found = base(None).unwrap();
        assert_eq!(found.root, dir);
        assert!(found.has("old") && !found.has("new"));
        // A budget that today's rules refuse is known by its name all the same.
        for refused in ["workloads = \"w\"", "command = [\"x\"]\nmax.wall_p90 = \"1.1 x base\""] {
            std::fs::write(dir.join("budgets.toml"), format!("[budget.old]\n{refused}\n")).unwrap();
            let found = base(None).unwrap();
            assert!(found.has("old") && !found.has("new") && found.notes.is_empty());
        }
        // Nobody can tell which budgets a file was meant to have if it is not TOML, or has no budget.
        for unread in ["[budget.old\n", "[budgets.old]\nworkload = \"w\"\n"] {
            std::fs::write(dir.join("budgets.toml"), unread).unwrap();
            let found = base(None).unwrap();
            assert!(
                found.has("new") && found.notes[0].contains("cannot be read"),
                "{:?}",
                found.notes
            );
        }
        let none = Handover { binaries: vec![dir.join("none")], ..Handover::default() };
        let reason = Base::new(&none, Path::new("budgets.toml")).unwrap_err();
        assert!(reason.to_string().contains("not a file"), "{reason}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
