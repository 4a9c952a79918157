//! The rotation of the statistical groups. A few of them are measured at a time, process by process in turn, so that a
//! burst of noise is spread over several budgets.

use std::time::Duration;

use super::measure::{Measurement, Purpose};
use super::{Session, lock};

/// The number of statistical groups that take turns at any time. It is large enough to spread each over a second, and
/// small enough that outcomes come in steadily.
const ACTIVE: usize = 4;

/// The statistical groups that are still measured, and the one whose turn is next.
#[derive(Default)]
pub(super) struct Rotation {
    /// The groups that are not done. The first [`ACTIVE`] of them take turns.
    waiting: Vec<usize>,
    /// The index of the next group in `waiting`.
    next: usize,
    /// Whether `waiting` was filled.
    has_begun: bool,
}

impl Session {
    /// Measures statistical groups in turn until a test is decided.
    pub(super) fn take_turns(&self, test: usize) {
        while self.decided(test).is_none() {
            let mut rotation = lock(&self.rotation);
            if self.decided(test).is_some() {
                return;
            }
            if !rotation.has_begun {
                rotation.has_begun = true;
                rotation.waiting = self.statistical_groups();
            }
            let Some(at) = self.next(&mut rotation) else { return };
            let group = rotation.waiting[at];
            let mut slot = lock(&self.groups[group]);
            let wanted = |test| self.is_selected(test);
            let measurement = slot
                .get_or_insert_with(|| Box::new(self.measurement(group, &wanted, Purpose::Judge)));
            self.step(group, measurement);
            self.keep(group, measurement);
            if measurement.is_done() {
                rotation.waiting.remove(at);
                rotation.next = at;
            } else {
                rotation.next = at + 1;
            }
        }
    }

    /// Returns the index of the next active group that need not pause before it confirms a red. If all of them pause,
    /// it waits for the shortest pause and returns that group.
    fn next(&self, rotation: &mut Rotation) -> Option<usize> {
        let active = rotation.waiting.len().min(ACTIVE);
        if active == 0 {
            return None;
        }
        let pause = |at: usize| {
            let slot = lock(&self.groups[rotation.waiting[at]]);
            slot.as_deref().map_or(Duration::ZERO, Measurement::pause)
        };
        let start = rotation.next % active;
        let turns = (0..active).map(|i| (start + i) % active);
        turns.map(|at| (pause(at), at)).min_by_key(|&(pause, _)| pause).map(|(pause, at)| {
            // The lock of the rotation is held during this pause, so no other thread measures meanwhile.
            std::thread::sleep(pause);
            at
        })
    }

    fn statistical_groups(&self) -> Vec<usize> {
        let wanted = |group: usize| {
            self.suite
                .tests_of(group)
                .any(|(test, _)| self.is_selected(test) && self.decided_unmeasured(test).is_none())
        };
        (0..self.groups.len())
            .filter(|&g| !self.suite.groups[g].deterministic && wanted(g))
            .collect()
    }
}
