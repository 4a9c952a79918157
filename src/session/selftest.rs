//! A measurement that nothing is kept of, for a selftest.

use perf_budget_core::outcome::Outcome;

use super::Session;
use super::measure::Purpose;
use crate::inject::Injection;

impl Session {
    /// The outcome of a test with something injected into it, or with nothing: by the same rules as one
    /// that counts, from new processes alone.
    /// `said` is what progress calls it.
    pub(crate) fn measure_for_selftest(
        &self,
        test: usize,
        injection: Option<Injection>,
        said: &str,
    ) -> Outcome {
        self.progress.title(format!("{said}; "));
        if let Some(outcome) = self.decided_unmeasured(test) {
            return outcome;
        }
        let group = self.suite.tests[test].group;
        let measurement = self.measure(group, &|other| other == test, Purpose::Selftest(injection));
        self.progress.clear();
        measurement.outcomes().first().cloned().unwrap_or_else(|| self.internal_error(test))
    }
}
