//! The measurement of a test for a selftest. Its outcome and its evidence are not kept.

use perf_budget_core::outcome::Outcome;

use super::measurement::Purpose;
use super::state::Session;
use crate::inject::Injection;

impl Session {
    /// Measures these tests once, with nothing injected. Tests of a group share its processes, as in every run.
    pub(crate) fn measure_again(&self, tests: &[usize], title: &str) -> Vec<Outcome> {
        self.progress.title(format!("{title}; "));
        let mut seen: Vec<Outcome> =
            tests.iter().filter_map(|&test| self.decided_unmeasured(test)).collect();
        for group in 0..self.suite.groups.len() {
            let wanted =
                |test: usize| tests.contains(&test) && self.suite.tests[test].group == group;
            if tests.iter().any(|&test| wanted(test) && self.decided_unmeasured(test).is_none()) {
                let measurement = self.measure(group, &wanted, Purpose::Selftest(None));
                seen.extend(measurement.outcomes().iter().cloned());
            }
        }
        self.progress.clear();
        seen
    }

    /// Measures a test with an effect injected into it, or with none. The rules are those of every measurement, but the
    /// evidence of earlier runs is not used. `title` is shown in the line of progress.
    pub(crate) fn measure_for_selftest(
        &self,
        test: usize,
        injection: Option<Injection>,
        title: &str,
    ) -> Outcome {
        self.progress.title(format!("{title}; "));
        if let Some(outcome) = self.decided_unmeasured(test) {
            return outcome;
        }
        let group = self.suite.tests[test].group;
        let measurement = self.measure(group, &|other| other == test, Purpose::Selftest(injection));
        self.progress.clear();
        measurement.outcomes().first().cloned().unwrap_or_else(|| self.internal_error(test))
    }
}
