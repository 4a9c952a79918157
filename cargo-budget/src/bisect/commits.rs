//! The commits of a range, as the series that a search goes through.

use super::range::Range;
use super::series::Series;
use crate::base::TemporaryWorkTree;
use crate::failure::Failure;
use crate::text::short;

/// The commits after the good one.
pub(super) struct Commits<'a> {
    pub(super) range: &'a Range,
}

impl Series for Commits<'_> {
    fn len(&self) -> usize {
        self.range.commits.len()
    }

    fn name(&self, at: usize) -> String {
        self.range.commits[at].clone()
    }

    fn display_entry(&self, at: usize) -> String {
        format!("{} {}", short(&self.range.commits[at]), self.range.subjects[at])
    }

    fn commit(&self, at: usize) -> Option<&str> {
        self.range.commits.get(at).map(String::as_str)
    }

    fn entry_kind(&self) -> &'static str {
        "commit"
    }

    fn switch(&self, beside: &TemporaryWorkTree, at: usize) -> Result<Result<(), String>, Failure> {
        beside.switch(&self.range.commits[at]).map(Ok)
    }
}
