//! The libraries whose benchmarks budgets can name.

use serde::{Deserialize, Serialize};

use crate::metric::SubjectKind;

/// A library of benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// Criterion, or `perf-budget-criterion` in its place.
    Criterion,
    /// Divan, by `perf-budget-divan` in its place.
    Divan,
    /// The benchmarks of the standard test harness: `#[bench]`.
    Libtest,
}

impl Library {
    /// Every library, in the order of the documentation.
    pub const ALL: [Library; 3] = [Library::Criterion, Library::Divan, Library::Libtest];

    /// Returns the key of `budgets.toml` that names a benchmark of this library.
    pub const fn key(self) -> &'static str {
        match self {
            Library::Criterion => "criterion",
            Library::Divan => "divan",
            Library::Libtest => "libtest",
        }
    }

    /// Returns the name of the library in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Library::Criterion => "Criterion",
            Library::Divan => "Divan",
            Library::Libtest => "libtest",
        }
    }

    /// Returns the kind of a subject that is a benchmark of this library.
    pub const fn kind(self) -> SubjectKind {
        match self {
            Library::Criterion => SubjectKind::Criterion,
            Library::Divan => SubjectKind::Divan,
            Library::Libtest => SubjectKind::Libtest,
        }
    }
}
