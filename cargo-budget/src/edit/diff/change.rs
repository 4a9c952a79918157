//! One difference between two states of `budgets.toml`.

use serde::Serialize;

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// The limit allows more than before.
    Loosened,
    /// The limit allows less than before.
    Tightened,
    /// The thing is new.
    Added,
    /// The thing was removed.
    Removed,
    /// A budget has another name, but is otherwise the same.
    Renamed,
    /// The promise is another one, and neither weaker nor stronger.
    Changed,
}

/// One difference between the two states.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// The kind of the change.
    pub(crate) kind: Kind,
    /// The thing that changed: `merge::p99`, `merge: params`, `[settings] alpha`.
    pub(crate) what: String,
    /// The old text; `None` where the thing is new.
    pub(crate) before: Option<String>,
    /// The new text; `None` where the thing was removed.
    pub(crate) after: Option<String>,
    /// Whether something that was red may now be green.
    pub(crate) weakens: bool,
    /// The reason for the change: a `why` that is new or was changed with it.
    pub(crate) why: Option<String>,
    /// The line in the new file, from 1.
    pub(crate) line: Option<usize>,
}

impl Change {
    /// Returns whether the change weakens the gate without a reason.
    pub(crate) fn is_unexplained(&self) -> bool {
        self.weakens && self.why.is_none()
    }

    /// Returns the change as a sentence: `merge::p99: 10 ms -> 12 ms`.
    pub(crate) fn sentence(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} -> {after}", self.what),
            (Some(one), None) | (None, Some(one)) => format!("{}: {one}", self.what),
            (None, None) => self.what.clone(),
        }
    }
}

impl Kind {
    /// Returns the name of the kind.
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

/// Returns whether two values are equal, apart from how they were written.
pub(super) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= a.abs().max(b.abs()) * 1e-12
}
