//! Both revisions before anything of the base is built: its checkout, the configuration of either side, and what cargo says
//! of both workspaces.

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use perf_budget_core::budget::{self, Budgets};

use super::build::{self, Side, Target};
use super::compared::{Compared, Revision};
use super::configuration::{self, Files};
use super::environment::Environment;
use super::making::{Making, Wanted};
use super::{checkout, lock, manifests, members, outside, same};
use crate::child;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// Where the base is checked out and built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The directory of the project's results where bases are built.
    pub(super) results: &'a Path,
    /// The directory in the user's cache where the checkouts of this repository are kept.
    pub(super) kept: &'a Path,
    /// The top of this repository.
    pub(super) top: &'a Path,
    /// The project's directory in the repository; empty at its top.
    pub(super) prefix: &'a str,
}

/// Both revisions, ready to be built.
pub(super) struct Prepared<'a> {
    project: &'a Project,
    place: Place<'a>,
    commit: &'a str,
    checkout: checkout::Checkout,
    /// What configures this revision, and the base.
    head_files: Files,
    own_files: Files,
    /// What cargo says of this revision's workspace; `None` where it says nothing, and why is said when it builds.
    head_metadata: Option<Metadata>,
    /// The environment of what is built of the base.
    pub(super) inherited: Environment,
}

/// What was built of the base, or why it need not be.
pub(super) struct Made {
    /// The test binary; `None` where nothing is left to compare.
    pub(super) binary: Option<PathBuf>,
    pub(super) compared: Compared,
    /// What need not be measured.
    pub(super) unchanged: Option<perf_budget_core::handover::Unchanged>,
    /// How the lock files differ, where they do.
    pub(super) note: Option<String>,
}

