//! The revision at which a value was measured, as git knows it.

use std::path::Path;

use crate::git::output_of;

/// Returns the short hash of the commit that is checked out in `root`, with `-dirty` where a tracked file other than
/// the lock differs from it. Returns `None` where there is no commit or no git.
pub(crate) fn revision(root: &Path) -> Option<String> {
    let commit = output_of(root, &["rev-parse", "--short", "HEAD"])?;
    let status = output_of(root, &["status", "--porcelain", "--untracked-files=no"])?;
    let dirty = status.lines().any(|line| !line.trim_end_matches('"').ends_with("budgets.lock"));
    Some(if dirty { format!("{commit}-dirty") } else { commit })
}
