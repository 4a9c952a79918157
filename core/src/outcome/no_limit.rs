//! Outcomes of tests that are not about a limit.

use super::Outcome;

/// The word in place of the metric in the outcome of a test that says which benchmarks there are.
pub const BENCHMARKS: &str = "benchmarks";

/// The word in place of the metric in the outcome of a workload that no budget names.
pub const NO_BUDGET: &str = "budget";

impl Outcome {
    /// Whether this outcome is not about a limit: it says that a workload has no budget, or which benchmarks a budget has. Its
    /// test comes on top of those that the limits of a file make.
    pub fn is_of_no_limit(&self) -> bool {
        let is_about_no_limit = matches!(self.metric.as_str(), NO_BUDGET | BENCHMARKS);
        is_about_no_limit && self.against.is_none() && self.estimate.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_without_a_limit_takes_the_place_of_no_other() {
        let outcome = |metric: &str| Outcome { metric: metric.to_owned(), ..Outcome::default() };
        assert!(outcome("budget").is_of_no_limit() && outcome("benchmarks").is_of_no_limit());
        assert!(!outcome("mean").is_of_no_limit());
    }
}
