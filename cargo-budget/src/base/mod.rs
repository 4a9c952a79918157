//! The base revision: the commit that this revision is compared with.
//!
//! This module checks the base out, builds it in the same way as this revision, and tells the harness where the
//! binaries are. Only the harness measures and judges.
//!
//! Each commit has a checkout in the user's cache, so that no directory of the project is above it. All checkouts
//! share one target directory under `target/budgets/base`, so that a second comparison with the same commit builds
//! nothing.

mod benchmarks;
mod binaries;
mod build;
mod cache;
mod checkout;
mod compared;
mod configuration;
mod configured;
mod environment;
mod lock;
mod manifests;
mod members;
mod named_files;
mod outside;
mod own_git;
mod prepared;
mod product;
mod programs;
mod pruned;
mod reused;
mod runners;
mod running;
mod saved;
mod settings;
mod shared;
mod start;
mod submodules;
mod unchanged;
mod variables;
mod work_tree;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::budget::environment::EnvironmentFacts;
use perf_budget_core::budget::{Budgets, Reference, load_in};
use perf_budget_core::handover::{self, Benchmarks, Details, Handover, Unchanged};
use perf_budget_core::outcome::{BaseRevision, CodeChanges, short};
use perf_budget_core::suite::{Suite, Test};

use self::benchmarks::BothBuilt;
use self::binaries::BinariesRequest;
use self::compared::Compared;
use self::environment::Environment;
use self::prepared::{Place, Prepared};
use self::running::Changes;
use crate::failure::Failure;
use crate::git::Repository;
use crate::progress::Progress;
use crate::project::Project;

pub(crate) use self::build::{Built, Target, head};
pub(crate) use self::compared::BuildOptions;
pub(crate) use self::environment::replaced_compiler;
pub(crate) use self::own_git::UNHOOKED;
pub(crate) use self::running::{harness, print_environment};
pub(crate) use self::work_tree::TemporaryWorkTree;

/// A base revision that is ready to be compared with.
#[derive(Debug)]
pub(crate) struct Base {
    /// The full name of the commit.
    pub(crate) commit: String,
    /// The revision as it was asked for.
    name: String,
    /// The directory that holds the base's `budgets.toml`, or would hold it.
    pub(crate) root: PathBuf,
    /// The test binary as cargo builds it; `None` where there was nothing to build.
    binary: Option<PathBuf>,
    /// The additional builds of both revisions that times are compared with.
    compared: Compared,
    /// The benchmarks of both revisions, where any are compared.
    benchmarks: Vec<BothBuilt>,
    /// The reason why nothing of the base can be built, so that every budget is new: a part that it does not have, such as a
    /// test. `None` where the base has everything.
    pub(crate) lacks: Option<String>,
    /// Notes that are shown with each comparison: where the base was built differently from this revision.
    notes: Vec<String>,
    /// The parts that have not changed since the base, so that they need not be measured.
    unchanged: Option<Unchanged>,
    /// The changes since the base in the code that runs; `None` where they are not known.
    changed: Option<CodeChanges>,
    /// The most seconds for measuring one limit, where a user waits for the result.
    effort: Option<u32>,
    /// The environment that the harness gives to the programs that build the base.
    inherited: Environment,
    /// The differences of the environment that the harness gives to the base's processes.
    run_environment: Changes,
    /// Locks that are held as long as the binaries are used. Without them another comparison could overwrite the
    /// binaries, because cargo gives the same file names to two checkouts of one package in one target directory.
    _locks: [File; 2],
}

impl Base {
    /// Sets the environment variables that tell `command`, which starts the harness, about the base. Where there is
    /// no base, it removes them.
    pub(crate) fn tell(base: Option<&Base>, command: &mut Command) -> Result<(), Failure> {
        for name in handover::VARIABLES {
            command.env_remove(name);
        }
        if let Some(base) = base {
            command.envs(base.handover().to_env()?);
        }
        Ok(())
    }

    /// Returns the differences of the environment of the base's processes from that of the harness. Where no tests of the base
    /// are built, cargo was not asked for that environment. Its benchmarks then run in the environment of its builds, each with
    /// its own variables.
    fn run_environment(&self) -> Changes {
        match self.binary {
            Some(_) => self.run_environment.clone(),
            None => self.inherited.variables(),
        }
    }

