//! A commit's files, in a git worktree of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use crate::failure::Failure;

/// So many checkouts are kept, the ones used last.
const KEPT: usize = 4;

/// A commit's files.
#[derive(Debug)]
pub(super) struct Checkout {
    /// Where the project's directory is in it.
    pub(super) package: PathBuf,
    /// The project's directory in the repository; `.` at its top.
    pub(super) prefix: String,
}

/// The commit at which the history of `revision` and the one that is checked out parted; where this clone
/// does not reach so far, the revision itself.
pub(super) fn commit(root: &Path, revision: &str) -> Result<String, Failure> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(Failure::usage(format!("`{revision}` is not a revision; name one, as `main`")));
    }
    let inside = git(root, &["rev-parse", "--is-inside-work-tree"])?;
    if !inside.status.success() {
        return Err(Failure::unmeasured(format!(
            "`{}` is not in the work tree of a git repository, so there is no base: {}",
            root.display(),
            said(&inside)
        )));
    }
    let found =
        git(root, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])?;
    if !found.status.success() {
        let shallow = git(root, &["rev-parse", "--is-shallow-repository"])?;
        let name = revision.rsplit_once("origin/").map_or(revision, |(_, name)| name);
        let remedy = if shallow.stdout.starts_with(b"true") {
            format!(
                "this clone is shallow: run `git fetch --depth=1 origin {name}` first and give FETCH_HEAD, or \
                 check out with `fetch-depth: 0`"
            )
        } else {
            format!("check its name with `git log`, or run `git fetch origin {name}` first")
        };
        return Err(Failure::unmeasured(format!(
            "there is no commit `{revision}` in this repository; {remedy}"
        )));
    }
    let commit = text(&found);
    let parted = git(root, &["merge-base", "HEAD", &commit])?;
    Ok(if parted.status.success() { text(&parted) } else { commit })
}

/// Checks out `commit` below `place`, unless that is done already.
pub(super) fn at(root: &Path, commit: &str, place: &Path) -> Result<Checkout, Failure> {
    let prefix = text(&git(root, &["rev-parse", "--show-prefix"])?);
    let directory = place.join("checkouts").join(&commit[..commit.len().min(12)]);
    let there = directory.join(".git").exists()
        && git(&directory, &["rev-parse", "HEAD"]).is_ok_and(|head| text(&head) == commit);
    if !there {
        if directory.exists() {
            // Half of one, or of another repository.
            std::fs::remove_dir_all(&directory)
                .map_err(|e| Failure::io("remove", &directory, &e))?;
        }
        let parent = place.join("checkouts");
        std::fs::create_dir_all(&parent).map_err(|e| Failure::io("create", &parent, &e))?;
        forget_oldest(root, &parent);
        git(root, &["worktree", "prune"])?;
        let path = directory.to_string_lossy();
        let added = git(root, &["worktree", "add", "--detach", "--force", &path, commit])?;
        if !added.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to check out {commit} in `{path}`: {}",
                said(&added)
            )));
        }
        if directory.join(".gitmodules").is_file() {
            let updated = git(&directory, &["submodule", "update", "--init", "--recursive"])?;
            if !updated.status.success() {
                return Err(Failure::unmeasured(format!(
                    "failed to check out the submodules of {commit}: {}",
                    said(&updated)
                )));
            }
        }
    }
    // The time of its last use, by which the oldest is known.
    let _ = std::fs::File::open(&directory).and_then(|dir| dir.set_modified(SystemTime::now()));
    let package = directory.join(&prefix);
    Ok(Checkout { package, prefix: if prefix.is_empty() { ".".to_owned() } else { prefix } })
}

/// Makes room for one more. What cannot be removed stays, and is in nobody's way.
fn forget_oldest(root: &Path, parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let mut checkouts: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.metadata().ok()?.modified().ok()?, path))
        })
        .collect();
    checkouts.sort();
    let surplus = (checkouts.len() + 1).saturating_sub(KEPT);
    for (_, path) in checkouts.into_iter().take(surplus) {
        let _ = git(root, &["worktree", "remove", "--force", &path.to_string_lossy()]);
    }
}

fn git(directory: &Path, args: &[&str]) -> Result<Output, Failure> {
    let mut git = Command::new("git");
    git.args(args).current_dir(directory).stdin(Stdio::null());
    // As a hook's environment has them, they would point elsewhere.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git.output().map_err(|e| {
        Failure::unmeasured(format!("failed to start git, which the base is checked out by: {e}"))
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned()
}

/// What git had to say, in one line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
    line.trim_start_matches("fatal: ").to_owned()
}
