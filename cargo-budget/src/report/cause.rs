//! What made a red limit red, as `check --causes` finds it: the sources or the lock file.

use serde::Serialize;

/// The cause of one red limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cause {
    /// The name of the limit's test.
    pub(crate) test: String,
    pub(crate) kind: CauseKind,
    /// The changed packages of the lock file, such as `weight 1.0.0 -> 1.1.0`: the one to blame, or all that it may be.
    pub(crate) packages: Vec<String>,
    /// The cause as a sentence.
    pub(crate) sentence: String,
}

/// Which change made a limit red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CauseKind {
    /// The sources, with the lock file of the base.
    Sources,
    /// The lock file, with the sources of the base.
    Lock,
    /// Either of them alone.
    Either,
    /// Both together, and neither alone.
    Both,
    /// The cause was not found; the sentence says why.
    Unknown,
}

impl Cause {
    /// Returns the line for people.
    pub(crate) fn line(&self) -> String {
        format!("`{}`: {}\n", self.test, self.sentence)
    }
}
