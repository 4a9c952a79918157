//! The paths that differ between a commit and the work tree, as git lists them.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;
use crate::git::{git, reason};

/// The options that turn off git's caches, which may not show the latest changes.
const EXACTLY: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"];

/// A path that differs between the commit and the work tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    /// The path from the top of the repository, with `/` between its parts.
    pub(super) path: String,
    /// Whether the path exists in both; otherwise it was added or deleted.
    pub(super) is_in_both: bool,
}

/// The work tree, compared with a commit.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Every path that was changed, added or deleted, or that git does not track yet. A submodule is one path.
    pub(super) changes: Vec<Change>,
    /// All paths that git tracks.
    pub(super) tracked: BTreeSet<String>,
    /// The symbolic links that git tracks and that lead into the repository, each with the path that it leads to.
    pub(super) links: Vec<(String, String)>,
}

impl Tree {
    /// Compares the work tree of the repository at `top` with `commit`.
    pub(super) fn compare(top: &Path, commit: &str) -> Result<Tree, Failure> {
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
        // Git does not compare files that the user marked as unchanged or skipped. `ls-files -v` shows them with a
        // lower-case letter or an `S`.
        let tags = list(top, &["ls-files", "-v", "-z"])?;
        if let Some(hidden) =
            tags.iter().find(|line| line.starts_with(|c: char| c.is_lowercase() || c == 'S'))
        {
            return Err(Failure::unmeasured(format!(
                "git was told to ignore changes of `{}`",
                hidden.get(2..).unwrap_or_default()
            )));
        }
        let tracked = tags.iter().filter_map(|line| line.get(2..)).map(str::to_owned).collect();
        let staged = list(top, &["ls-files", "-s", "-z"])?;
        let links = staged.iter().filter(|line| line.starts_with("120000 "));
        let links = links.filter_map(|line| line.split_once('\t')).filter_map(|(_, link)| {
            let real = follow_links(&top.join(link), MOST_LINKS)?;
            let parts = real.strip_prefix(top).ok()?.iter().map(|part| part.to_str());
            Some((link.to_owned(), parts.collect::<Option<Vec<_>>>()?.join("/")))
        });
        let links = links.collect();
        Ok(Tree { changes, tracked, links })
    }
}

impl Tree {
    /// Whether git tracks a path, something below it, or the submodule that it is in.
    pub(super) fn tracks(&self, path: &str) -> bool {
        if path.is_empty() || self.tracked.contains(path) {
            return true;
        }
        let below = format!("{path}/");
        let first = self.tracked.range(below.clone()..).next();
        first.is_some_and(|first| first.starts_with(&below))
            || path.match_indices('/').any(|(at, _)| self.tracked.contains(&path[..at]))
    }
}

impl Tree {
    /// Returns all paths of files and directories that are in either revision, in lower case.
    pub(super) fn places(&self) -> HashSet<String> {
        let changed = self.changes.iter().map(|change| &change.path);
        let files = self.tracked.iter().chain(changed).map(|path| path.to_lowercase());
        let mut places = HashSet::new();
        for path in files {
            places.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
            places.insert(path);
        }
        places
    }
}

/// Runs a git command whose output is a list with a NUL after each entry, and returns the entries.
fn list(top: &Path, arguments: &[&str]) -> Result<Vec<String>, Failure> {
    let output = git(top, EXACTLY.iter().chain(arguments))?;
    if !output.status.success() {
        return Err(Failure::unmeasured(format!(
            "git {} failed: {}",
            arguments[0],
            reason(&output)
        )));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| Failure::unmeasured("a path in the repository is not UTF-8"))?;
    Ok(text.split_terminator('\0').map(str::to_owned).collect())
}

/// The largest number of links that are followed, one after the other or to one file.
const MOST_LINKS: usize = 64;

/// Returns the path that a path leads to by links, even if nothing exists there any more.
fn follow_links(path: &Path, most: usize) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let most = most.checked_sub(1)?;
    let above = follow_links(path.parent()?, most)?;
    let at = match path.components().next_back()? {
        Component::ParentDir => return above.parent().map(Path::to_owned),
        Component::CurDir => return Some(above),
        part @ (Component::Prefix(_) | Component::RootDir | Component::Normal(_)) => {
            above.join(part)
        }
    };
    match at.read_link() {
        Ok(target) => follow_links(&above.join(target), most),
        Err(_) => Some(at),
    }
}

/// Returns the other paths that lead to a file by links; `None` if there are too many.
pub(super) fn aliases(links: &[(String, String)], path: &str) -> Option<BTreeSet<String>> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut next = vec![path.to_owned()];
    while let Some(path) = next.pop() {
        for (link, target) in links {
            let below = if target.is_empty() {
                Some(path.as_str())
            } else {
                path.strip_prefix(target.as_str())
            };
            let is_in = target.is_empty()
                || below.is_some_and(|below| below.is_empty() || below.starts_with('/'));
            let Some(below) = below.filter(|_| is_in) else { continue };
            let alias = format!("{link}/{}", below.trim_start_matches('/'));
            let alias = alias.trim_end_matches('/').to_owned();
            // A link to a directory that contains the link would lead there again and again.
            if !path.starts_with(&format!("{link}/")) && found.insert(alias.clone()) {
                next.push(alias);
            }
        }
        if found.len() > MOST_LINKS {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_even_to_a_file_that_was_deleted() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("kit/data")).unwrap();
        let check = |link: &str, target: &str, want: &str| {
            let at = top.join(link);
            std::os::unix::fs::symlink(target, &at).unwrap();
            assert_eq!(follow_links(&at, MOST_LINKS), Some(top.join(want)), "{link}");
        };
        check("a", "kit/data", "kit/data");
        check("b", "docs/a.md", "docs/a.md");
        check("kit/c", "../docs", "docs");
        check("kit/data/d", "../../a/gone/../e.md", "kit/data/e.md");
        check("e", "kit/c/f.md", "docs/f.md");
        check("f", "./b", "docs/a.md");
        let absolute = top.join("docs/g.md");
        check("g", absolute.to_str().unwrap(), "docs/g.md");
        // A link to itself leads nowhere.
        std::os::unix::fs::symlink("h", top.join("h")).unwrap();
        assert_eq!(follow_links(&top.join("h"), MOST_LINKS), None);
    }

    #[test]
    fn the_paths_that_lead_to_a_file_are_found_unless_there_are_too_many() {
        let link = |link: &str, target: &str| (link.to_owned(), target.to_owned());
        let links = [link("data", "docs"), link("kit/more", "data"), link("x", "other")];
        let found = aliases(&links, "docs/a.md").unwrap();
        assert!(found.iter().eq(["data/a.md", "kit/more/a.md"]), "{found:?}");
        let many: Vec<_> = (0..65).map(|n| link(&format!("l{n}"), "docs")).collect();
        assert_eq!(aliases(&many[..64], "docs/a.md").map(|found| found.len()), Some(64));
        assert_eq!(aliases(&many, "docs/a.md"), None);
    }
}
