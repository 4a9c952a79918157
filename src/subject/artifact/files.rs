//! The files of an artifact, each with the digest of its content.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use perf_budget_core::files;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::content::Digest;
use super::deadline::Deadline;

/// The files that the patterns of a budget stand for.
pub(super) struct Artifact {
    /// The files and directories that patterns name or match.
    pub(super) named: Vec<FileEntry>,
    /// Every regular file among these and below them.
    pub(super) files: Vec<FileEntry>,
    /// Notes about what was skipped.
    pub(super) notes: Vec<String>,
}

/// A file or a directory.
pub(super) struct FileEntry {
    /// The path of the file or directory.
    pub(super) path: PathBuf,
    /// The path as messages show it: relative to the root, if it is below the root.
    pub(super) shown: String,
    /// The length of the file; the length of a directory means nothing.
    pub(super) bytes: u64,
    /// The moment at which the measurement of the file must have ended.
    pub(super) deadline: Deadline,
    /// The digest of the content, once it is computed.
    digest: OnceLock<Result<Digest, Unmeasured>>,
}

impl FileEntry {
    fn new(files::FileEntry { path, shown, bytes }: files::FileEntry, deadline: Deadline) -> Self {
        FileEntry { path, shown, bytes, deadline, digest: OnceLock::new() }
    }

    /// Returns the digest of the content. It is computed once.
    pub(super) fn digest(&self) -> Result<Digest, Unmeasured> {
        let compute =
            || Digest::of_file(&self.path, self.deadline).map_err(|e| self.failed("read", &e));
        self.digest.get_or_init(compute).clone()
    }

    /// Makes the reason "failed to ACTION `path`: cause" of an error of the system.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
    pub(super) fn failed(&self, action: &str, cause: &io::Error) -> Unmeasured {
        match cause.kind() {
            io::ErrorKind::TimedOut => {
                let text = format!("failed to {action} `{}`: {cause}", self.shown);
                Unmeasured::new(Cause::TimedOut, text)
            }
            _ => files::failed(action, &self.shown, cause),
        }
    }

    /// Replaces the file by another one. Messages still show the path of the first.
    pub(super) fn replace_by(&mut self, path: PathBuf, bytes: u64) {
        (self.path, self.bytes, self.digest) = (path, bytes, OnceLock::new());
    }

    /// Makes the reason that the content of the file is not what the metric needs.
    pub(super) fn unsuitable(&self, action: &str, why: &str) -> Unmeasured {
        Unmeasured::new(Cause::Unsuitable, format!("failed to {action} `{}`: {why}", self.shown))
    }

    /// Makes the reason that the file was written to while it was read.
    pub(super) fn changed(&self) -> Unmeasured {
        let text = format!(
            "failed to measure `{}`: it changed while it was read; let the build finish before its budgets run",
            self.shown
        );
        Unmeasured::new(Cause::Harness, text)
    }
}

/// Returns the files that `patterns` stand for, each once. They must be measured before `deadline`.
pub(super) fn find(
    patterns: &[String],
    root: &Path,
    deadline: Deadline,
) -> Result<Artifact, Unmeasured> {
    let files::Matched { named, files, notes } = files::find(patterns, root)?;
    let entry = |file| FileEntry::new(file, deadline);
    let entries = |files: Vec<files::FileEntry>| files.into_iter().map(entry).collect();
    Ok(Artifact { named: entries(named), files: entries(files), notes })
}
