//! The revision that a value was measured at, as git knows it.

use std::path::Path;
use std::process::{Command, Stdio};

/// The commit that is checked out in `root`, shortened, `-dirty` where a file that git knows differs from it,
/// the lock aside; `None` where git has no commit there, or is not there.
pub(crate) fn revision(root: &Path) -> Option<String> {
    let commit = git(root, &["rev-parse", "--short", "HEAD"])?;
    let status = git(root, &["status", "--porcelain", "--untracked-files=no"])?;
    let dirty = status.lines().any(|line| !line.trim_end_matches('"').ends_with("budgets.lock"));
    let commit = commit.trim();
    Some(if dirty { format!("{commit}-dirty") } else { commit.to_owned() })
}

fn git(root: &Path, args: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.args(args).current_dir(root).stdin(Stdio::null()).stderr(Stdio::null());
    // Nothing is changed, not even git's own index.
    let output = git.env("GIT_OPTIONAL_LOCKS", "0").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
