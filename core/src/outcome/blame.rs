//! What is to blame for a red: the functions whose instructions grew, as data.

use serde::{Deserialize, Serialize};

/// The instructions of one operation by function, of the reference and of what is measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blame {
    /// The profiler: `callgrind 3.19.0`.
    pub by: String,
    /// The seconds that it took, both sides together.
    pub seconds: f64,
    /// The instructions of one operation at the reference, the allocator's included; `None` where there is no
    /// reference, so that the profile says where time goes now.
    pub before: Option<f64>,
    /// The same now.
    pub now: f64,
    /// The system calls of one operation, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<Change>,
    /// The functions, the one with the greatest change first; without a reference, the one with the greatest part.
    pub functions: Vec<Blamed>,
    /// The share of the instructions that belongs to functions without a name, as in a stripped binary.
    #[serde(default)]
    pub nameless: f64,
}

/// A function of the project, with the foreign code that it runs: what is below it up to the next function of the project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Blamed {
    /// The name, without hashes and generic arguments.
    pub name: String,
    /// Its instructions in one operation, with those of the foreign code below it.
    pub own: Change,
    /// Its instructions with all that it calls.
    pub inclusive: Change,
    /// How often it is called in one operation; 0 where it is inlined into its caller.
    pub calls: Change,
    /// Which function of the project makes most of the change in calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The parts of `own`: the function itself, by an empty name, and the functions of other crates and libraries below it.
    pub parts: Vec<(String, Change)>,
}

/// An amount at the reference, and the same amount now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The amount at the reference; 0 where there is none.
    pub before: f64,
    /// The amount now.
    pub now: f64,
}

impl Change {
    /// Returns by how much the amount has grown.
    pub fn by(self) -> f64 {
        self.now - self.before
    }
}

impl Blame {
    /// Whether one operation runs as many instructions as at the reference, to the last one, in each function.
    pub fn is_same(&self) -> bool {
        let same = |change: Change| change.before.to_bits() == change.now.to_bits();
        self.before.is_some_and(|before| before.to_bits() == self.now.to_bits())
            && self.functions.iter().all(|function| same(function.own) && same(function.calls))
    }
}
