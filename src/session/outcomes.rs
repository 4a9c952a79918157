//! The outcomes of the tests, which are kept as soon as a measurement reaches them.

use perf_budget_core::outcome::Outcome;

use super::measurement::Measurement;
use super::state::{Session, lock};

impl Session {
    /// Returns the outcome of a test, if a measurement has reached it.
    pub(super) fn decided(&self, test: usize) -> Option<Outcome> {
        lock(&self.decided)[test].as_deref().cloned()
    }

    /// Keeps the outcomes that a measurement has so far.
    pub(super) fn keep(&self, group: usize, measurement: &Measurement) {
        let mut decided = lock(&self.decided);
        for outcome in measurement.outcomes() {
            if let Some(test) = self.find_test(group, &outcome.test) {
                decided[test].get_or_insert_with(|| Box::new(self.remember(test, outcome)));
            }
        }
    }

    /// Returns the test of a group that has this name.
    pub(super) fn find_test(&self, group: usize, name: &str) -> Option<usize> {
        self.suite.tests_of(group).find(|(_, test)| test.name == name).map(|(at, _)| at)
    }
}
