//! Questions about the repository, answered by the user's own `git`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::child;
use crate::failure::Failure;

/// A repository, seen from a directory in it.
#[derive(Debug)]
pub(crate) struct Repository {
    directory: PathBuf,
    /// The directory's path in the repository, with a `/` at its end; empty at the top.
    prefix: String,
}

impl Repository {
    /// Returns the repository that `directory` is in.
    pub(crate) fn containing(directory: &Path) -> Result<Repository, Failure> {
        let output = git(directory, ["rev-parse", "--show-prefix"])?;
        if !output.status.success() {
            return Err(Failure::unmeasured(format!(
                "`{}` is not in the work tree of a git repository, so there is no revision to compare with: {}",
                directory.display(),
                reason(&output)
            )));
        }
        Ok(Repository { directory: directory.to_owned(), prefix: text(&output) })
    }

    /// Returns the full name of the commit that `revision` names. A name that only the remote repository `origin` has, such
    /// as `main` where a service of CI has checked out nothing but a commit, means the branch there.
    pub(crate) fn commit(&self, revision: &str) -> Result<String, Failure> {
        if revision.is_empty() || revision.starts_with('-') {
            return Err(Failure::usage(format!(
                "`{revision}` is not a revision; name one, such as `main`"
            )));
        }
        for prefix in ["", "refs/remotes/origin/"] {
            let name = format!("{prefix}{revision}^{{commit}}");
            let output = git(&self.directory, ["rev-parse", "--verify", "--quiet", &name])?;
            if output.status.success() {
                return Ok(text(&output));
            }
        }
        let shallow = git(&self.directory, ["rev-parse", "--is-shallow-repository"])?;
        let plain = revision.rsplit_once("origin/").map_or(revision, |(_, name)| name);
        let shallow = shallow.stdout.starts_with(b"true");
        let remedy = if shallow && plain.contains(['~', '^', '@']) {
            // Only a name can be fetched. An expression such as `main~1` names an earlier commit, which a shallow clone
            // does not have.
            "this clone is shallow, so run `git fetch --unshallow` first".to_owned()
        } else if shallow {
            format!(
                "this clone is shallow, so run `git fetch --depth=1 origin {plain}` first, and then name \
                 `FETCH_HEAD` if `{revision}` still does not exist"
            )
        } else if plain.contains(['~', '^', '@', ':', ' ']) {
            "check it with `git log`".to_owned()
        } else {
            format!(
                "check its name with `git log`, or run `git fetch origin {plain}` first, and then name `FETCH_HEAD` if \
                 `{revision}` still does not exist"
            )
        };
        Err(Failure::unmeasured(format!(
            "there is no commit `{revision}` in this repository; {remedy}"
        )))
    }

    /// Returns the text of `budgets.toml` in this directory at a commit; `None` where the commit has none.
    pub(crate) fn budgets(&self, commit: &str) -> Result<Option<String>, Failure> {
        let name = "budgets.toml";
        let output = git(&self.directory, ["ls-tree", "-z", commit, "--", name])?;
        let unread = |output: &Output| {
            Failure::unmeasured(format!(
                "failed to read `{}` at {commit}: {}",
                self.path(),
                reason(output)
            ))
        };
        if !output.status.success() {
            return Err(unread(&output));
        }
        let entry = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some((facts, _)) = entry.split_once('\t') else { return Ok(None) };
        let mut facts = facts.split(' ');
        let (mode, kind, hash) = (facts.next(), facts.next(), facts.next());
        let (Some(hash), Some("blob")) = (hash, kind) else { return Ok(None) };
        if mode == Some("120000") {
            return Err(Failure::unmeasured(format!(
                "`{}` is a symbolic link at {commit}, which is not followed; compare the file that it leads to",
                self.path()
            )));
        }
        let output = git(&self.directory, ["cat-file", "blob", hash])?;
        if !output.status.success() {
            return Err(unread(&output));
        }
        String::from_utf8(output.stdout).map(Some).map_err(|_| {
            Failure::usage(format!(
                "`{}` at {commit} is not UTF-8, so nothing is compared",
                self.path()
            ))
        })
    }

    /// Returns the paths of the files that git tracks and that differ from `HEAD`.
    pub(crate) fn changed_files(&self) -> Result<Vec<String>, Failure> {
        let output = git(&self.directory, ["diff", "--name-only", "-z", "HEAD", "--"])?;
        if !output.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to compare the files with HEAD: {}",
                reason(&output)
            )));
        }
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Returns the directory's path in the repository, with a `/` at its end; empty at the top.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the path of `budgets.toml` in the repository.
    pub(crate) fn path(&self) -> String {
        format!("{}budgets.toml", self.prefix)
    }

    /// Returns the same repository seen from the directory above; `None` at the top.
    pub(crate) fn above(&self) -> Option<Repository> {
        if self.prefix.is_empty() {
            return None;
        }
        let directory = self.directory.parent()?.to_owned();
        let prefix = self.prefix.trim_end_matches('/');
        let prefix = prefix.rfind('/').map_or("", |end| &prefix[..=end]).to_owned();
        Some(Repository { directory, prefix })
    }
}

/// Runs git in a directory.
pub(crate) fn git<S: AsRef<OsStr>>(
    directory: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Result<Output, Failure> {
    let mut command = child::git(directory);
    command.args(arguments);
    child::output(&mut command).map_err(|e| {
        Failure::unmeasured(format!("failed to run `git`: {e}; install it, or add it to PATH"))
    })
}

/// Returns git's standard output as text, without the final line break.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned()
}

/// Returns what git prints, without white space around it; `None` where git fails or is not installed.
pub(crate) fn output_of(directory: &Path, arguments: &[&str]) -> Option<String> {
    let output = git(directory, arguments).ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Returns the reason why git failed, in one line: the lines that git marks as errors, or else its last line. Its other
/// lines are about progress.
pub(crate) fn reason(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = |line: &'_ str| {
        let reason = line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: "));
        reason.map(|reason| reason.trim().to_owned())
    };
    let reasons: Vec<String> = text.lines().filter_map(reason).collect();
    if !reasons.is_empty() {
        return reasons.join("; ");
    }
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or("git said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn errors_are_shown_and_progress_is_not() {
        let check = |text: &str, want: &str| {
            let output =
                Output { status: ExitStatus::default(), stdout: vec![], stderr: text.into() };
            assert_eq!(reason(&output), want);
        };
        check("Preparing worktree (detached HEAD 1)\nfatal: no such path\n", "no such path");
        check("error: one\nhint: do this\nfatal: two\n", "one; two");
        check("husky - no\n\n", "husky - no");
        check("", "git said nothing");
    }
}
