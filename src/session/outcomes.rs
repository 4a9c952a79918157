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
        for outcome in measurement.outcomes() {
            let Some(test) = self.find_test(group, &outcome.test) else { continue };
            if self.decided(test).is_none() {
                // A red is profiled here, which takes a while. So this lock is not held meanwhile, and other threads
                // need not wait.
                let whole = Box::new(self.remember(test, outcome));
                lock(&self.decided)[test].get_or_insert(whole);
            }
        }
    }

    /// Returns the test of a group that has this name.
    pub(super) fn find_test(&self, group: usize, name: &str) -> Option<usize> {
        self.suite.tests_of(group).find(|(_, test)| test.name == name).map(|(at, _)| at)
    }
}
