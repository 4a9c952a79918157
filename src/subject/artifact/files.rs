//! The files of an artifact, each with the digest of its content.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use perf_budget_core::files;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::content::Digest;

/// What the patterns of a budget stand for.
pub(super) struct Artifact {
    /// The files and directories that patterns name or match.
    pub(super) named: Vec<Found>,
    /// Every regular file among and below them.
    pub(super) files: Vec<Found>,
    /// What was passed over.
    pub(super) notes: Vec<String>,
}

/// A file, or a directory.
pub(super) struct Found {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path as messages show it: relative to the root where it is below it.
    pub(super) shown: String,
    /// Its length; that of a directory means nothing.
    pub(super) bytes: u64,
    digest: OnceLock<Result<Digest, Unmeasured>>,
}

impl Found {
    fn new(files::Found { path, shown, bytes }: files::Found) -> Self {
        Found { path, shown, bytes, digest: OnceLock::new() }
    }

    /// The digest of its content, taken once.
    pub(super) fn digest(&self) -> Result<Digest, Unmeasured> {
        let take = || Digest::of_file(&self.path).map_err(|e| self.failed("read", &e));
        self.digest.get_or_init(take).clone()
    }

    /// "failed to VERB `path`: cause", for what the system refused.
    pub(super) fn failed(&self, verb: &str, cause: &io::Error) -> Unmeasured {
        files::failed(verb, &self.shown, cause)
    }

    /// Is another file from now on, under the same name.
    pub(super) fn become_file(&mut self, path: PathBuf, bytes: u64) {
        (self.path, self.bytes, self.digest) = (path, bytes, OnceLock::new());
    }

    /// Its content is not what the metric needs.
    pub(super) fn unsuitable(&self, verb: &str, why: &str) -> Unmeasured {
        Unmeasured::new(Cause::Unsuitable, format!("failed to {verb} `{}`: {why}", self.shown))
    }

    /// It was written to while it was read.
    pub(super) fn changed(&self) -> Unmeasured {
        let text = format!(
            "failed to measure `{}`: it changed while it was read; let the build finish before its budgets run",
            self.shown
        );
        Unmeasured::new(Cause::Harness, text)
    }
}

/// The files that `patterns` stand for, each once.
pub(super) fn find(patterns: &[String], root: &Path) -> Result<Artifact, Unmeasured> {
    let files::Matched { named, files, notes } = files::find(patterns, root)?;
    let found = |files: Vec<files::Found>| files.into_iter().map(Found::new).collect();
    Ok(Artifact { named: found(named), files: found(files), notes })
}