impl<'a> Prepared<'a> {
    /// Checks the base out, and keeps the configuration of this revision away from it.
    pub(super) fn new(
        project: &'a Project,
        place: Place<'a>,
        commit: &'a str,
        progress: Progress,
    ) -> Result<Prepared<'a>, Failure> {
        let Place { kept, top, prefix, .. } = place;
        let head_files = Files::of(&project.root, top);
        let checkouts = outside::checkouts(kept, top, &head_files);
        // It ends before cargo shows lines of its own.
        let _work = progress.busy(format!("checking out {}", short(commit)));
        let checkout = checkout::at(&project.root, prefix, commit, &checkouts)?;
        outside::configure(&head_files, top, kept, &checkouts)?;
        let own_files = Files::of(&checkout.package, &checkout.top);
        configuration::only_what_applies_to_both(&head_files, &own_files, kept)?;
        let head_metadata = child::metadata(&project.root).exec().ok();
        if let Some(metadata) = &head_metadata {
            outside::link(metadata, top, &checkouts)?;
        }
        let inherited = Environment::of(&project.root, &head_files);
        if manifests::lead_out(&checkout.top, top)? {
            // Where cargo cannot tell, it says why when it builds.
            if let Ok(whole) = inherited.metadata(&checkout.package).exec() {
                manifests::nothing_leads_back(&whole, top)?;
            }
        }
        Ok(Prepared {
            project,
            place,
            commit,
            checkout,
            head_files,
            own_files,
            head_metadata,
            inherited,
        })
    }

    /// Where the base's `budgets.toml` would be.
    pub(super) fn root(&self) -> &Path {
        &self.checkout.package
    }

    /// How the configuration of both differs, where it does.
    pub(super) fn difference(&self) -> Option<String> {
        configuration::difference(&self.head_files, &self.own_files)
    }

    /// What cargo says of the base's workspace; `None` where it says nothing, and why is said when it builds.
    pub(super) fn workspace(&self) -> Option<Metadata> {
        self.inherited.metadata(self.root()).no_deps().exec().ok()
    }

    /// What the base has none of, so that there is nothing to compare with.
    pub(super) fn lacks(
        &self,
        wanted: &Wanted<'_>,
        workspace: Option<&Metadata>,
    ) -> Result<Option<String>, Failure> {
        let root = self.root();
        let at = &self.checkout.prefix;
        Ok(if !root.join("Cargo.toml").is_file() {
            if self.place.prefix.is_empty() {
                return Err(Failure::unmeasured(format!(
                    "{} has no package in `{at}` at {}, so there is nothing to build there",
                    wanted.revision,
                    short(self.commit)
                )));
            }
            Some(format!("has no package in `{at}`"))
        } else if !root.join("budgets.toml").is_file() {
            Some("has no budgets.toml".to_owned())
        } else if workspace.is_some_and(|workspace| !has_test(workspace, root, wanted.target)) {
            Some(format!("has no test `{}`", wanted.target.test))
        } else {
            None
        })
    }

    /// Builds the base, as far as anything is left to compare with it.
    pub(super) fn make(
        &self,
        wanted: &Wanted<'_>,
        workspace: Option<&Metadata>,
        tell: &dyn Fn(&str),
    ) -> Result<Made, Failure> {
        let both = self.head_metadata.as_ref().zip(workspace);
        let served = both.map_or(Ok(None), |(head, base)| {
            lock::serve(head.workspace_root.as_std_path(), base.workspace_root.as_std_path())
        })?;
        let budgets = self.project.budgets()?;
        let before = budget::load(&self.root().join("budgets.toml")).ok();
        let proof = self.proof(wanted, (&budgets, before.as_ref()), tell);
        let mut unchanged = proof.as_ref().and_then(|proof| proof.by_files(tell));
        let leaves_any =
            |unchanged: Option<&_>| unchanged.is_none_or(|known| same::leaves_any(&budgets, known));
        if !leaves_any(unchanged.as_ref()) {
            let compared = Compared::default();
            return Ok(Made { binary: None, compared, unchanged, note: None });
        }
        if let Some(command) = wanted.prepare {
            tell(&format!("preparing {}: {command}", short(self.commit)));
            build::prepare(command, self.root(), &self.inherited)?;
        }
        let target_dir = self.place.results.join("target");
        let making = self.making(wanted, workspace, &target_dir);
        let (binary, other) = making.binary(&self.inherited, tell)?;
        if let (Some(proof), None, Some(workspace)) = (&proof, &unchanged, workspace) {
            let workspace = workspace.workspace_root.as_std_path();
            unchanged = proof.by_sections(&binary, workspace, tell);
        }
        let mut compared = Compared::default();
        if leaves_any(unchanged.as_ref()) {
            compared = making.compared(other, tell)?;
        }
        making.save(&binary, &compared, &self.inherited)?;
        let note = served.and_then(|lock| lock.difference());
        Ok(Made { binary: Some(binary), compared, unchanged, note })
    }

    /// What differs between both, where what did not change need not be measured.
    fn proof<'p>(
        &'p self,
        wanted: &Wanted<'p>,
        (budgets, before): (&'p Budgets, Option<&'p Budgets>),
        tell: &dyn Fn(&str),
    ) -> Option<same::Comparison<'p>> {
        let (built, metadata) = wanted.proves.zip(self.head_metadata.as_ref())?;
        let Place { top, prefix, .. } = self.place;
        let head = same::Head { root: &self.project.root, top, prefix, built, metadata };
        same::Comparison::of(same::Given { head, commit: self.commit, budgets, before }, tell)
    }

    fn making<'m>(
        &'m self,
        wanted: &'m Wanted<'m>,
        workspace: Option<&'m Metadata>,
        target_dir: &'m Path,
    ) -> Making<'m> {
        Making {
            commit: self.commit,
            wanted,
            target_dir: target_dir.to_owned(),
            links: self.place.results.join("links"),
            checkout: &self.checkout.top,
            head: Revision {
                root: &self.project.root,
                side: Side::Head,
                workspace: self.head_metadata.as_ref(),
                files: &self.head_files,
            },
            other: Revision {
                root: self.root(),
                side: Side::Base { environment: &self.inherited, target_dir },
                workspace,
                files: &self.own_files,
            },
            is_alike: self.difference().is_none(),
        }
    }
}

/// Whether a package has the test that holds the budgets. One that cargo does not name is built, and cargo says why not.
fn has_test(workspace: &Metadata, root: &Path, target: &Target) -> bool {
    let own = members::own(workspace, root);
    own.is_none_or(|package| package.targets.iter().any(|t| t.is_test() && t.name == target.test))
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
