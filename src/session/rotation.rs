//! Whose turn it is: statistical groups are measured a few at a time, process by process, so that one burst of noise does not
//! sink one budget.

use std::time::Duration;

use super::measure::{Measurement, Purpose};
use super::{Session, lock};

/// Statistical groups that take turns at any time: enough to spread each over a second, few
/// enough that outcomes come in steadily.
const ABREAST: usize = 4;

/// Whose turn it is among the statistical groups.
#[derive(Default)]
pub(super) struct Rotation {
    waiting: Vec<usize>,
    next: usize,
    begun: bool,
}

impl Session {
    pub(super) fn take_turns(&self, test: usize) {
        while self.decided(test).is_none() {
            let mut rotation = lock(&self.rotation);
            if self.decided(test).is_some() {
                return;
            }
            if !rotation.begun {
                rotation.begun = true;
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

    /// The next of the few groups abreast that need not wait to confirm; all waiting: the one that
    /// waits least, after its wait.
    fn next(&self, rotation: &mut Rotation) -> Option<usize> {
        let abreast = rotation.waiting.len().min(ABREAST);
        if abreast == 0 {
            return None;
        }
        let pause = |at: usize| {
            let slot = lock(&self.groups[rotation.waiting[at]]);
            slot.as_deref().map_or(Duration::ZERO, Measurement::pause)
        };
        let start = rotation.next % abreast;
        let turns = (0..abreast).map(|i| (start + i) % abreast);
        turns.map(|at| (pause(at), at)).min_by_key(|&(pause, _)| pause).map(|(pause, at)| {
            // Nothing else is due. Sleeping here keeps the turn, so nobody measures meanwhile.
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
