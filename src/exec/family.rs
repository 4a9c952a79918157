//! A process and what it has started, where the system only tells the children of a process and the members of a group.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::usage::{Counted, Living};

/// What one process holds and has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// The user and system time of the process and of the children that it waited for.
    pub(super) cpu: Duration,
    /// The resident size, in bytes.
    pub(super) rss: u64,
}

/// Returns the processes and everything below them, each once, every parent before its children.
///
/// # Errors
/// If the children of one of them are not known.
pub(super) fn below(
    mut found: Vec<u32>,
    children: impl Fn(u32) -> io::Result<Vec<u32>>,
) -> io::Result<Vec<u32>> {
    let mut known = BTreeSet::new();
    found.retain(|id| known.insert(*id));
    let mut next = 0;
    while let Some(id) = found.get(next) {
        found.extend(children(*id)?.into_iter().filter(|id| known.insert(*id)));
        next += 1;
    }
    Ok(found)
}

/// Stops processes until no further ones are found, and returns them all, in the order in which they were found. A process that
/// is stopped starts no others, so that this ends unless processes appear from elsewhere.
pub(super) fn settle(find: impl Fn() -> Vec<u32>, stop: impl Fn(u32)) -> Vec<u32> {
    /// Each round finds what was started while the one before it looked.
    const ROUNDS: usize = 100;
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let new: Vec<u32> = find().into_iter().filter(|id| known.insert(*id)).collect();
        if new.is_empty() {
            break;
        }
        for id in &new {
            stop(*id);
        }
        all.extend(new);
    }
    all
}

/// Converts the units in which a processor's clock counts; `None` if their number in a second is not known.
pub(super) fn time(units: u64, per_second: u64) -> Option<Duration> {
    let nanoseconds = u128::from(units) * 1_000_000_000;
    let nanoseconds = nanoseconds.checked_div(u128::from(per_second))?;
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

/// Adds up what a process and those that it has started hold and have used. The system tells neither their peaks nor their faults.
pub(super) fn living(root: Member, others: &[Member]) -> Living {
    let time: Duration = others.iter().map(|other| other.cpu).sum();
    Living {
        processes: 1 + others.len(),
        rss: root.rss + others.iter().map(|other| other.rss).sum::<u64>(),
        peak_rss: None,
        cpu: root.cpu + time,
        others: time,
        waited: None,
        preempted: None,
        counted: Counted::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The children of some processes: 1 has 2 and 3, 3 has 4, and 7, which is in the group of 1, has 8.
    fn children(id: u32) -> io::Result<Vec<u32>> {
        match id {
            1 => Ok(vec![2, 3]),
            3 => Ok(vec![4]),
            7 => Ok(vec![8]),
            9 => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(Vec::new()),
        }
    }

    #[test]
    fn a_family_is_a_group_and_all_below_it_each_once() {
        assert_eq!(below(vec![1], children).unwrap(), [1, 2, 3, 4]);
        assert_eq!(below(vec![1, 1, 7, 3], children).unwrap(), [1, 7, 3, 2, 8, 4]);
        assert_eq!(below(Vec::new(), children).unwrap(), [0; 0]);
        // What cannot be looked at is not taken for childless.
        assert!(below(vec![1, 9], children).is_err());
        // A number that was given to another process while it was looked at makes no endless search.
        assert_eq!(below(vec![5], |id| Ok(vec![11 - id])).unwrap(), [5, 6]);
    }

    #[test]
    fn what_is_started_while_others_are_stopped_is_stopped_too() {
        let living = RefCell::new(vec![1, 2]);
        let stopped = RefCell::new(Vec::new());
        let all = settle(
            || living.borrow().clone(),
            |id| {
                stopped.borrow_mut().push(id);
                // The second one starts another just before it is stopped.
                if id == 2 {
                    living.borrow_mut().push(3);
                }
            },
        );
        assert_eq!(all, [1, 2, 3]);
        assert_eq!(*stopped.borrow(), all);
        // Processes that appear without end are not waited for.
        let next = RefCell::new(0);
        let endless = settle(
            || {
                *next.borrow_mut() += 1;
                vec![*next.borrow()]
            },
            |_| {},
        );
        assert_eq!(endless.len(), 100);
    }

    #[test]
    fn the_units_of_every_clock_become_seconds() {
        // 24 MHz on Apple's processors, whose unit is 125/3 ns; 1 GHz on Intel's.
        assert_eq!(time(24_000_000, 24_000_000), Some(Duration::from_secs(1)));
        assert_eq!(time(3, 24_000_000), Some(Duration::from_nanos(125)));
        assert_eq!(time(1_500_000_000, 1_000_000_000), Some(Duration::from_millis(1500)));
        // Centuries are no overflow; what is not known is not zero.
        assert_eq!(time(1 << 57, 24_000_000).map(|time| time.as_secs()), Some(6_004_799_503));
        assert_eq!(time(1, 0), None);
    }

    #[test]
    fn what_a_family_holds_and_has_used_is_added_up() {
        let member = |ms, rss| Member { cpu: Duration::from_millis(ms), rss };
        let one = living(member(30, 1000), &[]);
        assert_eq!((one.processes, one.rss, one.others), (1, 1000, Duration::ZERO));
        let three = living(member(30, 1000), &[member(20, 500), member(1, 2)]);
        assert_eq!((three.processes, three.rss), (3, 1502));
        assert_eq!(
            (three.cpu, three.others),
            (Duration::from_millis(51), Duration::from_millis(21))
        );
        // What the system does not tell is not 0.
        assert_eq!((three.peak_rss, three.counted), (None, Counted::default()));
    }
}
