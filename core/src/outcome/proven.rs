//! Why a limit against the base holds without a measurement: both revisions run the same.

use serde::{Deserialize, Serialize};

/// That nothing has changed, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// What was compared.
    pub by: By,
    /// The commit that is the base, whole.
    pub commit: String,
}

/// What two revisions were compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Their files: each one that differs is known to have no part in what is run.
    Files,
    /// The sections of their test binaries that are loaded, and the files that a workload may read.
    Sections,
}

impl Proven {
    /// The sentence of the verdict.
    pub fn words(&self) -> String {
        let commit = self.commit.get(..12).unwrap_or(&self.commit);
        match self.by {
            By::Files => format!("nothing that it runs has changed since {commit}"),
            By::Sections => format!("it runs the same machine code as at {commit}"),
        }
    }
}
