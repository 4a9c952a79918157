//! The rotation of the statistical groups. A few of them are measured at a time, process by process in turn, so that a
//! burst of noise is spread over several budgets.

use std::time::Duration;

/// The number of statistical groups that take turns at any time. It is large enough to spread each over a second, and
/// small enough that outcomes come in steadily.
const ACTIVE: usize = 4;

/// The statistical groups that are still measured, and the one whose turn is next.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// The groups that are not done; `None` before the first turn. The first [`ACTIVE`] of them that need not pause take
    /// turns.
    waiting: Option<Vec<usize>>,
    /// The index of the next group in `waiting`.
    next: usize,
}

/// A turn of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) group: usize,
    /// How long the group still has to wait before it may be measured.
    pub(super) pause: Duration,
    /// The index of the group in the rotation.
    at: usize,
}

impl Rotation {
    /// Returns the turn of the next active group that need not pause before it confirms a red. If all groups have to
    /// pause, returns the turn of the one whose pause is the shortest. `None` if every group is done. The first call
    /// fills the rotation with `groups`; `pause` says how long a group has to pause.
    pub(super) fn next(
        &mut self,
        groups: impl FnOnce() -> Vec<usize>,
        pause: impl Fn(usize) -> Duration,
    ) -> Option<Turn> {
        let waiting = self.waiting.get_or_insert_with(groups);
        let mut active = 0;
        let pauses = waiting.iter().map(|&group| pause(group));
        // A group that pauses leaves its place to another group.
        let pauses: Vec<Duration> = pauses
            .take_while(|pause| {
                let is_active = active < ACTIVE;
                active += usize::from(pause.is_zero());
                is_active
            })
            .collect();
        let order = (0..pauses.len()).map(|i| (self.next + i) % pauses.len());
        let turns = order.map(|at| Turn { group: waiting[at], pause: pauses[at], at });
        turns.min_by_key(|turn| turn.pause)
    }

    /// Ends a turn. If the group is done, it leaves the rotation.
    pub(super) fn end(&mut self, turn: Turn, is_done: bool) {
        self.next = turn.at + 1;
        if let Some(waiting) = self.waiting.as_mut().filter(|_| is_done) {
            waiting.remove(turn.at);
            self.next = turn.at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes turns in a rotation of `groups`, and compares the groups in the order of their turns with `want`. A group
    /// is done after `turns` turns, and a group in `pausing` always has to pause.
    #[track_caller]
    fn check(groups: usize, turns: usize, pausing: &[usize], want: &[usize]) {
        let mut rotation = Rotation::default();
        let mut taken = Vec::new();
        let pause = |group| Duration::from_secs(u64::from(pausing.contains(&group)));
        while let Some(turn) = rotation.next(|| (0..groups).collect(), pause) {
            assert_eq!(turn.pause, pause(turn.group));
            taken.push(turn.group);
            let so_far = taken.iter().filter(|&&group| group == turn.group).count();
            rotation.end(turn, so_far == turns);
        }
        assert_eq!(taken, want);
    }

    #[test]
    fn a_few_groups_take_turns_until_each_is_done() {
        check(0, 1, &[], &[]);
        check(2, 3, &[], &[0, 1, 0, 1, 0, 1]);
        // The fifth group joins once the first is done.
        check(5, 2, &[], &[0, 1, 2, 3, 0, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn a_group_that_has_to_pause_comes_after_the_others() {
        check(2, 2, &[0], &[1, 1, 0, 0]);
        check(2, 2, &[0, 1], &[0, 1, 0, 1]);
        // Another group has the place of one that pauses.
        check(5, 1, &[0, 1], &[2, 3, 4, 0, 1]);
        check(5, 2, &[0], &[1, 2, 3, 4, 1, 2, 3, 4, 0, 0]);
    }
}
