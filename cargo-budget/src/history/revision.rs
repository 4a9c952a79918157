//! The commit and branch that a run measured, as git knows them. The branch may also come from the continuous
//! integration, which checks out a commit without a branch.

use std::path::Path;

use crate::failure::Failure;
use crate::git::output_of;

/// The commit and branch that a run measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The hash of the commit; `None` where there is no repository.
    pub(crate) commit: Option<String>,
    /// The time of the commit, in seconds since 1970; `None` where the commit is not in this clone.
    pub(crate) committed: Option<i64>,
    /// Whether the tree had uncommitted changes.
    pub(crate) dirty: bool,
    /// The branch; `None` where it is not known.
    pub(crate) branch: Option<String>,
}

/// Returns the revision that was measured in `directory`: the commit and branch that the user names, and otherwise those
/// that are checked out. A commit can be named by any revision that git knows, or by the full hash of a commit that is not
/// in this clone.
pub(crate) fn resolve(
    directory: &Path,
    commit: Option<&str>,
    branch: Option<&str>,
) -> Result<Revision, Failure> {
    let branch = branch.map(str::to_owned).or_else(|| self::branch(directory));
    let Some(name) = commit else { return Ok(Revision { branch, ..checked_out(directory) }) };
    let (commit, committed) = match look_up(directory, name) {
        Some((commit, committed)) => (commit, Some(committed)),
        None if is_hash(name) => (name.to_ascii_lowercase(), None),
        None => {
            return Err(Failure::usage(format!(
                "`{name}` is not a revision of the repository in `{}`; give one that `git rev-parse` \
                 knows, or all 40 digits of a commit that is not in this clone",
                directory.display()
            )));
        }
    };
    Ok(Revision { commit: Some(commit), committed, dirty: false, branch })
}

fn checked_out(directory: &Path) -> Revision {
    let (commit, committed) = match look_up(directory, "HEAD") {
        Some((commit, committed)) => (Some(commit), Some(committed)),
        None => (variable("GITHUB_SHA"), None),
    };
    let status = output_of(directory, &["status", "--porcelain", "--untracked-files=no"]);
    let dirty = status.is_some_and(|status| !status.is_empty());
    Revision { commit, committed, dirty, branch: None }
}

fn is_hash(name: &str) -> bool {
    [40, 64].contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Counts the commits after `from`, up to and including `to`; `None` where this clone does not have both.
pub(crate) fn distance(directory: &Path, from: &str, to: &str) -> Option<usize> {
    output_of(directory, &["rev-list", "--count", &format!("{from}..{to}")])?.parse().ok()
}

/// Returns the branch: that of the pull request, else the one that a workflow of GitHub runs for, else the one that is
/// checked out.
pub(crate) fn branch(directory: &Path) -> Option<String> {
    variable("GITHUB_HEAD_REF")
        .or_else(|| variable("GITHUB_REF_NAME"))
        .or_else(|| output_of(directory, &["symbolic-ref", "--short", "--quiet", "HEAD"]))
}

/// Returns the hash and the time of a commit.
fn look_up(directory: &Path, name: &str) -> Option<(String, i64)> {
    let revision = format!("{name}^{{commit}}");
    let found =
        output_of(directory, &["log", "-1", "--format=%H %ct", "--end-of-options", &revision])?;
    let (commit, time) = found.split_once(' ')?;
    Some((commit.to_owned(), time.parse().ok()?))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
