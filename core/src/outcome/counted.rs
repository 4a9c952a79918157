//! The counter of instructions, and what its count leaves out.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::verdict::Verdict;

/// The beginning of the part of a counter's name that says by which rule it recognizes the allocator.
pub const RULE: &str = "allocator by rule ";

/// How instructions were counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The counter, and what a count by it depends on besides the code: `callgrind 3.19.0, glibc 2.36, x86-64-v3`. Counts
    /// of different counters are never compared.
    pub by: String,
    /// The instructions of the allocator, which are not part of the value; `None` if the counter cannot tell them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocator: Option<f64>,
}

impl Counted {
    /// Whether another counter differs from this one only in the rule by which it recognizes the allocator, as the counter of an
    /// older release may.
    pub fn differs_by_rule(&self, other: &str) -> bool {
        let rest = |by: &str| {
            let parts = by.split(", ").filter(|part| !part.starts_with(RULE));
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        self.by != other && rest(&self.by) == rest(other)
    }

    /// Returns the note on it.
    pub fn note(&self) -> String {
        match self.allocator {
            Some(allocator) => format!(
                "counted by {}; the allocator took {allocator:.1} more, which depend on all that the heap has seen before",
                self.by
            ),
            None => format!("counted by {}, with the allocator", self.by),
        }
    }
}

impl Outcome {
    /// Whether there is no verdict because another counter counted the accepted value, so that it helps to accept this value. It
    /// does not help if the counts of the processes are on both sides of the limit.
    pub fn awaits_acceptance(&self) -> bool {
        let counters = self.accepted.as_ref().zip(self.counted.as_ref());
        let is_other = counters.is_some_and(|(accepted, counted)| {
            accepted.counter.as_ref().is_some_and(|by| *by != counted.by)
        });
        self.verdict == Verdict::Inconclusive
            && is_other
            && self.relative_to.is_none()
            && !self.straddles_its_limit()
    }

    /// Whether some processes are over the limit and others within it.
    fn straddles_its_limit(&self) -> bool {
        self.estimate.zip(self.against).is_some_and(|(seen, against)| {
            let ends = [seen.low, Some(seen.value), seen.high].into_iter().flatten();
            let over = ends.clone().filter(|end| against.is_over(*end)).count();
            over > 0 && over < ends.count()
        })
    }

    /// Whether counts were compared that differ from process to process, so that more time cannot settle the limit.
    pub fn counts_differ(&self) -> bool {
        let ends = self.estimate.and_then(|estimate| estimate.low.zip(estimate.high));
        self.evidence.is_none() && ends.is_some_and(|(low, high)| low < high)
    }
}
