//! A commit's files, in a git worktree of their own.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::outcome::short;

use super::own_git::UNHOOKED;
use super::submodules;
use crate::failure::Failure;
use crate::file;
use crate::git::{Repository, git, reason, text};

/// The number of checkouts that are kept: those that were used last.
const KEPT: usize = 4;
/// The age after which a checkout is removed in any case, counted from its last use.
pub(super) const AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A checkout of one commit.
#[derive(Debug)]
pub(super) struct Checkout {
    /// The top of the work tree.
    pub(super) top: PathBuf,
    /// The project's directory in the work tree.
    pub(super) package: PathBuf,
    /// The project's directory relative to the top; `.` where it is the top.
    pub(super) prefix: String,
}

/// Returns the merge base of `revision` and of the commit that is checked out. In a shallow clone that does not contain the
/// merge base, it returns the revision itself.
pub(super) fn commit(root: &Path, revision: &str) -> Result<String, Failure> {
    let commit = Repository::containing(root)?.commit(revision)?;
    let base = git(root, ["merge-base", "HEAD", &commit])?;
    Ok(if base.status.success() { text(&base) } else { commit })
}

/// Returns the top of the repository that `root` is in, and the path from there to `root`.
pub(super) fn top(root: &Path) -> Result<(PathBuf, String), Failure> {
    let repository = Repository::containing(root)?;
    let prefix = repository.prefix().to_owned();
    let top = root.ancestors().nth(Path::new(&prefix).components().count());
    Ok((top.unwrap_or(root).to_owned(), prefix))
}

/// Checks out `commit` in a directory of `parent`, unless it is there already.
pub(super) fn check_out(
    root: &Path,
    prefix: &str,
    commit: &str,
    parent: &Path,
) -> Result<Checkout, Failure> {
    let directory = parent.join(short(commit));
    // This file is written last, once the submodules are there too.
    let whole = directory.with_extension("whole");
    let is_there = whole.is_file()
        && directory.join(".git").exists()
        && git(&directory, ["rev-parse", "HEAD"]).is_ok_and(|head| text(&head) == commit);
    if !is_there {
        remove(root, &directory)?;
        std::fs::create_dir_all(parent).map_err(|e| Failure::io("create", parent, &e))?;
        remove_oldest(root, parent, KEPT - 1);
        add(root, &directory, commit)?;
        take_submodules(root, &directory, commit)?;
        std::fs::write(&whole, commit).map_err(|e| Failure::io("write", &whole, &e))?;
    }
    // The modification time is the time of the last use.
    let _ = std::fs::File::open(&directory).and_then(|dir| dir.set_modified(SystemTime::now()));
    // This checkout has the newest time now, so it stays.
    remove_oldest(root, parent, KEPT);
    let package = directory.join(prefix);
    let prefix = if prefix.is_empty() { "." } else { prefix }.to_owned();
    Ok(Checkout { top: directory, package, prefix })
}

/// Checks out `commit` in a new work tree, without its submodules.
pub(super) fn add(root: &Path, directory: &Path, commit: &str) -> Result<(), Failure> {
    let path = directory.to_string_lossy();
    let mut arguments = UNHOOKED.to_vec();
    arguments.extend(["worktree", "add", "--detach", "--force", &path, commit]);
    let added = git(root, arguments)?;
    if !added.status.success() {
        return Err(Failure::unmeasured(format!(
            "failed to check out {commit} in `{path}`: {}",
            reason(&added)
        )));
    }
    Ok(())
}

/// Checks out the submodules of a work tree, from those of the repository that `root` is in.
pub(super) fn take_submodules(root: &Path, top: &Path, commit: &str) -> Result<(), Failure> {
    if top.join(".gitmodules").is_file() {
        let common = text(&git(root, ["rev-parse", "--git-common-dir"])?);
        submodules::update(top, &root.join(common).join("modules"), commit)?;
    }
    Ok(())
}

/// Removes a checkout and git's record of it. Git's records of other work trees are left alone.
fn remove(root: &Path, directory: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_file(directory.with_extension("whole"));
    if directory.exists() {
        git(root, ["worktree", "remove", "--force", &directory.to_string_lossy()])?;
    }
    // Anything that is still there is an incomplete checkout that git does not know.
    file::remove_directory(directory)
}

/// Removes checkouts until at most `left` are there, none of them old. A checkout that cannot be removed stays, which
/// does no harm.
fn remove_oldest(root: &Path, parent: &Path, left: usize) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let mut checkouts: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            // The links beside the checkouts are not checkouts, even where they lead to a work tree.
            let is_own = path.symlink_metadata().ok()?.is_dir() && path.join(".git").is_file();
            is_own.then(|| Some((path.metadata().ok()?.modified().ok()?, path)))?
        })
        .collect();
    checkouts.sort();
    let surplus = checkouts.len().saturating_sub(left);
    for (nth, (used, path)) in checkouts.into_iter().enumerate() {
        if nth < surplus || is_old(used) {
            let _ = remove(root, &path);
        }
    }
}

/// Whether something that was last used at this time is old enough to be removed.
pub(super) fn is_old(used: SystemTime) -> bool {
    used.elapsed().is_ok_and(|age| age > AGE)
}
