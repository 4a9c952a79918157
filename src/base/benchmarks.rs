//! The benchmarks of both revisions, which the command has built to be compared.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use perf_budget_core::benchmarks::{Entry, List};
use perf_budget_core::error::Error;
use perf_budget_core::handover::{Benchmarks, Written};
use perf_budget_core::outcome::Proven;

/// The benchmarks of both revisions, built in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseBenchmarks {
    pub(super) built: Benchmarks,
    /// The names of the base's benchmarks.
    pub(crate) names: Vec<String>,
    /// Every form of such a name by which a benchmark is found.
    forms: HashSet<String>,
    /// Whether something of the base could not be built or listed, so that any benchmark may be in it.
    has_faults: bool,
    /// The benchmarks of this revision that are proven equal, in every form of their names.
    equal: HashMap<String, Proven>,
}

impl BaseBenchmarks {
    /// Reads the lists of both revisions. With `always`, no proof is used.
    ///
    /// # Errors
    /// If a list is not there.
    pub(super) fn read(built: Benchmarks, always: bool) -> Result<BaseBenchmarks, Error> {
        let read = |file: &PathBuf| {
            List::read(file).ok_or_else(|| {
                Error::other(format!(
                    "failed to read the list of benchmarks `{}`; let `cargo budget check` write it",
                    file.display()
                ))
            })
        };
        let head = read(&built.head)?;
        let mut equal = HashMap::new();
        for entry in head.entries() {
            let program = &entry.program.written;
            let proven = built.equal.iter().find(|equal| equal.program == *program);
            // A program that was built anew is another one.
            let is_same = || Written::of(&entry.program.binary).is_ok_and(|now| now == *program);
            if let Some(proven) = proven.filter(|_| !always && is_same()) {
                equal.insert(entry.plain.to_owned(), proven.proven.clone());
                equal.insert(entry.name, proven.proven.clone());
            }
        }
        // If the base was not built, it has the same benchmarks.
        let base = built.base.as_ref().map(read).transpose()?.unwrap_or(head);
        let entries = base.entries();
        let mut forms = HashSet::new();
        for Entry { name, plain, .. } in &entries {
            forms.extend([name.clone(), (*plain).to_owned()]);
        }
        let names = entries.into_iter().map(|entry| entry.name).collect();
        Ok(BaseBenchmarks { built, names, forms, has_faults: !base.faults.is_empty(), equal })
    }

    /// Whether the base has a benchmark of this name, as far as is known.
    pub(super) fn has(&self, name: &str) -> bool {
        self.has_faults || self.forms.contains(name)
    }

    /// Returns the proof that a benchmark runs the same code in both revisions.
    pub(super) fn proven(&self, name: &str) -> Option<&Proven> {
        self.equal.get(name)
    }

    /// Discards every proof.
    pub(super) fn measure_always(&mut self) {
        self.equal.clear();
    }

    /// Returns the file with the list of the base, or of this revision. `None` if the base was not built.
    pub(crate) fn list(&self, of_base: bool) -> Option<&PathBuf> {
        if of_base { self.built.base.as_ref() } else { Some(&self.built.head) }
    }

    /// Returns the notes for every comparison.
    pub(crate) fn notes(&self) -> &[String] {
        &self.built.notes
    }
}
