//! Both revisions before the base is built: the base's checkout, the configuration of both revisions, and cargo's
//! descriptions of both workspaces.

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use perf_budget_core::budget::environment::EnvironmentFacts;
use perf_budget_core::budget::{self, Budgets};
use perf_budget_core::build::BenchBuild;
use perf_budget_core::handover::Unchanged;
use perf_budget_core::outcome::{CodeChanges, short};

use super::benchmarks::{self, BenchmarkBuilds, BothBuilt};
use super::binaries::{BaseBuild, BinariesRequest, CargoBinary, TestEnvironments};
use super::build::{self, Side};
use super::compared::{Compared, Proofs, Revision};
use super::configuration::{self, Files};
use super::environment::Environment;
use super::running::Changes;
use super::unchanged::Reaching;
use super::{checkout, lock, manifests, members, outside, runners, shared, unchanged};
use crate::child;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// The directories in which the base is checked out and built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The directory of the project's results where bases are built.
    pub(super) results: &'a Path,
    /// The directory in the user's cache that holds the checkouts of this repository.
    pub(super) cache: &'a Path,
    /// The top of this repository.
    pub(super) top: &'a Path,
    /// The project's directory in the repository; empty at its top.
    pub(super) prefix: &'a str,
}

impl Place<'_> {
    /// Returns the target directory of bases without variables in `[env]`. Bases with variables have a directory beside it.
    pub(super) fn target_dir(&self) -> PathBuf {
        self.results.join("target")
    }
}

/// Both revisions, ready to be built.
pub(super) struct Prepared<'a> {
    project: &'a Project,
    place: Place<'a>,
    commit: &'a str,
    checkout: checkout::Checkout,
    /// The configuration files of this revision.
    head_files: Files,
    /// The configuration files of the base.
    base_files: Files,
    /// Cargo's description of this revision's workspace; `None` where cargo fails. It reports why when it builds.
    head_metadata: Option<Metadata>,
    /// The environment in which the base is built.
    pub(super) inherited: Environment,
    /// The target directory in which the base is built.
    target_dir: PathBuf,
}

/// The result of building the base; the default is that there was nothing to build.
#[derive(Default)]
pub(super) struct PreparedBase {
    /// The test binary; `None` where nothing is left to compare, so that nothing was built.
    pub(super) binary: Option<PathBuf>,
    /// The builds that times are compared with.
    pub(super) compared: Compared,
    /// The benchmarks of both revisions, where any are compared.
    pub(super) benchmarks: Vec<BothBuilt>,
    /// The parts that have not changed and need not be measured.
    pub(super) unchanged: Option<Unchanged>,
    /// The differences of the environment in which the base's processes run from that of this revision's.
    pub(super) run_environment: Changes,
    /// The changes in the code that runs; `None` where they are not known.
    pub(super) changed: Option<CodeChanges>,
    /// A note on how the lock files differ, where they do.
    pub(super) note: Option<String>,
}

