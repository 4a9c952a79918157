//! A commit's files, in a git worktree of their own.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::submodules;
use super::unhooked::{UNHOOKED, text};
use crate::failure::Failure;
use crate::git::{Repository, git, said};

/// So many checkouts are kept, the ones used last,
const KEPT: usize = 4;
/// and none that was not used for so long.
pub(super) const AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A commit's files.
#[derive(Debug)]
pub(super) struct Checkout {
    /// Where it begins.
    pub(super) top: PathBuf,
    /// Where the project's directory is in it.
    pub(super) package: PathBuf,
    /// The project's directory in the repository; `.` at its top.
    pub(super) prefix: String,
}

/// The merge base of `revision` and what is checked out; where this clone does not reach so far, the
/// revision itself.
pub(super) fn commit(root: &Path, revision: &str) -> Result<String, Failure> {
    let commit = Repository::of(root)?.commit(revision)?;
    let base = git(root, ["merge-base", "HEAD", &commit])?;
    Ok(if base.status.success() { text(&base) } else { commit })
}

/// The top of the repository that `root` is in, and the project's directory from there.
pub(super) fn top(root: &Path) -> Result<(PathBuf, String), Failure> {
    let repository = Repository::of(root)?;
    let prefix = repository.prefix().to_owned();
    let top = root.ancestors().nth(Path::new(&prefix).components().count());
    Ok((top.unwrap_or(root).to_owned(), prefix))
}

/// Checks out `commit` in `parent`, unless that is done already.
pub(super) fn at(
    root: &Path,
    prefix: &str,
    commit: &str,
    parent: &Path,
) -> Result<Checkout, Failure> {
    let directory = parent.join(&commit[..commit.len().min(12)]);
    // Made only when its submodules are there too.
    let whole = directory.with_extension("whole");
    let there = whole.is_file()
        && directory.join(".git").exists()
        && git(&directory, ["rev-parse", "HEAD"]).is_ok_and(|head| text(&head) == commit);
    if !there {
        remove(root, &directory)?;
        std::fs::create_dir_all(parent).map_err(|e| Failure::io("create", parent, &e))?;
        forget(root, parent, KEPT - 1);
        let path = directory.to_string_lossy();
        let mut arguments = UNHOOKED.to_vec();
        arguments.extend(["worktree", "add", "--detach", "--force", &path, commit]);
        let added = git(root, arguments)?;
        if !added.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to check out {commit} in `{path}`: {}",
                said(&added)
            )));
        }
        if directory.join(".gitmodules").is_file() {
            let common = text(&git(root, ["rev-parse", "--git-common-dir"])?);
            submodules::update(&directory, &root.join(common).join("modules"), commit)?;
        }
        std::fs::write(&whole, commit).map_err(|e| Failure::io("write", &whole, &e))?;
    }
    // The time of its last use, by which the oldest is known.
    let _ = std::fs::File::open(&directory).and_then(|dir| dir.set_modified(SystemTime::now()));
    // The one that is used now is the youngest.
    forget(root, parent, KEPT);
    let package = directory.join(prefix);
    let prefix = if prefix.is_empty() { "." } else { prefix }.to_owned();
    Ok(Checkout { top: directory, package, prefix })
}

/// Removes a checkout, and what git has noted of it. Of what git has noted of other work trees, nothing.
fn remove(root: &Path, directory: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_file(directory.with_extension("whole"));
    if directory.exists() {
        git(root, ["worktree", "remove", "--force", &directory.to_string_lossy()])?;
    }
    match std::fs::remove_dir_all(directory) {
        // Half of one, which git does not know.
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io("remove", directory, &e))
        }
        _ => Ok(()),
    }
}

/// Leaves so many checkouts, and none that is old. What cannot be removed stays, and is in nobody's way.
fn forget(root: &Path, parent: &Path, left: usize) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let mut checkouts: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            // Links beside them are no checkouts, nor is what they lead to.
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

/// Whether what was used last at this time has not been used for long.
pub(super) fn is_old(used: SystemTime) -> bool {
    used.elapsed().is_ok_and(|age| age > AGE)
}
