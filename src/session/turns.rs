//! The turns of the statistical groups, which threads take one at a time.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::measurement::{Measurement, Purpose};
use super::state::{Session, lock};
use crate::os::threads;

impl Session {
    /// Measures statistical groups in turn until a test is decided.
    pub(super) fn take_turns(&self, test: usize) {
        while self.decided(test).is_none() {
            let mut rotation = lock(&self.rotation);
            if self.decided(test).is_some() {
                return;
            }
            let groups = || self.statistical_groups();
            let Some(turn) = rotation.next(groups, |group| self.pause(group)) else { return };
            // The lock of the rotation is held during this pause, so no other thread measures meanwhile.
            std::thread::sleep(turn.pause);
            let group = turn.group;
            let mut slot = lock(&self.groups[group]);
            let wanted = |test| self.is_selected(test);
            let measurement = slot
                .get_or_insert_with(|| Box::new(self.measurement(group, &wanted, Purpose::Judge)));
            self.step(group, measurement);
            self.keep(group, measurement);
            rotation.end(turn, measurement.is_done());
        }
    }

    /// Returns how long a group has to pause before its next process may confirm a red.
    fn pause(&self, group: usize) -> Duration {
        let slot = lock(&self.groups[group]);
        slot.as_deref().map_or(Duration::ZERO, Measurement::pause)
    }

    /// Returns the statistical groups that have a selected test which must be measured. Whether a limit must be
    /// measured may depend on what its subject reaches, which a run of it shows. Workloads are run one at a time for
    /// that, since two that use the same port or file might do less together. There are many benchmarks, so as many of
    /// them are run together as there are processors.
    fn statistical_groups(&self) -> Vec<usize> {
        let wanted = |group: usize| {
            self.suite
                .tests_of(group)
                .any(|(test, _)| self.is_selected(test) && self.must_be_measured(test))
        };
        let groups =
            (0..self.groups.len()).filter(|&group| !self.suite.groups[group].deterministic);
        let is_benchmark =
            |group: &usize| self.suite.tests_of(*group).any(|(_, test)| test.is_benchmark());
        let (benchmarks, others): (Vec<usize>, Vec<usize>) = groups.partition(is_benchmark);
        let mut measured: Vec<usize> = others.into_iter().filter(|&group| wanted(group)).collect();
        measured.extend(wanted_groups(&benchmarks, wanted));
        measured.sort_unstable();
        measured
    }
}

/// Returns those of the groups that are `wanted`. The question is answered on all processors at once.
fn wanted_groups(groups: &[usize], wanted: impl Fn(usize) -> bool + Sync) -> Vec<usize> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let look = || {
        while let Some(&group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            if wanted(group) {
                lock(&found).push(group);
            }
        }
    };
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    threads::at_once(processors.min(groups.len()), look);
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
