//! The outcomes that were added to a record since it was last read.
//!
//! The times of the entries do not show that: they are whole seconds, in which two short runs fit, and the clock may be
//! set. So this module counts the entries of each run in the record.

use std::collections::{HashMap, HashSet};

use super::{LOST, Record};
use crate::outcome::{Outcome, Run};

/// The number of entries of each run in a record, at the time at which it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    outcomes: HashMap<String, usize>,
    begun: HashMap<String, usize>,
}

impl Record {
    /// Returns the number of entries of each run now.
    pub fn mark(&self) -> Mark {
        Mark {
            outcomes: counted(
                self.outcomes
                    .iter()
                    .filter(|outcome| is_written(outcome))
                    .map(|outcome| &outcome.run),
            ),
            begun: counted(self.begun.iter().map(|begun| &begun.run)),
        }
    }

    /// Removes everything that was there at the time of the mark. If a run went on since then, or its name was used again,
    /// its new entries stay.
    pub fn keep_since(&mut self, mark: &Mark) {
        let Mark { mut outcomes, mut begun } = mark.clone();
        self.begun.retain(|process| is_beyond(&mut begun, &process.run));
        let begun: HashSet<(&str, &str, &str)> = self
            .begun
            .iter()
            .flat_map(|process| {
                let named = |test| (&*process.run.id, &*process.file, test);
                process.begun.iter().map(move |test| named(&*test.test))
            })
            .collect();
        self.outcomes.retain(|outcome| {
            if is_written(outcome) {
                is_beyond(&mut outcomes, &outcome.run)
            } else {
                begun.contains(&(&*outcome.run.id, &*outcome.file, &*outcome.test))
            }
        });
    }
}

/// Whether an outcome has a line of its own. The outcome of a lost test has none, and is gone once the test is judged.
fn is_written(outcome: &Outcome) -> bool {
    outcome.reason != LOST
}

fn counted<'r>(runs: impl Iterator<Item = &'r Run>) -> HashMap<String, usize> {
    let mut counted = HashMap::new();
    for run in runs {
        *counted.entry(run.id.clone()).or_insert(0) += 1;
    }
    counted
}

/// Whether this is one entry more than was counted of its run.
fn is_beyond(counted: &mut HashMap<String, usize>, run: &Run) -> bool {
    match counted.get_mut(&run.id) {
        Some(rest) if *rest > 0 => {
            *rest -= 1;
            false
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Begun, Test};

    fn run(id: &str, began: u64) -> Run {
        Run { id: id.to_owned(), began, ..Run::default() }
    }

    fn record(begun: &[(&str, u64)], outcomes: &[(&str, u64, &str)]) -> Record {
        let begun = begun.iter().map(|(id, at)| Begun { run: run(id, *at), ..Begun::default() });
        let outcomes = outcomes.iter().map(|(id, at, test)| Outcome {
            run: run(id, *at),
            test: (*test).to_owned(),
            ..Outcome::default()
        });
        Record { begun: begun.collect(), outcomes: outcomes.collect(), damaged: Vec::new() }
    }

    #[track_caller]
    fn check(before: &Record, mut after: Record, begun: usize, tests: &[&str]) {
        after.keep_since(&before.mark());
        assert_eq!(after.begun.len(), begun);
        let new: Vec<&str> = after.outcomes.iter().map(|outcome| &*outcome.test).collect();
        assert_eq!(new, tests);
    }

    #[test]
    fn entries_are_new_even_if_they_are_of_the_same_second() {
        let before = record(&[("a", 9)], &[("a", 9, "size")]);
        check(&before, before.clone(), 0, &[]);
        let after = record(&[("a", 9), ("b", 9)], &[("a", 9, "size"), ("b", 9, "time")]);
        check(&before, after, 1, &["time"]);
        // The clock was set back.
        let after = record(&[("a", 9), ("b", 3)], &[("a", 9, "size"), ("b", 3, "time")]);
        check(&before, after, 1, &["time"]);
        check(&Record::default(), before.clone(), 1, &["size"]);
    }

    #[test]
    fn a_test_that_was_lost_leaves_room_for_its_outcome() {
        let test = |test: &str| Test { test: test.to_owned(), ..Test::default() };
        let begun =
            Begun { begun: vec![test("size"), test("time")], run: run("a", 9), ..Begun::default() };
        let lost = ["size", "time"].map(|name| begun.lost(&test(name)));
        let killed =
            Record { begun: vec![begun.clone()], outcomes: lost.to_vec(), damaged: Vec::new() };
        let mut after = record(&[("a", 9), ("a", 20)], &[("a", 20, "size"), ("a", 20, "time")]);
        check(&killed, after.clone(), 1, &["size", "time"]);
        // Lost tests of a run that another run follows are not new.
        after = record(&[("a", 9), ("b", 20)], &[("b", 20, "size")]);
        after.outcomes.extend(lost);
        check(&killed, after, 1, &["size"]);
        // Tests of its own that were lost again are not new either.
        let both = Record { begun: vec![begun.clone(), begun.clone()], ..killed.clone() };
        check(&killed, both, 1, &["size", "time"]);
    }

    #[test]
    fn the_new_entries_of_a_run_that_goes_on_stay() {
        let before = record(&[("a", 9)], &[("a", 9, "size")]);
        let after = record(&[("a", 9), ("a", 20)], &[("a", 9, "size"), ("a", 20, "time")]);
        check(&before, after, 1, &["time"]);
        // The older half of the record was renamed meanwhile.
        check(&before, record(&[("b", 20)], &[("b", 20, "time")]), 1, &["time"]);
    }
}
