//! The commits that are searched, from git.

use std::collections::HashSet;
use std::path::Path;
use std::process::Output;

use crate::failure::Failure;
use crate::git::{Repository, git, reason};

/// The commits between a good one and a bad one.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The commit that is compared with.
    pub(super) good: String,
    /// The commits after it, the oldest first; the last is the bad one.
    pub(super) commits: Vec<String>,
    /// The first line of each commit's message.
    pub(super) subjects: Vec<String>,
    /// Whether the good commit is the merge base, because the commit that was named is not an ancestor of the bad one.
    pub(super) is_merge_base: bool,
}

/// Reads `GOOD..BAD`. Without `BAD`, or without the dots, the bad commit is the one that is checked out.
pub(super) fn range(root: &Path, text: &str) -> Result<Range, Failure> {
    if text.contains("...") {
        return Err(Failure::usage(format!(
            "`{text}` is not a range of commits that follow each other; write GOOD..BAD, with two dots"
        )));
    }
    let (good, bad) = text.split_once("..").unwrap_or((text, "HEAD"));
    let repository = Repository::containing(root)?;
    let named = repository.commit(good)?;
    let bad_commit = repository.commit(if bad.is_empty() { "HEAD" } else { bad })?;
    let base = git(root, ["merge-base", &named, &bad_commit])?;
    if !base.status.success() {
        return Err(Failure::unmeasured(format!(
            "`{good}` and `{bad}` have no common commit, so there is nothing between them; in a shallow clone run `git \
             fetch --unshallow` first"
        )));
    }
    let good_commit = String::from_utf8_lossy(&base.stdout).trim().to_owned();
    // Only descendants of the good commit are searched: a commit of a branch that began earlier never contained what
    // the good commit contains.
    let between = format!("{good_commit}..{bad_commit}");
    let list = |arguments: &[&str]| {
        let listed = git(root, [arguments, &[&between]].concat())?;
        if listed.status.success() {
            Ok(String::from_utf8_lossy(&listed.stdout).into_owned())
        } else {
            let why = reason(&listed);
            Err(Failure::unmeasured(format!("git failed to list {between}: {why}")))
        }
    };
    // Git is asked twice. With both options in one call it would reach the good commit by first parents only, but the good
    // commit may be on a branch that was merged.
    let order = ["--reverse", "--first-parent", "--format=%H%x00%s"];
    let first_parents = list(&[&["log", "--no-show-signature"][..], &order].concat())?;
    let descendants = list(&["rev-list", "--ancestry-path"])?;
    let descendants: HashSet<&str> = descendants.lines().collect();
    let (commits, subjects): (Vec<String>, Vec<String>) = first_parents
        .lines()
        .filter_map(|line| line.split_once('\0'))
        .filter(|(hash, _)| descendants.contains(hash))
        .map(|(hash, subject)| (hash.to_owned(), subject.to_owned()))
        .unzip();
    if commits.last() != Some(&bad_commit) {
        return Err(Failure::usage(format!(
            "there is no commit between `{good}` and `{bad}`; the good commit comes first, and the bad one after it"
        )));
    }
    let is_merge_base = good_commit != named;
    Ok(Range { good: good_commit, commits, subjects, is_merge_base })
}

/// Returns the text of a file at a commit; `None` where the commit has no such file. `path` is its path in the repository.
pub(super) fn file_at(root: &Path, commit: &str, path: &Path) -> Result<Option<String>, Failure> {
    // Git's own paths have this separator everywhere.
    let name = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let name = name.collect::<Vec<_>>().join("/");
    let listed = git(root, ["ls-tree", "--full-tree", "-z", commit, "--", &name])?;
    let failed = |output: &Output| {
        let why = reason(output);
        Failure::unmeasured(format!("git failed to read `{name}` at {commit}: {why}"))
    };
    if !listed.status.success() {
        return Err(failed(&listed));
    }
    if listed.stdout.is_empty() {
        return Ok(None);
    }
    let output = git(root, ["cat-file", "blob", &format!("{commit}:{name}")])?;
    if !output.status.success() {
        return Err(failed(&output));
    }
    String::from_utf8(output.stdout)
        .map(Some)
        .map_err(|_| Failure::usage(format!("`{name}` at {commit} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with commits that change nothing.
    struct Repo(tempfile::TempDir);

    impl Repo {
        fn git(&self, arguments: &[&str]) -> String {
            let own = ["-c", "user.name=n", "-c", "user.email=n@n", "-c", "commit.gpgSign=false"];
            let output = git(self.0.path(), [&own, arguments].concat()).unwrap();
            assert!(output.status.success(), "{}", reason(&output));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }

        fn commit(&self, subject: &str) {
            self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        }

        fn subjects(&self, range: &str) -> Result<Vec<String>, String> {
            let found = super::range(self.0.path(), range);
            found.map(|range| range.subjects).map_err(|failure| failure.text)
        }
    }

    #[test]
    fn a_good_commit_may_be_on_a_branch_that_was_merged() {
        let repo = Repo(tempfile::tempdir().unwrap());
        repo.git(&["init", "-q", "--initial-branch=main"]);
        repo.commit("one");
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.commit("side one");
        repo.git(&["tag", "good"]);
        repo.commit("side two");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit("two");
        repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
        repo.commit("three");
        let check =
            |range: &str, want: &[&str]| assert_eq!(repo.subjects(range).unwrap(), want, "{range}");
        check("good..main", &["merge", "three"]);
        check("good..side", &["side two"]);
        check("main~1..main", &["three"]);
        check("main~3..main", &["two", "merge", "three"]);
        check("good", &["merge", "three"]);
        // The good commit is not an ancestor of the bad one, so the range begins at their merge base.
        check("good..main~2", &["two"]);
        for range in ["main..good", "good..good", "main..main~1"] {
            let failed = repo.subjects(range).unwrap_err();
            assert!(failed.contains("there is no commit between"), "{range}: {failed}");
        }
    }
}
