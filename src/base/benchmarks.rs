//! The benchmarks of both revisions, which the command has built to be compared.

use std::collections::HashSet;
use std::path::PathBuf;

use perf_budget_core::benchmarks::{Entry, List};
use perf_budget_core::error::Error;
use perf_budget_core::handover::Benchmarks;

/// The benchmarks of both revisions, built in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseBenchmarks {
    pub(super) built: Benchmarks,
    /// The names of the base's benchmarks.
    pub(crate) names: Vec<String>,
    /// Every form of such a name by which a benchmark is found.
    pub(super) forms: HashSet<String>,
}

impl BaseBenchmarks {
    /// Reads the list of the base's benchmarks.
    ///
    /// # Errors
    /// If the list is not there.
    pub(super) fn read(built: Benchmarks) -> Result<BaseBenchmarks, Error> {
        let list = List::read(&built.base).ok_or_else(|| {
            Error::other(format!(
                "failed to read the list of benchmarks `{}`; let `cargo budget check` write it",
                built.base.display()
            ))
        })?;
        let entries = list.entries();
        let forms = |entry: &Entry<'_>| [entry.name.clone(), entry.plain.to_owned()];
        let forms = entries.iter().flat_map(forms).collect();
        Ok(BaseBenchmarks {
            built,
            names: entries.into_iter().map(|entry| entry.name).collect(),
            forms,
        })
    }

    /// Returns the file with the list of the base, or of this revision.
    pub(crate) fn list(&self, of_base: bool) -> &PathBuf {
        if of_base { &self.built.base } else { &self.built.head }
    }

    /// Returns the notes for every comparison.
    pub(crate) fn notes(&self) -> &[String] {
        &self.built.notes
    }
}
