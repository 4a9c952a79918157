//! Outcomes of tests that no limit makes.

use super::Outcome;

/// The word in place of the metric in the outcome of a test that says which benchmarks there are.
pub const BENCHMARKS: &str = "benchmarks";

/// What the outcome of a workload that no budget names has in place of a metric.
pub const NO_BUDGET: &str = "budget";

impl Outcome {
    /// Whether this outcome is about no limit: it says that a workload has no budget, or which benchmarks a budget has. It is
    /// a test beyond those that the limits of a file make.
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
        let of = |metric: &str| Outcome { metric: metric.to_owned(), ..Outcome::default() };
        assert!(of("budget").is_of_no_limit() && of("benchmarks").is_of_no_limit());
        assert!(!of("mean").is_of_no_limit());
    }
}
