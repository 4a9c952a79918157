//! Why a limit against the base holds without a measurement: both revisions run the same code.

use serde::{Deserialize, Serialize};

/// The proof that nothing has changed since the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The way in which the revisions were compared.
    pub by: ComparisonMethod,
    /// The full hash of the commit that is the base.
    pub commit: String,
}

/// How two revisions were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComparisonMethod {
    /// By their files: each one that differs is known to have no part in what is run.
    Files,
    /// By the sections of their test binaries that are loaded, and the files that a workload may read.
    Sections,
    /// By what the workload reaches: the code of both test binaries that it can run is the same, though other code is
    /// not.
    Reach,
}

/// Returns the first digits of a commit's full hash, by which messages name the base.
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

impl Proven {
    /// Returns the sentence of the verdict.
    pub fn describe(&self) -> String {
        let commit = short(&self.commit);
        match self.by {
            ComparisonMethod::Files => format!("nothing that it runs has changed since {commit}"),
            ComparisonMethod::Sections => format!("it runs the same machine code as at {commit}"),
            ComparisonMethod::Reach => {
                format!("it reaches only machine code that is the same as at {commit}")
            }
        }
    }
}
