//! A commit's files, in a git worktree of their own.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

use super::outside;
use crate::failure::Failure;
use crate::git::{Repository, git, said};

/// So many checkouts are kept, the ones used last.
const KEPT: usize = 4;

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

/// The commit at which the history of `revision` and the one that is checked out parted; where this clone
/// does not reach so far, the revision itself.
pub(super) fn commit(root: &Path, revision: &str) -> Result<String, Failure> {
    let commit = Repository::of(root)?.commit(revision)?;
    let parted = git(root, ["merge-base", "HEAD", &commit])?;
    Ok(if parted.status.success() { text(&parted) } else { commit })
}

/// Checks out `commit` below `place`, unless that is done already.
pub(super) fn at(root: &Path, commit: &str, place: &Path) -> Result<Checkout, Failure> {
    let repository = Repository::of(root)?;
    let prefix = repository.prefix();
    let parent = outside::checkouts(place);
    let directory = parent.join(&commit[..commit.len().min(12)]);
    let there = directory.join(".git").exists()
        && git(&directory, ["rev-parse", "HEAD"]).is_ok_and(|head| text(&head) == commit);
    if !there {
        if directory.exists() {
            // Half of one, or of another repository.
            std::fs::remove_dir_all(&directory)
                .map_err(|e| Failure::io("remove", &directory, &e))?;
        }
        std::fs::create_dir_all(&parent).map_err(|e| Failure::io("create", &parent, &e))?;
        forget_oldest(root, &parent);
        git(root, ["worktree", "prune"])?;
        let path = directory.to_string_lossy();
        let added = git(root, ["worktree", "add", "--detach", "--force", &path, commit])?;
        if !added.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to check out {commit} in `{path}`: {}",
                said(&added)
            )));
        }
        if directory.join(".gitmodules").is_file() {
            let updated = git(&directory, ["submodule", "update", "--init", "--recursive"])?;
            if !updated.status.success() {
                return Err(Failure::unmeasured(format!(
                    "failed to check out the submodules of {commit}: {}",
                    said(&updated)
                )));
            }
        }
    }
    let deep = Path::new(&prefix).components().count();
    if let Some(top) = root.ancestors().nth(deep) {
        outside::link(root, top, &parent)?;
    }
    // The time of its last use, by which the oldest is known.
    let _ = std::fs::File::open(&directory).and_then(|dir| dir.set_modified(SystemTime::now()));
    let package = directory.join(prefix);
    let prefix = if prefix.is_empty() { "." } else { prefix }.to_owned();
    Ok(Checkout { top: directory, package, prefix })
}

/// Makes room for one more. What cannot be removed stays, and is in nobody's way.
fn forget_oldest(root: &Path, parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let mut checkouts: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            // Links beside them are no checkouts.
            let path = entry.file_type().ok()?.is_dir().then(|| entry.path())?;
            Some((path.metadata().ok()?.modified().ok()?, path))
        })
        .collect();
    checkouts.sort();
    let surplus = (checkouts.len() + 1).saturating_sub(KEPT);
    for (_, path) in checkouts.into_iter().take(surplus) {
        let _ = git(root, ["worktree", "remove", "--force", &path.to_string_lossy()]);
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned()
}
