//! The base revision: checked out beside the project, built as this revision is, and named to the harness,
//! which alone measures and judges.
//!
//! Everything is kept under `target/budgets/base`, a checkout for each commit and one target directory for
//! all of them, so that a second comparison with the same commit builds nothing.

mod build;
mod checkout;
mod layouts;
mod outside;
mod shared;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

pub(crate) use self::build::{Target, head};

/// What is asked of the base.
#[derive(Debug, Clone)]
struct Wanted<'a> {
    /// A revision as git knows it.
    pub(crate) revision: &'a str,
    /// The test target, and how it is built.
    pub(crate) target: &'a Target,
    /// A command of the shell that makes what the budgets measure and cargo does not build.
    pub(crate) prepare: Option<&'a str>,
    /// How often each revision is linked.
    pub(crate) layouts: u32,
}

/// A base revision that is ready.
#[derive(Debug)]
pub(crate) struct Base {
    /// The commit, whole.
    pub(crate) commit: String,
    /// Where its `budgets.toml` would be.
    pub(crate) root: PathBuf,
    /// Its test binaries.
    binaries: Vec<PathBuf>,
    /// This revision's; none where it was linked once, by whoever runs the tests.
    heads: Vec<PathBuf>,
    /// Held as long as the binaries are wanted: another comparison would build its own over them, which
    /// cargo, for two checkouts of one package in one target directory, gives the same names.
    _alone: File,
}

impl Base {
    /// Tells the harness that `command` starts of the base, and of none where there is none.
    pub(crate) fn tell(base: Option<&Base>, command: &mut Command) -> Result<(), Failure> {
        for name in ["PERF_BUDGET_BASE", "PERF_BUDGET_BASE_DIR", "PERF_BUDGET_HEAD"] {
            command.env_remove(name);
        }
        if let Some(base) = base {
            command.envs(base.environment()?);
        }
        Ok(())
    }

    /// The variables by which the harness knows of it.
    fn environment(&self) -> Result<Vec<(&'static str, std::ffi::OsString)>, Failure> {
        let path = |paths: &[PathBuf]| {
            std::env::join_paths(paths).map_err(|e| {
                Failure::unmeasured(format!(
                    "failed to name the base's binaries: {e}; build in a directory \
                     without such a character"
                ))
            })
        };
        let mut environment = vec![
            ("PERF_BUDGET_BASE", path(&self.binaries)?),
            ("PERF_BUDGET_BASE_DIR", self.root.clone().into_os_string()),
        ];
        if !self.heads.is_empty() {
            environment.push(("PERF_BUDGET_HEAD", path(&self.heads)?));
        }
        Ok(environment)
    }
}

/// The commit that a revision names, seen from the project: where the histories of both parted, so that what
/// others changed since is not taken for this revision's doing.
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
    pub(crate) layouts: u32,
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
    let wanted = Wanted { revision, target, prepare: asked.prepare, layouts: asked.layouts };
    let ready = ready(project, &commit, &wanted, progress, tell);
    if let Ok(base) = &ready {
        tell(&format!("comparing with {} ({revision})", &base.commit[..12]));
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
    let place = project.results().join("base");
    let short = &commit[..commit.len().min(12)];
    let alone = alone(&place, tell)?;
    let work = progress.busy(format!("checking out {short}"));
    let checkout = checkout::at(&project.root, commit, &place)?;
    // What comes now has lines of its own: cargo's.
    drop(work);
    let root = checkout.package;
    if !root.join("Cargo.toml").is_file() {
        return Err(Failure::unmeasured(format!(
            "{} has no package in `{}` at {short}, so there is nothing to build there",
            wanted.revision, checkout.prefix
        )));
    }
    if let Some(command) = wanted.prepare {
        tell(&format!("preparing {short}: {command}"));
        build::prepare(command, &root)?;
    }
    tell(&format!("building {short} in {}", root.display()));
    let target_dir = place.join("target");
    let build = || wanted.target.build(&root, Some(&target_dir));
    let binary = shared::build(&target_dir, commit, &checkout.top, build)?;
    let mut base = Base {
        commit: commit.to_owned(),
        root,
        binaries: vec![binary],
        heads: Vec::new(),
        _alone: alone,
    };
    if wanted.layouts > 1 {
        tell(&format!("linking both revisions {} times, each in another order", wanted.layouts));
        let seeds = 1..=wanted.layouts;
        let kept = |name: &str| place.join("layouts").join(name);
        let target = wanted.target;
        base.binaries =
            layouts::link(target, &base.root, Some(&target_dir), seeds.clone(), &kept(short))?;
        base.heads = layouts::link(target, &project.root, None, seeds, &kept("head"))?;
    }
    Ok(base)
}

/// Waits until no other comparison uses what is kept in `place`.
fn alone(place: &Path, tell: &dyn Fn(&str)) -> Result<File, Failure> {
    std::fs::create_dir_all(place).map_err(|e| Failure::io("create", place, &e))?;
    let path = place.join("lock");
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
        let file = perf_budget::budget::load(&root.join("budgets.toml")).ok()?;
        Some(file.budgets.into_iter().map(|budget| budget.name).collect::<Vec<_>>())
    };
    let (Some(now), Some(before)) = (names(&project.root), names(base)) else { return Vec::new() };
    before.into_iter().filter(|name| !now.contains(name)).collect()
}
