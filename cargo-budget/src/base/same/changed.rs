//! What differs between a commit and the work tree, as git tells.

use std::collections::BTreeSet;
use std::path::Path;

use crate::failure::Failure;
use crate::git::{git, said};

/// Git's shortcuts, which may be behind what is there.
const EXACTLY: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"];

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    /// From the top of the repository, with `/` between its parts.
    pub(super) path: String,
    /// Whether it is there in both.
    pub(super) is_in_both: bool,
}

/// What is known of the repository.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// What differs: changed, added, deleted, not yet known to git; a submodule as a whole.
    pub(super) changes: Vec<Change>,
    /// All paths that git keeps.
    pub(super) tracked: BTreeSet<String>,
}

impl Tree {
    /// The work tree of the repository at `top`, held against `commit`.
    pub(super) fn of(top: &Path, commit: &str) -> Result<Tree, Failure> {
        let mut changes = Vec::new();
        let diff = [
            "diff",
            "--no-ext-diff",
            "--no-renames",
            "--name-status",
            "-z",
            "--ignore-submodules=none",
        ];
        let listed = list(top, &[&diff[..], &[commit, "--"]].concat())?;
        for pair in listed.chunks(2) {
            let [status, path] = pair else { continue };
            changes
                .push(Change { path: path.clone(), is_in_both: !matches!(&**status, "A" | "D") });
        }
        let untracked = list(top, &["ls-files", "--others", "--exclude-standard", "-z"])?;
        changes.extend(untracked.into_iter().map(|path| Change { path, is_in_both: false }));
        changes.sort();
        changes.dedup();
        // Git compares none of those that it was told to take for unchanged: a small letter, or an S.
        let tags = list(top, &["ls-files", "-v", "-z"])?;
        if let Some(hidden) =
            tags.iter().find(|line| line.starts_with(|c: char| c.is_lowercase() || c == 'S'))
        {
            return Err(Failure::unmeasured(format!(
                "git was told not to look at `{}`",
                hidden.get(2..).unwrap_or_default()
            )));
        }
        let tracked = tags.iter().filter_map(|line| line.get(2..)).map(str::to_owned).collect();
        Ok(Tree { changes, tracked })
    }
}

impl Tree {
    /// Whether git keeps a path, something below it, or the submodule that it is in.
    pub(super) fn keeps(&self, path: &str) -> bool {
        if path.is_empty() || self.tracked.contains(path) {
            return true;
        }
        let below = format!("{path}/");
        let first = self.tracked.range(below.clone()..).next();
        first.is_some_and(|first| first.starts_with(&below))
            || path.match_indices('/').any(|(at, _)| self.tracked.contains(&path[..at]))
    }
}

/// What git lists, with a NUL after each.
fn list(top: &Path, arguments: &[&str]) -> Result<Vec<String>, Failure> {
    let output = git(top, EXACTLY.iter().chain(arguments))?;
    if !output.status.success() {
        return Err(Failure::unmeasured(format!("git {} failed: {}", arguments[0], said(&output))));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| Failure::unmeasured("a path in the repository is not UTF-8"))?;
    Ok(text.split_terminator('\0').map(str::to_owned).collect())
}
