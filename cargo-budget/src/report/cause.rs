//! What made a red limit red, as `check --causes` finds it: the sources or the lock file.

use serde::Serialize;

/// The cause of one red.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cause {
    /// The test.
    pub(crate) test: String,
    pub(crate) kind: CauseKind,
    /// The packages of the lock file, such as `weight 1.0.0 -> 1.1.0`: one, or all that it may be.
    pub(crate) packages: Vec<String>,
    /// The same in words.
    pub(crate) sentence: String,
}

/// Which of the two it is.
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
    /// It was not found out, for the reason in the sentence.
    Unknown,
}

impl Cause {
    /// Returns the line for people.
    pub(crate) fn line(&self) -> String {
        format!("`{}`: {}\n", self.test, self.sentence)
    }
}
