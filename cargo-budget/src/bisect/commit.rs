//! The commit that was found: its message, its author and its files, from git.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::range::Range;
use crate::failure::Failure;
use crate::git::{git, reason};
use crate::text::{line, short};

/// How many files of a commit are read.
const FILES: usize = 200;

/// How many of them are named to people.
const NAMED: usize = 8;

/// How many lines of the message are shown to people.
const LINES: usize = 12;

/// How many characters of each line are shown to people.
const WIDTH: usize = 160;

/// A commit of a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Commit {
    hash: String,
    author: String,
    date: String,
    subject: String,
    /// The whole message.
    message: String,
    /// How many parents it has.
    parents: usize,
    /// The good commit, if this commit merges the branch that the good one is on. The first parent of such a merge does not
    /// contain the good commit.
    merges: Option<String>,
    /// The files that it changes, compared with the commit before it in the range.
    files: Vec<String>,
}

impl Commit {
    /// Asks git about the commit at this place of a range.
    pub(super) fn read(root: &Path, range: &Range, at: usize) -> Result<Commit, Failure> {
        let hash = &range.commits[at];
        let before = at.checked_sub(1).map_or(&range.good, |before| &range.commits[before]);
        // The message is the last, as it has line breaks.
        let format = "--format=%an <%ae>%x00%aI%x00%P%x00%s%x00%B";
        let output = git(root, ["show", "--no-patch", "--no-show-signature", format, hash])?;
        if !output.status.success() {
            let why = reason(&output);
            return Err(Failure::unmeasured(format!("git failed to show {hash}: {why}")));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut parts = text.splitn(5, '\0').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (author, date, parents, subject, message) = (part(), part(), part(), part(), part());
        let parents: Vec<&str> = parents.split_whitespace().collect();
        let differ =
            git(root, ["diff-tree", "-r", "--name-only", "-z", "--no-renames", before, hash])?;
        let files = String::from_utf8_lossy(&differ.stdout).into_owned();
        let files = files.split('\0').filter(|name| !name.is_empty()).take(FILES);
        let merges = parents.len() > 1 && parents[0] != before;
        Ok(Commit {
            hash: hash.clone(),
            author,
            date,
            subject,
            message: message.trim().to_owned(),
            parents: parents.len(),
            merges: merges.then(|| range.good.clone()),
            files: files.map(str::to_owned).collect(),
        })
    }

    /// Adds the commit to a text for people.
    pub(super) fn describe(&self, text: &mut String) {
        let _ = writeln!(text, "  commit     {}", line(&self.subject));
        for body_line in self.body() {
            let _ = writeln!(text, "{}", format!("             {body_line}").trim_end());
        }
        let _ = writeln!(text, "  author     {}, {}", line(&self.author), self.date);
        let more = self.files.len().saturating_sub(NAMED);
        let files = line(&self.files[..self.files.len() - more].join(", "));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "  files      {files}{more}");
        let hash = short(&self.hash);
        if let Some(good) = &self.merges {
            let _ = writeln!(
                text,
                "  merge      of the branch that the good commit is on; its commits are those of `{}..{hash}`",
                short(good)
            );
        } else if self.parents > 1 {
            let _ = writeln!(
                text,
                "  merge      of another branch; its commits are those of `{hash}^1..{hash}^2`"
            );
        }
    }

    /// Returns the first lines of the message after its subject, which is its first paragraph.
    fn body(&self) -> Vec<String> {
        // Git leaves out empty lines before the message, and `message` has none either.
        let after = self.message.lines().skip_while(|line| !line.trim().is_empty());
        let all: Vec<&str> = after.skip_while(|line| line.trim().is_empty()).collect();
        let mut shown: Vec<String> =
            all.iter().take(LINES).map(|one| truncate(&line(one))).collect();
        if all.len() > LINES {
            shown.push(format!("({} more lines)", all.len() - LINES));
        }
        shown
    }

    /// Returns the commit for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "commit": self.hash,
            "author": self.author,
            "date": self.date,
            "subject": self.subject,
            "message": self.message,
            "is_merge": self.parents > 1,
            "files": self.files,
        })
    }
}

/// Returns a line of at most [`WIDTH`] characters.
fn truncate(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(message: &str) -> String {
        let subject = message.lines().next().unwrap_or_default().to_owned();
        let commit = Commit { subject, message: message.to_owned(), ..Commit::default() };
        let mut text = String::new();
        commit.describe(&mut text);
        text.split("  author").next().unwrap().to_owned()
    }

    #[test]
    fn the_message_is_shown_below_its_subject() {
        assert_eq!(described("Count more"), "  commit     Count more\n");
        assert_eq!(described(""), "  commit     \n");
        let two = "  commit     Count more\n             The table is read twice.\n\n             Refs: 3\n";
        assert_eq!(described("Count more\n\nThe table is read twice.\n\nRefs: 3"), two);
    }

    #[test]
    fn a_message_is_bounded_and_does_not_control_the_terminal() {
        let text = described(&format!("A\n\n{}", "b\n".repeat(40)));
        assert_eq!(text.lines().count(), 1 + LINES + 1, "{text}");
        assert!(text.ends_with("             (28 more lines)\n"), "{text}");
        let text = described(&format!("A\n\n{}", "é".repeat(5000)));
        assert!(text.chars().count() < 250 && text.ends_with("é...\n"), "{text}");
        let text = described("A\u{1b}[2J\n\n\u{1b}[31mred\u{202e}\rX");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
        assert!(text.contains("\\u{1b}[31mred"), "{text}");
    }

    #[test]
    fn a_merge_says_where_its_commits_are() {
        let hash = "c".repeat(40);
        let mut commit = Commit { hash, parents: 2, ..Commit::default() };
        let text = |commit: &Commit| {
            let mut text = String::new();
            commit.describe(&mut text);
            text
        };
        assert!(text(&commit).contains("those of `ccccccccc^1..ccccccccc^2`"));
        commit.merges = Some("a".repeat(40));
        assert!(
            text(&commit)
                .contains("the good commit is on; its commits are those of `aaaaaaaaa..ccccccccc`")
        );
        commit.parents = 1;
        commit.merges = None;
        assert!(!text(&commit).contains("merge "));
    }
}
