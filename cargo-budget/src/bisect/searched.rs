//! The kind of series that a search goes through, and what the search knows about each entry.

use perf_budget_core::outcome::Outcome;

use super::evidence::Evidence;
use super::search::Answer;

/// An entry of the series, with what the search knows about it.
#[derive(Debug)]
pub(crate) struct SearchedEntry {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) shown: String,
    pub(super) answer: Answer,
    /// The evidence of its runs; `None` where it needs none.
    pub(super) evidence: Option<Evidence>,
    pub(super) outcome: Option<Outcome>,
    /// The reason why there is no answer.
    pub(super) skipped: Option<String>,
    /// The commit that it is proven to run the same as.
    pub(super) same: Option<String>,
}

/// The kind of series that a search goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Searched {
    Commits,
    Packages,
    Toolchains,
}

impl Searched {
    /// Returns the word for one entry.
    pub(super) fn singular(self) -> &'static str {
        match self {
            Searched::Commits => "commit",
            Searched::Packages => "package",
            Searched::Toolchains => "toolchain",
        }
    }
}
