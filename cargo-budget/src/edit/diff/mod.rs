//! `cargo budget diff`: what two states of `budgets.toml` promise differently. Pure: two checked files in,
//! a list of changes out.
//!
//! What counts is what the gate would do, not how it is written: `1 KiB` and `1024 B` are the same limit.
//! A change *weakens* where something that was red may now be green. Where that cannot be told, since
//! another thing is measured or held against another reference, it is taken to weaken: a reason costs a
//! line, a promise lost unseen costs more.

mod budgets;
pub(crate) mod render;
mod settings;
#[cfg(test)]
mod tests;

use perf_budget_core::budget::Budgets;
use serde::Serialize;

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// It allows more than it did.
    Loosened,
    /// It allows less than it did.
    Tightened,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// A budget has another name, and is otherwise the one it was.
    Renamed,
    /// It is another promise, neither more nor less.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// What became of it.
    pub(crate) kind: Kind,
    /// `merge::p99`, `merge: params`, `[settings] alpha`.
    pub(crate) what: String,
    /// As it was; `None` where it was not.
    pub(crate) before: Option<String>,
    /// As it is; `None` where it is not.
    pub(crate) after: Option<String>,
    /// Whether something that was red may now be green.
    pub(crate) weakens: bool,
    /// The reason that came with it: a `why` that is not what it was.
    pub(crate) why: Option<String>,
    /// The line in the file as it is now, from 1.
    pub(crate) line: Option<usize>,
}

impl Change {
    /// Whether it weakens the gate and nobody says why.
    pub(crate) fn is_unexplained(&self) -> bool {
        self.weakens && self.why.is_none()
    }

    /// `merge::p99: 10 ms -> 12 ms`.
    pub(crate) fn sentence(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} -> {after}", self.what),
            (Some(one), None) | (None, Some(one)) => format!("{}: {one}", self.what),
            (None, None) => self.what.clone(),
        }
    }
}

impl Kind {
    /// Its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Loosened => "loosened",
            Kind::Tightened => "tightened",
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Renamed => "renamed",
            Kind::Changed => "changed",
        }
    }
}

/// Every difference between two states of the file, `None` where there was or is none: settings first, then
/// budgets in the order of the new file, then those that are gone.
pub(crate) fn compare(before: Option<&Budgets>, after: Option<&Budgets>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        settings::compare(before, after, &mut changes);
    }
    budgets::compare(before, after, &mut changes);
    changes
}

/// Whether two values are the same but for the way they were written.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= a.abs().max(b.abs()) * 1e-12
}
