//! A work tree of the command's own, in which one commit after another is compared as if it were this revision.
//!
//! It is in the user's cache, like the checkouts of bases. The bases that its commits are compared with are there too. Both
//! are removed when the [`TemporaryWorkTree`] is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::paths::USER_CACHE;

use super::configuration::Files;
use super::environment::Environment;
use super::own_git::UNHOOKED;
use super::{cache, checkout, outside};
use crate::child;
use crate::failure::Failure;
use crate::file;
use crate::git::{git, reason, text};
use crate::project::Project;

/// The variables that would make a comparison a part of this process's run, or of a step of GitHub Actions.
const OWN: [&str; 8] = [
    "PERF_BUDGET_RUN",
    "PERF_BUDGET_SHARD",
    "PERF_BUDGET_STRICT",
    "NEXTEST_RUN_ID",
    "NEXTEST_ATTEMPT",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_OUTPUT",
];

/// A work tree beside the project, which is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryWorkTree {
    /// The project's directory.
    project: PathBuf,
    /// The directory in the cache that holds everything.
    pub(crate) place: PathBuf,
    /// The top of the work tree.
    pub(crate) top: PathBuf,
    /// The project's directory in the work tree.
    pub(crate) package: PathBuf,
    /// The directory for what the comparisons build and record. It is not removed.
    pub(crate) results: PathBuf,
    environment: Environment,
    /// A lock that is held as long as the work tree exists.
    _lock: File,
}

impl TemporaryWorkTree {
    /// Checks out `commit` in a work tree of this name.
    pub(crate) fn new(
        project: &Project,
        name: &str,
        commit: &str,
    ) -> Result<TemporaryWorkTree, Failure> {
        let (top, prefix) = checkout::top(&project.root)?;
        let cache = cache::directory(&top)?;
        let place = cache.join(name);
        let lock = lock(&cache.join(format!("{name}.lock")))?;
        let results = project.results().join(name);
        let files = Files::find(&project.root, &top);
        let checkouts = outside::checkouts(&place, &top, &files);
        let work = checkouts.join("work");
        let tree = TemporaryWorkTree {
            project: project.root.clone(),
            package: work.join(&prefix),
            environment: Environment::new(&project.root, [&files, &files], &results.join("target")),
            place,
            top: work,
            results,
            _lock: lock,
        };
        // An earlier command may have been killed, and may have left its work tree.
        tree.remove()?;
        for directory in [&checkouts, &tree.results] {
            std::fs::create_dir_all(directory).map_err(|e| Failure::io("create", directory, &e))?;
        }
        checkout::add(&project.root, &tree.top, commit)?;
        outside::configure(&files, &top, &tree.place, &checkouts)?;
        // The user's lock file stays as it is.
        let mut metadata = child::metadata(&project.root);
        if let Ok(metadata) = metadata.other_options(["--locked".to_owned()]).exec() {
            outside::link(&metadata, &top, &checkouts)?;
        }
        Ok(tree)
    }

    /// Checks out another commit in the work tree, and removes every file that does not belong to it.
    pub(crate) fn switch(&self, commit: &str) -> Result<(), Failure> {
        for arguments in
            [&["checkout", "--quiet", "--detach", "--force", commit][..], &["clean", "-ffdxq"]]
        {
            let output = git(&self.top, [&UNHOOKED[..], arguments].concat())?;
            if !output.status.success() {
                return Err(Failure::unmeasured(format!(
                    "failed to check out {commit} in `{}`: {}",
                    self.top.display(),
                    reason(&output)
                )));
            }
        }
        checkout::take_submodules(&self.project, &self.top, commit)
    }

    /// Lets the files of the work tree choose the toolchain, even where this process was started with another toolchain.
    pub(crate) fn with_toolchain_of_files(mut self) -> TemporaryWorkTree {
        self.environment.free_toolchain();
        self
    }

    /// Returns the command of the compiler that builds in the work tree, behind the wrappers that cargo puts before it.
    pub(crate) fn rustc(&self) -> Command {
        let files = Files::find(&self.package, &self.top);
        let mut words =
            [files.wrapper(), files.named_wrapper("WORKSPACE_WRAPPER", "rustc-workspace-wrapper")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>();
        words.push("rustc".into());
        let mut command = child::program(&words[0]);
        command.args(&words[1..]);
        self.environment.apply(&mut command);
        command.current_dir(&self.package);
        command
    }

    /// Returns the directory this many levels above the project's directory in the work tree; `None` where it is outside of
    /// the work tree.
    pub(crate) fn above(&self, levels: usize) -> Option<PathBuf> {
        let directory = self.package.ancestors().nth(levels)?;
        directory.starts_with(&self.top).then(|| directory.to_owned())
    }

    /// Returns this command with arguments, to be run in the work tree: it builds and records in a directory of its own.
    pub(crate) fn command(&self, arguments: &[String]) -> Result<Command, Failure> {
        let mut command = child::self_command()?;
        self.environment.apply(&mut command);
        for name in OWN {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(&self.package);
        command.env("CARGO_TARGET_DIR", self.results.join("target"));
        command.env("PERF_BUDGET_DIR", self.results.join("results"));
        command.env(USER_CACHE, self.place.join("bases"));
        Ok(command)
    }

    /// Removes the work tree and the bases that it was compared with, and git's records of them.
    fn remove(&self) -> Result<(), Failure> {
        let listed = git(&self.project, ["worktree", "list", "--porcelain"])?;
        let listed = text(&listed);
        let paths = listed.lines().filter_map(|line| line.strip_prefix("worktree "));
        for path in paths.filter(|path| Path::new(path).starts_with(&self.place)) {
            git(&self.project, ["worktree", "remove", "--force", "--force", path])?;
        }
        file::remove_directory(&self.place)
    }
}

/// Takes a lock that only one command may have.
fn lock(path: &Path) -> Result<File, Failure> {
    let file = File::create(path).map_err(|e| Failure::io("create", path, &e))?;
    file.try_lock().map_err(|_| {
        Failure::unmeasured(
            "another command is doing the same in this repository; wait until it has ended, or end it",
        )
    })?;
    Ok(file)
}

impl Drop for TemporaryWorkTree {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next command.
        let _ = self.remove();
    }
}
