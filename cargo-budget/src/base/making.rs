//! The base's binaries: taken from where they were built before, or built here, quickly where this revision's build helps.

use std::path::{Path, PathBuf};

use super::build::{Built, Target};
use super::compared::{self, Asked, Compared, Other, Revision};
use super::environment::Environment;
use super::saved::{self, Key};
use super::shared;
use crate::failure::Failure;

/// What is asked of the base.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// A revision as git knows it.
    pub(super) revision: &'a str,
    /// The test target, and how it is built.
    pub(super) target: &'a Target,
    /// A command of the shell that makes what the budgets measure and cargo does not build.
    pub(super) prepare: Option<&'a str>,
    /// How both are built to compare times; `None` where nothing is measured, and so this revision is not built.
    pub(super) times: Option<Asked>,
    /// A directory with a base that was built elsewhere.
    pub(super) from: Option<&'a Path>,
    /// A directory to write this base to, in which case nothing is compared with it.
    pub(super) to: Option<&'a Path>,
    /// What this revision's build said, where what did not change need not be measured.
    pub(super) proves: Option<&'a Built>,
}

/// All that it takes.
pub(super) struct Making<'a> {
    pub(super) commit: &'a str,
    pub(super) wanted: &'a Wanted<'a>,
    /// Where bases are built.
    pub(super) target_dir: PathBuf,
    /// Where what is kept of links is.
    pub(super) links: PathBuf,
    /// The top of the base's checkout.
    pub(super) checkout: &'a Path,
    pub(super) head: Revision<'a>,
    pub(super) other: Revision<'a>,
    /// Whether both have the same configuration.
    pub(super) is_alike: bool,
}

impl<'a> Making<'a> {
    /// The base's binary as cargo builds it, and where the links that times are compared by come from.
    pub(super) fn binary(
        &self,
        environment: &Environment,
        tell: &dyn Fn(&str),
    ) -> Result<(PathBuf, Other<'a>), Failure> {
        let short = &self.commit[..self.commit.len().min(12)];
        if let Some(from) = self.wanted.from {
            let key = self.key(environment)?;
            match saved::take(from, &key, self.other.root, &self.target_dir) {
                Ok(taken) => {
                    tell(&format!("taking {short} from {}", from.display()));
                    return Ok((taken.binary, Other::Taken(taken.links, taken.reason)));
                }
                Err(reason) => tell(&format!(
                    "the base in {} is not this one, and is not used: {reason}",
                    from.display()
                )),
            }
        }
        tell(&format!("building {short} in {}", self.other.root.display()));
        Ok((self.built()?, Other::Build(self.other)))
    }

    /// The builds that times are compared by, where any are: of both revisions, or of the base alone where it is saved.
    pub(super) fn compared(
        &self,
        other: Other<'_>,
        tell: &dyn Fn(&str),
    ) -> Result<Compared, Failure> {
        let Some(times) = self.wanted.times.filter(|times| times.is_wanted) else {
            return Ok(Compared::default());
        };
        tell("building once more, to compare times");
        let head = self.wanted.to.is_none().then_some(self.head);
        compared::build(self.wanted.target, times, &self.links, head, other)
    }

    /// Writes the base to where it was asked to be saved, if it was.
    pub(super) fn save(
        &self,
        binary: &Path,
        compared: &Compared,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let Some(to) = self.wanted.to else { return Ok(()) };
        let links = (&compared.base.binaries[..], compared.reason.as_deref());
        let key = self.key(environment)?;
        saved::write(to, &key, (self.other.root, &self.target_dir), binary, links)
    }

    /// The base's binary, built.
    fn built(&self) -> Result<PathBuf, Failure> {
        let Making { commit, wanted, target_dir, checkout, head, other, .. } = self;
        let is_head_built = wanted.times.is_some() && wanted.to.is_none();
        // What another configuration says to a build script is in no hash.
        if let (Some(metadata), true, true) = (head.workspace, is_head_built, self.is_alike)
            && !shared::is_built(target_dir, commit, checkout)
        {
            wanted.target.lend(head.root, metadata.target_directory.as_std_path(), target_dir);
        }
        let build = || wanted.target.build(other.root, other.side);
        shared::build(target_dir, commit, checkout, build)
    }

    /// What this base is built of and by.
    fn key(&self, environment: &Environment) -> Result<Key, Failure> {
        let target = self.wanted.target;
        let mut cargo = environment.cargo();
        let said = cargo.arg("-vV").current_dir(self.other.root).output();
        let said = said.map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
        let flags = self.other.files.flags().into_iter();
        Ok(Key {
            commit: self.commit.to_owned(),
            test: target.test.clone(),
            profile: target.profile.clone(),
            options: target.options.clone(),
            toolchain: String::from_utf8_lossy(&said.stdout).trim().to_owned(),
            flags: flags.map(|(key, value)| (key, saved::digest(value.as_bytes()))).collect(),
            times: self.wanted.times.map_or("", Asked::way).to_owned(),
        })
    }
}