    /// Returns what the harness needs to know about this base.
    fn handover(&self) -> Handover {
        if self.lacks.is_some() {
            let benchmarks = self.benchmarks();
            let (lacks, revision) = (self.lacks.clone(), Some(self.revision()));
            let details = Details { lacks, benchmarks, revision, ..Details::default() };
            return Handover { details, ..Handover::default() };
        }
        let Compared { head, base, more, notes, unchanged, watched, .. } = &self.compared;
        let has_links = !head.binaries.is_empty();
        Handover {
            binaries: self.binary.clone().into_iter().collect(),
            links: if has_links { base.binaries.clone() } else { Vec::new() },
            heads: head.binaries.clone(),
            directory: Some(self.root.clone()),
            details: Details {
                environment: self.inherited.variables(),
                run_environment: self.run_environment(),
                notes: self.notes.clone(),
                link_notes: if has_links || unchanged.is_some() {
                    notes.clone()
                } else {
                    Vec::new()
                },
                more_links: more.clone(),
                changed: self.changed.clone(),
                unchanged: self.unchanged.clone(),
                unchanged_times: unchanged.clone(),
                watched: watched.clone(),
                benchmarks: self.benchmarks(),
                revision: Some(self.revision()),
                effort: self.effort,
                ..Details::default()
            },
        }
    }

    /// Whether it is proven that none of these budgets has changed since the base. There must be something to prove: a limit
    /// against the base, and none on a benchmark, which has a program of its own.
    pub(crate) fn proves(&self, budgets: &Budgets) -> bool {
        let suite = Suite::of(budgets, true);
        let is_compared = |test: &&Test| test.limit.reference() == Some(&Reference::Base);
        let mut compared = suite.tests.iter().filter(is_compared).peekable();
        compared.peek().is_some()
            && compared.all(|test| !test.is_benchmark())
            && self.unchanged.as_ref().is_some_and(|known| !unchanged::leaves_any(budgets, known))
    }

    /// Returns a line about the benchmarks that were built, for each way in which budgets have them built.
    ///
    /// # Errors
    /// If a program of either revision could not be built, or does not list its benchmarks.
    pub(crate) fn built_benchmarks(&self) -> Result<Vec<String>, Failure> {
        let base = short(&self.commit);
        self.benchmarks.iter().map(|built| built.describe_builds(base)).collect()
    }

    fn benchmarks(&self) -> Vec<Benchmarks> {
        self.benchmarks.iter().map(|built| built.benchmarks.clone()).collect()
    }

    fn revision(&self) -> BaseRevision {
        BaseRevision { name: self.name.clone(), commit: self.commit.clone() }
    }
}

/// Returns the commit to compare with: the merge base of `revision` and of what is checked out. What others changed
/// in `revision` since then would otherwise be blamed on this revision.
pub(crate) fn commit(project: &Project, revision: &str) -> Result<String, Failure> {
    checkout::commit(&project.root, revision)
}

/// The beginning of the warning why nothing was compared. Other commands look for it in the output of `check`.
pub(crate) const NOT_COMPARED: &str = "nothing was compared with the base: ";

/// A request for a base: which revision, and how it is built.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BaseRequest<'a> {
    /// A revision in any form that git accepts; `None` where nothing is compared.
    pub(crate) revision: Option<&'a str>,
    /// See [`BinariesRequest::prepare`].
    pub(crate) prepare: Option<&'a str>,
    /// See [`BinariesRequest::times`].
    pub(crate) times: Option<BuildOptions>,
    /// See [`BinariesRequest::from`].
    pub(crate) from: Option<&'a Path>,
    /// See [`BinariesRequest::head`].
    pub(crate) head: Option<&'a Built>,
    /// See [`BinariesRequest::proves`].
    pub(crate) proves: bool,
    /// The most seconds that one limit is measured.
    pub(crate) effort: Option<u32>,
    /// See [`BinariesRequest::asks_files`].
    pub(crate) asks_files: bool,
}

/// Prepares the base, where one is asked for.
///
/// The inner failure concerns the base alone: limits that need no base can still be judged. The outer failure ends
/// the command.
pub(crate) fn compared(
    project: &Project,
    target: &Target,
    request: &BaseRequest<'_>,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<Result<Option<Base>, Failure>, Failure> {
    let Some(revision) = request.revision else { return Ok(Ok(None)) };
    // The proof by files is asked for about two given commits, of which either may be the older one.
    let commit = if request.asks_files {
        Repository::containing(&project.root)?.commit(revision)?
    } else {
        commit(project, revision)?
    };
    let BaseRequest { prepare, times, from, head, asks_files, .. } = *request;
    let why_not = not_proven(project, request);
    let proves = why_not.is_none();
    // A user who asked to measure everything needs no reason.
    if let Some(why) = why_not.filter(|_| request.proves || asks_files) {
        tell(&format!("nothing is proven to be equal: {why}"));
    }
    let wanted = BinariesRequest {
        revision,
        target,
        prepare,
        times,
        from,
        to: None,
        head,
        proves,
        asks_files,
    };
    let prepared = prepare_base(project, &commit, &wanted, progress, tell);
    if let Ok(base) = &prepared {
        let short = short(&base.commit);
        tell(&match &base.lacks {
            None => format!("comparing with {short} ({revision})"),
            Some(lacks) => {
                format!("{short} ({revision}) {lacks}, so every limit against the base is new")
            }
        });
        for note in &base.notes {
            tell(note);
        }
    }
    Ok(prepared.map(|base| Some(Base { effort: request.effort, ..base })))
}

