//! The base revision: checked out beside the project, built as this revision is, and named to the harness,
//! which alone measures and judges.
//!
//! A checkout for each commit stands in the user's cache, where nothing of the project is above it. One target directory
//! for all of them is kept under `target/budgets/base`, so that a second comparison with the same commit builds nothing.

mod build;
mod checkout;
mod compared;
mod configuration;
mod environment;
mod lock;
mod making;
mod manifests;
mod members;
mod outside;
mod place;
mod prepared;
mod product;
mod reused;
mod same;
mod saved;
mod shared;
mod submodules;
mod unhooked;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::handover::{self, Handover, Told, Unchanged};

use self::compared::Compared;
use self::environment::Environment;
use self::making::Wanted;
use self::prepared::{Place, Prepared};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

pub(crate) use self::build::{Built, Target, head};
pub(crate) use self::compared::Asked as Times;

/// A base revision that is ready.
#[derive(Debug)]
pub(crate) struct Base {
    /// The commit, whole.
    pub(crate) commit: String,
    /// Where its `budgets.toml` would be.
    pub(crate) root: PathBuf,
    /// Its test binary, as cargo builds it; `None` where it lacks what would be built.
    binary: Option<PathBuf>,
    /// What times are compared with.
    compared: Compared,
    /// What it has none of, so that there is nothing to build and every budget is new; `None` where it was built.
    pub(crate) lacks: Option<String>,
    /// What is said of each comparison with it: where it was built in another way than this revision.
    notes: Vec<String>,
    /// What has not changed since, so that it need not be measured.
    unchanged: Option<Unchanged>,
    /// What its children inherit, where the harness starts them.
    inherited: Environment,
    /// Held as long as the binaries are wanted: another comparison would build its own over them, which
    /// cargo, for two checkouts of one package in one target directory, gives the same names.
    _alone: [File; 2],
}

impl Base {
    /// Tells the harness that `command` starts of the base, and of none where there is none.
    pub(crate) fn tell(base: Option<&Base>, command: &mut Command) -> Result<(), Failure> {
        for name in handover::VARIABLES {
            command.env_remove(name);
        }
        if let Some(base) = base {
            command.envs(base.handover().to_env()?);
        }
        Ok(())
    }

    /// As the harness is told of it.
    fn handover(&self) -> Handover {
        if self.lacks.is_some() {
            let told = Told { lacks: self.lacks.clone(), ..Told::default() };
            return Handover { told, ..Handover::default() };
        }
        let Compared { head, base, notes, .. } = &self.compared;
        let has_links = !head.binaries.is_empty();
        Handover {
            binaries: self.binary.clone().into_iter().collect(),
            links: if has_links { base.binaries.clone() } else { Vec::new() },
            heads: head.binaries.clone(),
            directory: Some(self.root.clone()),
            told: Told {
                environment: self.inherited.told(),
                notes: self.notes.clone(),
                link_notes: if has_links { notes.clone() } else { Vec::new() },
                unchanged: self.unchanged.clone(),
                ..Told::default()
            },
        }
    }
}

/// The commit to compare with: the merge base of a revision and of what is checked out, so that what others
/// changed since is not taken for this revision's doing.
pub(crate) fn commit(project: &Project, revision: &str) -> Result<String, Failure> {
    checkout::commit(&project.root, revision)
}

/// What a base is asked for, if one is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// A revision as git knows it; `None` where nothing is to be compared.
    pub(crate) revision: Option<&'a str>,
    /// See [`Wanted`].
    pub(crate) prepare: Option<&'a str>,
    /// See [`Wanted`].
    pub(crate) times: Option<Times>,
    /// See [`Wanted`].
    pub(crate) from: Option<&'a Path>,
    /// See [`Wanted`].
    pub(crate) proves: Option<&'a Built>,
}

