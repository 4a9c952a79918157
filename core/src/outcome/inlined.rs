//! The functions that the compiler has inlined into others, as data.

use serde::{Deserialize, Serialize};

/// Whether inlined functions are told apart from those that they are part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inlined {
    /// They are not, because the program has no line tables, which say what was inlined at which place.
    Unknown,
    /// They will be: the counts by address wait for the command, which names the functions.
    Waiting(Counts),
    /// They are told apart, by their names.
    Named,
}

/// Where the counts by address are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The file with those of both sides.
    pub file: String,
    /// The moment at which it was written, in nanoseconds since 1970: a later run writes to the same file.
    pub at: u64,
}
