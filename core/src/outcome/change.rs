//! An amount of one operation on both sides of a comparison.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// An amount at the reference, and the same amount now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The amount at the reference; 0 if there is none.
    pub before: f64,
    /// The amount now.
    pub now: f64,
}

impl Change {
    /// Returns by how much the amount has grown.
    pub fn by(self) -> f64 {
        self.now - self.before
    }

    /// Returns which of two changes is the smaller one; of equal ones, the one of the smaller amount now.
    pub fn order(self, other: Change) -> Ordering {
        let by_size = self.by().abs().total_cmp(&other.by().abs());
        by_size.then_with(|| self.now.total_cmp(&other.now))
    }
}