/// The base, where one is asked for. An inner failure is the base's alone, and keeps nobody from judging
/// what does not need it.
pub(crate) fn compared(
    project: &Project,
    target: &Target,
    asked: &Asked<'_>,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<Result<Option<Base>, Failure>, Failure> {
    let Some(revision) = asked.revision else { return Ok(Ok(None)) };
    let commit = commit(project, revision)?;
    let Asked { prepare, times, from, .. } = *asked;
    // What a command of the shell makes, and of what, nobody knows.
    let proves = asked.proves.filter(|_| prepare.is_none());
    let wanted = Wanted { revision, target, prepare, times, from, to: None, proves };
    let ready = ready(project, &commit, &wanted, progress, tell);
    if let Ok(base) = &ready {
        let short = &base.commit[..12];
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
    Ok(ready.map(Some))
}

/// Checks out a commit and builds its tests.
fn ready(
    project: &Project,
    commit: &str,
    wanted: &Wanted<'_>,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<Base, Failure> {
    let results = project.results().join("base");
    let (top, prefix) = checkout::top(&project.root)?;
    let kept = place::of(&top)?;
    // Where earlier releases kept them, and this project's configuration was above them.
    let _ = std::fs::remove_dir_all(results.join("checkouts"));
    let alone = [alone(&results, tell)?, alone(&kept, tell)?];
    let place = Place { results: &results, kept: &kept, top: &top, prefix: &prefix };
    let prepared = Prepared::new(project, place, commit, progress)?;
    let workspace = prepared.workspace();
    let lacks = prepared.lacks(wanted, workspace.as_ref())?;
    let made = match &lacks {
        Some(_) => None,
        None => Some(prepared.make(wanted, workspace.as_ref(), tell)?),
    };
    let mut notes: Vec<String> = prepared.difference().into_iter().collect();
    let (mut binary, mut compared, mut unchanged) = (None, Compared::default(), None);
    if let Some(made) = made {
        (binary, compared, unchanged) = (made.binary, made.compared, made.unchanged);
        notes.extend(made.note);
    }
    Ok(Base {
        commit: commit.to_owned(),
        root: prepared.root().to_owned(),
        binary,
        compared,
        lacks,
        notes,
        unchanged,
        inherited: prepared.inherited,
        _alone: alone,
    })
}

/// Builds the commit that is checked out, as a base of whoever leaves it again, and writes it to a directory.
pub(crate) fn save(
    project: &Project,
    target: &Target,
    times: Times,
    to: &Path,
    progress: Progress,
    tell: &dyn Fn(&str),
) -> Result<String, Failure> {
    let revision = "HEAD";
    let commit = commit(project, revision)?;
    let wanted = Wanted {
        revision,
        target,
        prepare: None,
        times: Some(times),
        from: None,
        to: Some(to),
        proves: None,
    };
    let base = ready(project, &commit, &wanted, progress, tell)?;
    match base.lacks {
        Some(lacks) => Err(Failure::unmeasured(format!("`{commit}` {lacks}; nothing was saved"))),
        None => Ok(base.commit),
    }
}

/// Waits until no other comparison uses what is kept in `place`.
fn alone(place: &Path, tell: &dyn Fn(&str)) -> Result<File, Failure> {
    std::fs::create_dir_all(place).map_err(|e| Failure::io("create", place, &e))?;
    let path = place.join(place::LOCK);
    let file = File::create(&path).map_err(|e| Failure::io("create", &path, &e))?;
    if file.try_lock().is_err() {
        tell(&format!("waiting for another comparison, which uses {}", place.display()));
        file.lock().map_err(|e| Failure::io("lock", &path, &e))?;
    }
    Ok(file)
}

/// The names of budgets that the base has and this revision has no more.
pub(crate) fn gone(project: &Project, base: &Path) -> Vec<String> {
    let names = |root: &Path| {
        let file = perf_budget_core::budget::load(&root.join("budgets.toml")).ok()?;
        Some(file.budgets.into_iter().map(|budget| budget.name).collect::<Vec<_>>())
    };
    let (Some(now), Some(before)) = (names(&project.root), names(base)) else { return Vec::new() };
    before.into_iter().filter(|name| !now.contains(name)).collect()
}
