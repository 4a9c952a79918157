//! The base's binaries: taken from a directory where they were saved before, or else built here. Such a build reuses
//! the dependencies that this revision has compiled.

use std::path::{Path, PathBuf};

use perf_budget_core::outcome::short;

use super::build::{Built, Target};
use super::compared::{self, BuildOptions, Compared, LinkSource, Proofs, Revision};
use super::environment::Environment;
use super::running::{self, Changes, Test};
use super::saved::{self, CopiedBase, Key};
use super::shared;
use crate::child;
use crate::failure::Failure;

/// The request for binaries of the base: which of them are wanted, and how they are built.
#[derive(Debug, Clone)]
pub(super) struct BinariesRequest<'a> {
    /// The revision in any form that git accepts.
    pub(super) revision: &'a str,
    /// The test target, and how it is built.
    pub(super) target: &'a Target,
    /// A shell command that makes what the budgets measure and cargo does not build.
    pub(super) prepare: Option<&'a str>,
    /// How both revisions are built to compare times; `None` where nothing is measured.
    pub(super) times: Option<BuildOptions>,
    /// A directory with a base that was built elsewhere.
    pub(super) from: Option<&'a Path>,
    /// A directory that this base is written to, in which case nothing is compared with it.
    pub(super) to: Option<&'a Path>,
    /// The build of this revision, where it was built.
    pub(super) head: Option<&'a Built>,
    /// Whether it is proven from that build what has not changed, so that this is not measured.
    pub(super) proves: bool,
    /// Whether nothing is built, because only the proof by files is asked for.
    pub(super) asks_files: bool,
}

/// A build of the base, with everything that it needs.
pub(super) struct BaseBuild<'a> {
    pub(super) commit: &'a str,
    pub(super) wanted: &'a BinariesRequest<'a>,
    /// The target directory that the base is built in.
    pub(super) target_dir: &'a Path,
    /// The directory for the records of links, by which they are repeated.
    pub(super) links: PathBuf,
    /// The top of the base's checkout.
    pub(super) checkout: &'a Path,
    /// This revision.
    pub(super) head: Revision<'a>,
    /// The base.
    pub(super) base: Revision<'a>,
    /// Whether both revisions have the same configuration.
    pub(super) has_same_configuration: bool,
    /// Whether any configuration replaces a registry, for instance by a directory of the project.
    pub(super) is_vendored: bool,
}

/// The base's binary as cargo builds it.
pub(super) struct CargoBinary<'a> {
    pub(super) binary: PathBuf,
    /// The source of the links that times are compared with.
    pub(super) other: LinkSource<'a>,
    /// The changes that cargo makes to the environment of the binary; `None` where cargo can be asked for them.
    pub(super) environment: Option<Changes>,
}

/// The changes that cargo makes to the environments of the tests of both revisions.
pub(super) struct TestEnvironments {
    pub(super) base: Changes,
    /// Those of this revision; `None` where it was not built.
    head: Option<Changes>,
}

impl TestEnvironments {
    /// Returns a variable that has another value in the base's tests than in this revision's.
    pub(super) fn difference(&self) -> Option<String> {
        running::difference(self.head.as_ref()?, &self.base)
    }

    /// Returns the differences of the environment in which the base's tests run from that of this revision's.
    pub(super) fn run_of_base(&self) -> Changes {
        self.head.as_ref().map(|head| running::of_base(head, &self.base)).unwrap_or_default()
    }
}

