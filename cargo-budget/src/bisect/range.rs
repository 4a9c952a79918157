//! The commits that are searched, from git.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::git::{Repository, git, reason};

/// How many files of a commit are read.
const FILES: usize = 200;

/// The commits between a good one and a bad one.
#[derive(Debug, Clone)]
pub(super) struct Range {
    /// The commit that is compared with.
    pub(super) good: String,
    /// The commits after it, the oldest first; the last is the bad one.
    pub(super) commits: Vec<String>,
    /// The first line of each commit's message.
    pub(super) subjects: Vec<String>,
    /// The merge base, where the good commit as it was named is not an ancestor of the bad one.
    pub(super) is_merge_base: bool,
}

/// A commit, as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) hash: String,
    pub(super) author: String,
    pub(super) date: String,
    pub(super) subject: String,
    /// How many parents it has.
    pub(super) parents: usize,
    /// The files that it changes, compared with its first parent.
    pub(super) files: Vec<String>,
}

/// Reads `GOOD..BAD`. Without `BAD`, or without the dots, the bad commit is the one that is checked out.
pub(super) fn range(root: &Path, text: &str) -> Result<Range, Failure> {
    if text.contains("...") {
        return Err(Failure::usage(format!(
            "`{text}` is not a range of commits that follow each other; write GOOD..BAD, with two dots"
        )));
    }
    let (good, bad) = text.split_once("..").unwrap_or((text, "HEAD"));
    let repository = Repository::of(root)?;
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
    let order = ["--reverse", "--first-parent", "--ancestry-path"];
    let format = ["log", "--no-show-signature", "--format=%H%x00%s"];
    let listed = git(root, [&format[..], &order, &[&between]].concat())?;
    if !listed.status.success() {
        return Err(Failure::unmeasured(format!(
            "git failed to list {between}: {}",
            reason(&listed)
        )));
    }
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let (commits, subjects): (Vec<String>, Vec<String>) = text
        .lines()
        .filter_map(|line| line.split_once('\0'))
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

/// Returns what people know of a commit.
pub(super) fn commit(root: &Path, hash: &str) -> Result<Commit, Failure> {
    let format = "--format=%an <%ae>%x00%aI%x00%s%x00%P";
    let output = git(root, ["show", "--no-patch", "--no-show-signature", format, hash])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut parts = text.trim_end_matches('\n').split('\0').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (author, date, subject, parents) = (part(), part(), part(), part());
    if !output.status.success() {
        return Err(Failure::unmeasured(format!("git failed to show {hash}: {}", reason(&output))));
    }
    let against = format!("{hash}^1");
    let differ =
        git(root, ["diff-tree", "-r", "--name-only", "-z", "--no-renames", &against, hash])?;
    let files = String::from_utf8_lossy(&differ.stdout).into_owned();
    let files = files.split('\0').filter(|name| !name.is_empty()).take(FILES);
    Ok(Commit {
        hash: hash.to_owned(),
        author,
        date,
        subject,
        parents: parents.split_whitespace().count(),
        files: files.map(str::to_owned).collect(),
    })
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

impl Commit {
    /// Returns the commit for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "commit": self.hash,
            "author": self.author,
            "date": self.date,
            "subject": self.subject,
            "is_merge": self.parents > 1,
            "files": self.files,
        })
    }
}