/// Returns why nothing can be proven to be unchanged, whatever has changed; `None` where a proof is possible.
fn not_proven(project: &Project, request: &BaseRequest<'_>) -> Option<String> {
    if !request.proves {
        return Some("PERF_BUDGET_MEASURE is `always`".to_owned());
    }
    if request.prepare.is_some() {
        // It is not known what a shell command reads and makes.
        return Some(
            "what `--prepare` makes may differ; use `build` of a budget instead".to_owned(),
        );
    }
    // In the proofs, the paths in budgets start from the package.
    let file = project.file_in(Path::new(""));
    (file.components().count() != 1).then(|| {
        format!(
            "`{}` is not in the directory of the package, from which the proofs take paths; move it there",
            file.display()
        )
    })
}

/// Checks out a commit, and builds its tests if anything has to be compared with them.
fn prepare_base(
    project: &Project,
    commit: &str,
    wanted: &BinariesRequest<'_>,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<Base, Failure> {
    let results = project.results().join("base");
    let (top, prefix) = checkout::top(&project.root)?;
    let cache = cache::directory(&top)?;
    // Earlier releases kept the checkouts here, where this project's configuration was above them.
    let _ = std::fs::remove_dir_all(results.join("checkouts"));
    let locks = [lock_directory(&results, tell)?, lock_directory(&cache, tell)?];
    let place = Place { results: &results, cache: &cache, top: &top, prefix: &prefix };
    pruned::prune(&place.target_dir());
    let prepared = Prepared::new(project, place, commit, progress)?;
    let workspace = prepared.workspace();
    let alone = prepared.compares_benchmarks_alone(wanted)?;
    let lacks = if alone { None } else { prepared.missing_part(wanted, workspace.as_ref())? };
    if lacks.is_none() {
        prepared.check_runners()?;
    }
    let made = prepared.make(wanted, workspace.as_ref(), lacks.is_none() && !alone, tell)?;
    Ok(Base {
        commit: commit.to_owned(),
        name: wanted.revision.to_owned(),
        root: prepared.root().to_owned(),
        binary: made.binary,
        compared: made.compared,
        benchmarks: made.benchmarks,
        lacks,
        notes: prepared.difference().into_iter().chain(made.note).collect(),
        unchanged: made.unchanged,
        changed: made.changed,
        effort: None,
        run_environment: made.run_environment,
        inherited: prepared.inherited,
        _locks: locks,
    })
}

/// Builds the commit that is checked out and writes it to the directory `to`, so that later runs can use it as their
/// base. Returns the commit.
pub(crate) fn save(
    project: &Project,
    target: &Target,
    times: BuildOptions,
    to: &Path,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<String, Failure> {
    let revision = "HEAD";
    let commit = commit(project, revision)?;
    let wanted = BinariesRequest {
        revision,
        target,
        prepare: None,
        times: Some(times),
        from: None,
        to: Some(to),
        head: None,
        proves: false,
        asks_files: false,
    };
    let base = prepare_base(project, &commit, &wanted, progress, tell)?;
    match base.lacks {
        Some(lacks) => Err(Failure::unmeasured(format!("`{commit}` {lacks}; nothing was saved"))),
        None => Ok(base.commit),
    }
}

/// Waits until no other comparison uses `directory`, and locks it.
fn lock_directory(directory: &Path, tell: &dyn Fn(&str)) -> Result<File, Failure> {
    std::fs::create_dir_all(directory).map_err(|e| Failure::io("create", directory, &e))?;
    let path = directory.join(cache::LOCK);
    let file = File::create(&path).map_err(|e| Failure::io("create", &path, &e))?;
    if file.try_lock().is_err() {
        tell(&format!("waiting for another comparison, which uses {}", directory.display()));
        file.lock().map_err(|e| Failure::io("lock", &path, &e))?;
    }
    Ok(file)
}

/// Returns the names of the budgets that the base has and that this revision no longer has.
pub(crate) fn removed_budgets(project: &Project, base: &Path) -> Vec<String> {
    let names = |root: &Path| {
        let file = load_in(&project.file_in(root), &EnvironmentFacts::of_record(None)).ok()?;
        Some(file.budgets.into_iter().map(|budget| budget.name).collect::<Vec<_>>())
    };
    let (Some(now), Some(before)) = (names(&project.root), names(base)) else { return Vec::new() };
    before.into_iter().filter(|name| !now.contains(name)).collect()
}
