//! The work tree as it is now, as a commit that no branch has. The user's index and branches are not touched: git only
//! gets objects that nothing refers to, and removes them later.

use std::path::Path;

use crate::base::UNHOOKED;
use crate::child;
use crate::failure::Failure;
use crate::git::{git, reason, text};

/// The options of git that name the author of a commit that no branch has, and leave it unsigned.
const NOBODY: [&str; 6] = [
    "-c",
    "user.name=cargo budget",
    "-c",
    "user.email=cargo-budget@localhost",
    "-c",
    "commit.gpgSign=false",
];

/// Git in a directory, with an index file of its own, so that the user's index is not touched.
struct Staging<'d> {
    directory: &'d Path,
    /// The directory with the index file, which is removed when this is dropped.
    place: tempfile::TempDir,
}

impl<'d> Staging<'d> {
    fn new(directory: &'d Path) -> Result<Staging<'d>, Failure> {
        let place = tempfile::tempdir().map_err(|e| {
            Failure::unmeasured(format!("failed to create a temporary directory: {e}"))
        })?;
        Ok(Staging { directory, place })
    }

    /// Returns what git prints.
    fn git(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.dated(None, arguments)
    }

    /// Returns what git prints. A commit that it makes gets this date.
    fn dated(&self, date: Option<&str>, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = child::git(self.directory);
        command.env("GIT_INDEX_FILE", self.place.path().join("index"));
        for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            command.envs(date.map(|date| (name, date)));
        }
        let output = child::output(command.args(UNHOOKED).args(arguments)).map_err(|e| {
            Failure::unmeasured(format!("failed to run `git`: {e}; install it, or add it to PATH"))
        })?;
        git_output(&output)
    }

    /// Makes a commit of what is staged.
    fn commit(
        &self,
        parent: Option<&str>,
        message: &str,
        date: Option<&str>,
    ) -> Result<String, Failure> {
        let tree = self.git(&["write-tree"])?;
        let parent = parent.map(|parent| ["-p", parent]);
        let parent = parent.as_ref().map_or(&[][..], |parent| parent);
        let made = ["-m", message, &tree];
        self.dated(date, &[&NOBODY[..], &["commit-tree"], parent, &made].concat())
    }
}

/// Returns the commit that is checked out if nothing is changed, and otherwise a commit on top of it with the changes.
pub(super) fn commit(root: &Path) -> Result<String, Failure> {
    let head = git_output(&git(root, ["rev-parse", "HEAD"])?)?;
    let top = git_output(&git(root, ["rev-parse", "--show-toplevel"])?)?;
    let staging = Staging::new(Path::new(&top))?;
    staging.git(&["read-tree", "HEAD"])?;
    staging.git(&["add", "--all", "."])?;
    if staging.git(&["write-tree"])? == git_output(&git(root, ["rev-parse", "HEAD^{tree}"])?)? {
        return Ok(head);
    }
    staging.commit(Some(&head), "The work tree", None)
}

/// Returns a commit of the work tree for each of these toolchains, with a file that names it. Each follows the one before.
pub(super) fn pinned(root: &Path, toolchains: &[&str]) -> Result<Vec<String>, Failure> {
    let work = commit(root)?;
    let prefix = git_output(&git(root, ["rev-parse", "--show-prefix"])?)?;
    let staging = Staging::new(root)?;
    let file = staging.place.path().join("rust-toolchain.toml");
    let file_name = file.to_string_lossy().into_owned();
    let mut commits: Vec<String> = Vec::new();
    for toolchain in toolchains {
        let text = format!("[toolchain]\nchannel = {toolchain:?}\n");
        std::fs::write(&file, text).map_err(|e| Failure::io("write", &file, &e))?;
        let blob = staging.git(&["hash-object", "-w", "--no-filters", &file_name])?;
        staging.git(&["read-tree", &work])?;
        // A file without the ending takes precedence.
        let own = format!(":(top,literal){prefix}rust-toolchain");
        staging.git(&["rm", "--cached", "--quiet", "--ignore-unmatch", "--", &own])?;
        let entry = format!("100644,{blob},{prefix}rust-toolchain.toml");
        staging.git(&["update-index", "--add", "--cacheinfo", &entry])?;
        // With a fixed date, the same toolchains and the same work tree always give the same commits, so that an interrupted
        // search can go on.
        let date = Some("2000-01-01T00:00:00Z");
        let parent = commits.last().map(String::as_str);
        let made = staging.commit(parent, &format!("With {toolchain}"), date)?;
        commits.push(made);
    }
    Ok(commits)
}

/// Returns what git printed.
fn git_output(output: &std::process::Output) -> Result<String, Failure> {
    if !output.status.success() {
        return Err(Failure::unmeasured(format!(
            "git failed to read the work tree: {}",
            reason(output)
        )));
    }
    Ok(text(output))
}
