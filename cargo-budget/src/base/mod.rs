//! The base revision: checked out beside the project, built as this revision is, and named to the harness,
//! which alone measures and judges.
//!
//! A checkout for each commit stands in the user's cache, where nothing of the project is above it. One target directory
//! for all of them is kept under `target/budgets/base`, so that a second comparison with the same commit builds nothing.

mod build;
mod checkout;
mod configuration;
mod environment;
mod layouts;
mod lock;
mod manifests;
mod outside;
mod place;
mod product;
mod same;
mod shared;
mod submodules;
mod unhooked;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Metadata;
use perf_budget_core::handover::{self, Handover, Told, Unchanged};

use self::build::Side;
use self::configuration::Files;
use self::environment::Environment;
use crate::child;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

pub(crate) use self::build::{Built, Target, head};

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
    /// What this revision's build said, where what did not change need not be measured.
    proves: Option<&'a Built>,
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
        let notes = self.notes.clone();
        Handover {
            binaries: self.binaries.clone(),
            heads: self.heads.clone(),
            directory: Some(self.root.clone()),
            told: Told {
                environment: self.inherited.told(),
                notes,
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
    pub(crate) layouts: u32,
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
    let wanted = Wanted {
        revision,
        target,
        prepare: asked.prepare,
        layouts: asked.layouts,
        // What a command of the shell makes, and of what, nobody knows.
        proves: asked.proves.filter(|_| asked.prepare.is_none()),
    };
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
    let place = project.results().join("base");
    let short = &commit[..commit.len().min(12)];
    let (top, prefix) = checkout::top(&project.root)?;
    let kept = place::of(&top)?;
    // Where earlier releases kept them, and this project's configuration was above them.
    let _ = std::fs::remove_dir_all(place.join("checkouts"));
    let alone = [alone(&place, tell)?, alone(&kept, tell)?];
    let head = Files::of(&project.root, &top);
    let checkouts = outside::checkouts(&kept, &top, &head);
    let work = progress.busy(format!("checking out {short}"));
    let checkout = checkout::at(&project.root, &prefix, commit, &checkouts)?;
    let root = checkout.package;
    outside::configure(&head, &top, &kept, &checkouts)?;
    let own = Files::of(&root, &checkout.top);
    configuration::only_what_applies_to_both(&head, &own, &kept)?;
    // Where cargo cannot tell, it says why when it builds.
    let metadata = child::metadata(&project.root).exec().ok();
    if let Some(metadata) = &metadata {
        outside::link(metadata, &top, &checkouts)?;
    }
    let inherited = Environment::of(&project.root, &head);
    if manifests::lead_out(&checkout.top, &top)? {
        // Where cargo cannot tell, it says why when it builds.
        if let Ok(whole) = inherited.metadata(&root).exec() {
            manifests::nothing_leads_back(&whole, &top)?;
        }
    }
    // What comes now has lines of its own: cargo's.
    drop(work);
    let mut base = Base {
        commit: commit.to_owned(),
        root: root.clone(),
        binaries: Vec::new(),
        heads: Vec::new(),
        lacks: None,
        notes: configuration::difference(&head, &own).into_iter().collect(),
        unchanged: None,
        inherited,
        _alone: alone,
    };
    if !root.join("Cargo.toml").is_file() {
        if !prefix.is_empty() {
            base.lacks = Some(format!("has no package in `{}`", checkout.prefix));
            return Ok(base);
        }
        return Err(Failure::unmeasured(format!(
            "{} has no package in `{}` at {short}, so there is nothing to build there",
            wanted.revision, checkout.prefix
        )));
    }
    if !root.join("budgets.toml").is_file() {
        base.lacks = Some("has no budgets.toml".to_owned());
        return Ok(base);
    }
    let workspace = base.inherited.metadata(&root).no_deps().exec().ok();
    if workspace.as_ref().is_some_and(|workspace| !has_test(workspace, &root, wanted.target)) {
        base.lacks = Some(format!("has no test `{}`", wanted.target.test));
        return Ok(base);
    }
    let both = metadata.as_ref().zip(workspace.as_ref());
    let served = both.map_or(Ok(None), |(head, base)| {
        lock::serve(head.workspace_root.as_std_path(), base.workspace_root.as_std_path())
    })?;
    let budgets = project.budgets()?;
    let before = perf_budget_core::budget::load(&root.join("budgets.toml")).ok();
    let given = wanted.proves.zip(metadata.as_ref()).map(|(built, metadata)| {
        let (top, prefix) = (top.as_path(), prefix.as_str());
        let trees = same::Head { root: &project.root, top, prefix, built, metadata };
        same::Given { head: trees, commit, budgets: &budgets, before: before.as_ref() }
    });
    let proof = given.and_then(|given| same::Comparison::of(given, tell));
    if let Some(proof) = &proof {
        base.unchanged = proof.by_files(tell);
        if base.unchanged.as_ref().is_some_and(|known| !same::leaves_any(&budgets, known)) {
            return Ok(base);
        }
    }
    if let Some(command) = wanted.prepare {
        tell(&format!("preparing {short}: {command}"));
        build::prepare(command, &root, &base.inherited)?;
    }
    tell(&format!("building {short} in {}", root.display()));
    let target_dir = place.join("target");
    let side = Side::Base { environment: &base.inherited, target_dir: &target_dir };
    let build = || wanted.target.build(&root, side);
    base.binaries = vec![shared::build(&target_dir, commit, &checkout.top, build)?];
    if let (Some(proof), None, Some(workspace)) = (&proof, &base.unchanged, &workspace) {
        let workspace = workspace.workspace_root.as_std_path();
        base.unchanged = proof.by_sections(&base.binaries[0], workspace, tell);
    }
    let leaves_any = base.unchanged.as_ref().is_none_or(|known| same::leaves_any(&budgets, known));
    if wanted.layouts > 1 && leaves_any {
        tell(&format!("linking both revisions {} times, each in another order", wanted.layouts));
        let seeds = 1..=wanted.layouts;
        let target = wanted.target;
        base.binaries = layouts::link(target, &root, side, seeds.clone(), "base")?;
        base.heads = layouts::link(target, &project.root, Side::Head, seeds, "head")?;
    }
    base.notes.extend(served.and_then(|lock| lock.difference()));
    Ok(base)
}

/// Whether a package has the test that holds the budgets. One that cargo does not name is built, and cargo says why not.
fn has_test(workspace: &Metadata, root: &Path, target: &Target) -> bool {
    let is_own = |path: &Path| configuration::canonical(path) == configuration::canonical(root);
    let mut packages = workspace.packages.iter();
    let own =
        packages.find(|p| p.manifest_path.parent().is_some_and(|at| is_own(at.as_std_path())));
    own.is_none_or(|package| package.targets.iter().any(|t| t.is_test() && t.name == target.test))
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
        let file = perf_budget_core::budget::load(&root.join("budgets.toml")).ok()?;
        Some(file.budgets.into_iter().map(|budget| budget.name).collect::<Vec<_>>())
    };
    let (Some(now), Some(before)) = (names(&project.root), names(base)) else { return Vec::new() };
    before.into_iter().filter(|name| !now.contains(name)).collect()
}