impl<'a> Prepared<'a> {
    /// Checks the base out, and makes sure that this revision's configuration does not apply to it.
    pub(super) fn new(
        project: &'a Project,
        place: Place<'a>,
        commit: &'a str,
        progress: Progress,
    ) -> Result<Prepared<'a>, Failure> {
        let Place { cache, top, prefix, .. } = place;
        let head_files = Files::find(&project.root, top);
        let checkouts = outside::checkouts(cache, top, &head_files);
        // This line of progress ends before cargo shows lines of its own.
        let _work = progress.busy(format!("checking out {}", short(commit)));
        let checkout = checkout::check_out(&project.root, prefix, commit, &checkouts)?;
        outside::configure(&head_files, top, cache, &checkouts)?;
        let base_files = Files::find(&checkout.package, &checkout.top);
        configuration::only_what_applies_to_both(&head_files, &base_files, cache)?;
        head_files.lead_into_no_revision(&base_files)?;
        let head_metadata = child::metadata(&project.root).exec().ok();
        if let Some(metadata) = &head_metadata {
            outside::link(metadata, top, &checkouts)?;
        }
        let target_dir = shared::directory_with(&place.target_dir(), &base_files.settings());
        let inherited = Environment::new(&project.root, [&head_files, &base_files], &target_dir);
        if manifests::rewrite_paths_that_lead_out(&checkout.top, top)? {
            // Where cargo fails here, it reports why when it builds.
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
            base_files,
            head_metadata,
            inherited,
            target_dir,
        })
    }

    /// Returns the directory that holds the base's `budgets.toml`, or would hold it.
    pub(super) fn root(&self) -> &Path {
        &self.checkout.package
    }

    /// Checks that the same program runs the tests of both revisions, if any of them are compared.
    pub(super) fn check_runners(&self) -> Result<(), Failure> {
        let files = [&self.head_files, &self.base_files];
        runners::check(&self.project.root, &self.project.budgets()?, files)
    }

    /// Returns a note on how the configurations of both revisions differ, where they do.
    pub(super) fn difference(&self) -> Option<String> {
        configuration::difference(&self.head_files, &self.base_files)
    }

    /// Returns cargo's description of the base's workspace; `None` where cargo fails. It reports why when it builds.
    pub(super) fn workspace(&self) -> Option<Metadata> {
        self.inherited.metadata(self.root()).no_deps().exec().ok()
    }

    /// Returns the part that the base would need and does not have, so that there is nothing to compare with.
    pub(super) fn missing_part(
        &self,
        wanted: &BinariesRequest<'_>,
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
        } else if !self.project.file_in(root).is_file() {
            let name = self.project.file_in(Path::new(""));
            Some(format!("has no {}", name.display()))
        } else if workspace
            .is_some_and(|workspace| !members::has_test(workspace, root, &wanted.target.test))
        {
            Some(format!("has no test `{}`", wanted.target.test))
        } else {
            None
        })
    }

    /// Builds the base, unless it is proven that nothing to be compared has changed. Without `tests` only its benchmarks
    /// are built.
    pub(super) fn make(
        &self,
        wanted: &BinariesRequest<'_>,
        workspace: Option<&Metadata>,
        tests: bool,
        tell: &dyn Fn(&str),
    ) -> Result<PreparedBase, Failure> {
        let budgets = self.project.budgets()?;
        let has_package = self.root().join("Cargo.toml").is_file();
        if !tests && (!has_package || ways(wanted, &budgets).is_empty()) {
            return Ok(PreparedBase::default());
        }
        let both = self.head_metadata.as_ref().zip(workspace);
        let lock = both.map_or(Ok(None), |(head, base)| {
            lock::copy_to_base(head.workspace_root.as_std_path(), base.workspace_root.as_std_path())
        })?;
        let before =
            budget::load_in(&self.project.file_in(self.root()), &EnvironmentFacts::of_record(None))
                .ok();
        let mut is_prepared = false;
        let benchmarks = self.benchmarks(
            wanted,
            workspace,
            (&budgets, before.as_ref()),
            &mut is_prepared,
            tell,
        )?;
        if !tests {
            let note = lock.and_then(|lock| lock.difference());
            return Ok(PreparedBase { benchmarks, note, ..PreparedBase::default() });
        }
        let is_for_others = wanted.to.is_some() || wanted.asks_files;
        if !is_for_others && !unchanged::compares_tests(&budgets) {
            tell(&format!("no limit is against {}, so it is not built", short(self.commit)));
            return Ok(PreparedBase { benchmarks, ..PreparedBase::default() });
        }
        let comparison = self.comparison(wanted, (&budgets, before.as_ref()), tell);
        let proof = comparison.as_ref().filter(|_| wanted.proves);
        let proven = proof.and_then(|proof| proof.by_files(tell));
        let proves_all = |known: &Unchanged| !unchanged::leaves_any(&budgets, known);
        if wanted.asks_files || proven.as_ref().is_some_and(proves_all) {
            return Ok(PreparedBase { unchanged: proven, benchmarks, ..PreparedBase::default() });
        }
        self.prepare(wanted, &mut is_prepared, tell)?;
        let known = (comparison.as_ref(), proven);
        let base = self.build_tests(wanted, workspace, &budgets, known, tell)?;
        let note = lock.and_then(|lock| lock.difference());
        Ok(PreparedBase { benchmarks, note, ..base })
    }

    /// Builds the base's tests, and proves by their code what has not changed, unless that is proven by files already.
    fn build_tests(
        &self,
        wanted: &BinariesRequest<'_>,
        workspace: Option<&Metadata>,
        budgets: &Budgets,
        (comparison, proven): (Option<&unchanged::Comparison<'_>>, Option<Unchanged>),
        tell: &dyn Fn(&str),
    ) -> Result<PreparedBase, Failure> {
        let build = self.base_build(wanted, workspace);
        let CargoBinary { binary, other, environment } = build.binary(&self.inherited, tell)?;
        let tree = workspace.map(|workspace| unchanged::BaseTree {
            top: &self.checkout.top,
            workspace: workspace.workspace_root.as_std_path(),
        });
        let environments = build.environments(&binary, environment)?;
        let variable = environments.as_ref().and_then(TestEnvironments::difference);
        if let Some(name) = &variable {
            tell(&format!(
                "everything is measured: the variable `{name}` has another value in the base's tests"
            ));
        }
        // A workload may read a variable, so the same code in another environment proves nothing.
        let comparison = comparison.filter(|_| variable.is_none());
        let proof = comparison.filter(|_| wanted.proves);
        let proven = proven.or_else(|| proof?.by_sections(&binary, tree?, tell));
        let open = proof.filter(|_| proven.is_none());
        let proofs = Proofs {
            equal: &|base, head| open?.by_sections_of_times([base, head], tree?, tell),
            reach: &|base, head, place| {
                open?.by_reach([base, head], tree?, (place, Reaching::Workloads), tell)
            },
        };
        let leaves_any = |known: &Unchanged| unchanged::leaves_any(budgets, known);
        let is_measured = proven.as_ref().is_none_or(leaves_any);
        let mut compared = Compared::default();
        if is_measured {
            compared = build.compared(other, proofs, tell)?;
        }
        let mut run_environment = Changes::new();
        let is_run = wanted.head.is_some() && is_measured;
        if let Some(both) = environments.filter(|_| is_run || wanted.to.is_some()) {
            build.save(&binary, &compared, &both.base, &self.inherited)?;
            run_environment = both.run_of_base();
        }
        // What has changed is known where nothing is to be proven, too.
        let changed = comparison.zip(tree).map(|(both, tree)| both.changed(tree.workspace));
        Ok(PreparedBase {
            changed,
            binary: Some(binary),
            compared,
            unchanged: proven,
            run_environment,
            ..PreparedBase::default()
        })
    }

    /// Whether the benchmarks are all that is compared, so that the base needs no tests.
    pub(super) fn compares_benchmarks_alone(
        &self,
        wanted: &BinariesRequest<'_>,
    ) -> Result<bool, Failure> {
        let budgets = self.project.budgets()?;
        let has_package = self.root().join("Cargo.toml").is_file();
        Ok(has_package
            && !ways(wanted, &budgets).is_empty()
            && !unchanged::compares_tests(&budgets))
    }

    /// Runs the user's command that prepares the base, unless it has already run.
    fn prepare(
        &self,
        wanted: &BinariesRequest<'_>,
        is_done: &mut bool,
        tell: &dyn Fn(&str),
    ) -> Result<(), Failure> {
        let Some(command) = wanted.prepare.filter(|_| !*is_done) else { return Ok(()) };
        tell(&format!("preparing {}: {command}", short(self.commit)));
        *is_done = true;
        build::prepare(command, self.root(), &self.inherited)
    }

    /// Builds the benchmarks of both revisions, in each way that the budgets that compare them ask for.
    fn benchmarks(
        &self,
        wanted: &BinariesRequest<'_>,
        workspace: Option<&Metadata>,
        (budgets, before): (&Budgets, Option<&Budgets>),
        is_prepared: &mut bool,
        tell: &dyn Fn(&str),
    ) -> Result<Vec<BothBuilt>, Failure> {
        let ways = ways(wanted, budgets);
        if ways.is_empty() {
            return Ok(Vec::new());
        }
        let BaseBuild { head, base, has_same_configuration, is_vendored, .. } =
            self.base_build(wanted, workspace);
        let both = BenchmarkBuilds {
            commit: self.commit,
            lists: self.project.results().join("benchmarks"),
            links: self.place.results.join("links"),
            target_dir: &self.target_dir,
            checkout: &self.checkout.top,
            head,
            base,
            place: (self.place.top, self.place.prefix),
            budgets,
            before,
            proves: wanted.proves,
            has_same_configuration,
            is_vendored,
        };
        let build = |way| both.build(&way, &mut || self.prepare(wanted, is_prepared, tell), tell);
        ways.into_iter().map(build).collect()
    }

    /// Returns the known differences between both revisions; `None` where nothing is known about them.
    fn comparison<'p>(
        &'p self,
        wanted: &BinariesRequest<'p>,
        (budgets, before): (&'p Budgets, Option<&'p Budgets>),
        tell: &dyn Fn(&str),
    ) -> Option<unchanged::Comparison<'p>> {
        let built = wanted.head?;
        // If everything is to be measured anyway, the user needs no reasons.
        let tell = if wanted.proves { tell } else { &|_: &str| {} };
        let metadata = self.head_metadata.as_ref()?;
        let Place { top, prefix, .. } = self.place;
        let files = &self.head_files;
        let head =
            unchanged::Head { root: &self.project.root, top, prefix, built, metadata, files };
        unchanged::Comparison::new(
            unchanged::Revisions { head, commit: self.commit, budgets, before },
            tell,
        )
    }

    fn base_build<'m>(
        &'m self,
        wanted: &'m BinariesRequest<'m>,
        workspace: Option<&'m Metadata>,
    ) -> BaseBuild<'m> {
        BaseBuild {
            commit: self.commit,
            wanted,
            target_dir: &self.target_dir,
            links: self.place.results.join("links"),
            checkout: &self.checkout.top,
            head: Revision {
                root: &self.project.root,
                side: Side::Head,
                workspace: self.head_metadata.as_ref(),
                files: &self.head_files,
            },
            base: Revision {
                root: self.root(),
                side: Side::Base { environment: &self.inherited, target_dir: &self.target_dir },
                workspace,
                files: &self.base_files,
            },
            has_same_configuration: self.difference().is_none(),
            is_vendored: [&self.head_files, &self.base_files].iter().any(|f| f.set(&["source"])),
        }
    }
}

/// Returns the ways in which benchmarks are built to be compared: none where only tests are saved, or where nothing is
/// measured.
fn ways(wanted: &BinariesRequest<'_>, budgets: &Budgets) -> Vec<BenchBuild> {
    let is_measured = wanted.to.is_none() && wanted.times.is_some();
    if is_measured { benchmarks::ways(budgets) } else { Vec::new() }
}
