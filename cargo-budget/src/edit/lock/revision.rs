//! The revision that a value was measured at, as git knows it.

use std::path::Path;

use crate::git::answer;

/// The commit that is checked out in `root`, shortened, `-dirty` where a file that git knows differs from it,
/// the lock aside; `None` where git has no commit there, or is not there.
pub(crate) fn revision(root: &Path) -> Option<String> {
    let commit = answer(root, &["rev-parse", "--short", "HEAD"])?;
    let status = answer(root, &["status", "--porcelain", "--untracked-files=no"])?;
    let dirty = status.lines().any(|line| !line.trim_end_matches('"').ends_with("budgets.lock"));
    Some(if dirty { format!("{commit}-dirty") } else { commit })
}