impl<'a> BaseBuild<'a> {
    /// Builds the base's binary, or takes it from the directory where it was saved.
    pub(super) fn binary(
        &self,
        environment: &Environment,
        tell: &dyn Fn(&str),
    ) -> Result<CargoBinary<'a>, Failure> {
        let short = short(self.commit);
        if let Some(from) = self.wanted.from {
            let key = self.key(environment)?;
            match saved::take(from, &key, self.base.root, self.target_dir) {
                Ok(taken) => {
                    tell(&format!("taking {short} from {}", from.display()));
                    let CopiedBase { binary, links, reason, environment } = taken;
                    let other = LinkSource::Taken(links, reason);
                    return Ok(CargoBinary { binary, other, environment: Some(environment) });
                }
                Err(reason) => {
                    tell(&format!("the base in {} cannot be used: {reason}", from.display()));
                }
            }
        }
        tell(&format!("building {short} in {}", self.base.root.display()));
        Ok(CargoBinary {
            binary: self.build()?,
            other: LinkSource::Build(self.base),
            environment: None,
        })
    }

    /// Makes the builds that times are compared with, if any limit compares times. Both revisions are built, or the base
    /// alone where it is saved. `proofs` compares the builds.
    pub(super) fn compared(
        &self,
        other: LinkSource<'_>,
        proofs: Proofs<'_>,
        tell: &dyn Fn(&str),
    ) -> Result<Compared, Failure> {
        let Some(times) = self.wanted.times.filter(|times| times.is_wanted) else {
            return Ok(Compared::default());
        };
        tell("building once more to compare times");
        let head = self.wanted.to.is_none().then_some(self.head);
        compared::build(self.wanted.target, times, &self.links, head, other, proofs)
    }

    /// Writes the base to the directory that it is to be saved in, if there is one.
    pub(super) fn save(
        &self,
        binary: &Path,
        compared: &Compared,
        run: &Changes,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let Some(to) = self.wanted.to else { return Ok(()) };
        let links = (&compared.base, compared.reason.as_deref());
        let key = self.key(environment)?;
        saved::write(to, &key, (self.base.root, self.target_dir), binary, links, run)
    }

    /// Returns the environments of both revisions' tests, of which that of the base may be known; `None` where nothing is run
    /// or saved.
    pub(super) fn environments(
        &self,
        binary: &Path,
        base: Option<Changes>,
    ) -> Result<Option<TestEnvironments>, Failure> {
        if self.wanted.head.is_none() && self.wanted.to.is_none() {
            return Ok(None);
        }
        let base = base.map_or_else(|| self.environment(self.base, binary), Ok)?;
        let head = self.wanted.head.map(|head| self.environment(self.head, &head.binary));
        Ok(Some(TestEnvironments { base, head: head.transpose()? }))
    }

    /// Returns what cargo changes in the environment to run the test of a revision.
    fn environment(&self, revision: Revision<'_>, binary: &Path) -> Result<Changes, Failure> {
        let Revision { root: package, side, .. } = revision;
        let test = Test { target: self.wanted.target, package, side, binary };
        running::changes(test, &self.links)
    }

    /// Builds the base's binary, with the dependencies that this revision has compiled where they can be reused.
    fn build(&self) -> Result<PathBuf, Failure> {
        let BaseBuild { commit, wanted, target_dir, checkout, head, base, .. } = self;
        let is_alike = self.has_same_configuration && !self.is_vendored;
        if let (Some(built), Some(metadata), true) = (wanted.head, head.workspace, is_alike)
            && !shared::is_built(target_dir, commit, checkout)
        {
            built.lend(metadata.target_directory.as_std_path(), target_dir);
        }
        let build = || wanted.target.build(base.root, base.side);
        shared::build(target_dir, (commit, self.is_vendored), checkout, build)
    }

    /// Returns the description of this base by which a saved one is recognised.
    fn key(&self, environment: &Environment) -> Result<Key, Failure> {
        let target = self.wanted.target;
        let mut cargo = environment.cargo();
        let version = child::output(cargo.arg("-vV").current_dir(self.base.root));
        let version =
            version.map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
        let flags = self.base.files.flags().into_iter();
        Ok(Key {
            commit: self.commit.to_owned(),
            test: target.test.clone(),
            profile: target.profile.clone(),
            options: target.options.clone(),
            toolchain: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            flags: flags.map(|(key, value)| (key, saved::digest(value.as_bytes()))).collect(),
            times: self.wanted.times.map_or("", BuildOptions::way).to_owned(),
        })
    }
}
