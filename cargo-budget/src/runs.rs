//! Which runs of a record count: the last one, or the latest one that judged each test.

use std::collections::{HashMap, HashSet};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::{Begun, Record};

use crate::failure::Failure;

/// Returns the failure of a last run that judged nothing because every test was left out; `None` if it judged something.
pub(crate) fn judged_nothing(record: &Record) -> Option<Failure> {
    let last = record.begun.last()?;
    if !last_run(record).is_empty() {
        return None;
    }
    let why = match last.filtered {
        0 if is_empty_shard(record) => {
            return Some(Failure::unmeasured(format!(
                "the last run judged nothing: no test of {} is in its shard, since there are more shards than tests; use \
                 fewer, or merge the records of all by `cargo budget report --merge`",
                last.file
            )));
        }
        0 => format!("{} has no limit", last.file),
        1 => format!("the arguments left out the only test of {}", last.file),
        n => format!("the arguments left out all {n} tests of {}", last.file),
    };
    Some(Failure::unmeasured(format!(
        "the last run judged nothing: {why}; run the tests again without a filter"
    )))
}

/// Whether the last run was a part of a run that has no test, because there are more parts than tests.
pub(crate) fn is_empty_shard(record: &Record) -> bool {
    let has_none = |begun: &Begun| begun.begun.is_empty() && begun.filtered == 0;
    record.begun.last().is_some_and(|begun| has_none(begun) && begun.run.tests > 0)
}

/// Returns the outcomes of the last run of each file with budgets. The test targets of a package may have a file each,
/// and `cargo test` runs them one after the other.
pub(crate) fn last_run(record: &Record) -> Vec<Outcome> {
    let runs = last_runs(record).into_iter().map(|(file, id)| (file, HashSet::from([id])));
    last_outcomes(record, &runs.collect())
}

/// Returns the processes that began in the last run of each file with budgets.
pub(crate) fn last_begun(record: &Record) -> Vec<&Begun> {
    let last = last_runs(record);
    let is_last = |begun: &&Begun| last.get(&begun.file) == Some(&&begun.run.id);
    record.begun.iter().filter(is_last).collect()
}

/// Returns the name of the last run of each file with budgets.
fn last_runs(record: &Record) -> HashMap<&String, &String> {
    let begun = record.begun.iter().rev().map(|begun| (&begun.file, &begun.run.id));
    newest(begun, record)
}

/// Returns the last outcome of each test, from the last run of a file that left out no test and the runs after it. If every
/// run of a file left out tests, it returns the last run.
pub(crate) fn latest(record: &Record) -> Vec<Outcome> {
    let has_whole_run =
        |file: &String| record.begun.iter().any(|begun| begun.file == *file && is_whole(begun));
    if record.begun.iter().all(|begun| has_whole_run(&begun.file)) && !record.begun.is_empty() {
        return last_of_each_test(record);
    }
    last_run(record)
}

/// Returns the last outcome of each test, from the last run of a file that left out no test and the runs after it. If every
/// run of a file left out tests, all its runs count.
pub(crate) fn last_of_each_test(record: &Record) -> Vec<Outcome> {
    let whole = record.begun.iter().rev().filter(|begun| is_whole(begun));
    let whole = newest(whole.map(|begun| (&begun.file, &begun.run.id)), record);
    let with_whole_run: HashSet<&String> =
        record.begun.iter().filter(|begun| is_whole(begun)).map(|begun| &begun.file).collect();
    let mut runs: HashMap<&String, HashSet<&String>> = HashMap::new();
    for begun in record.begun.iter().rev() {
        let ids = runs.entry(&begun.file).or_default();
        let counts = !with_whole_run.contains(&begun.file)
            || whole.get(&begun.file).is_none_or(|id| !ids.contains(id));
        if counts {
            ids.insert(&begun.run.id);
        }
    }
    last_outcomes(record, &runs)
}

/// Whether a run left out no test. If each test is a process of its own, every process leaves out the others, so that says
/// nothing about the run.
fn is_whole(begun: &Begun) -> bool {
    begun.filtered == 0 || begun.shared
}

/// Returns the newest of these runs of each file, which are given newest first. Outcomes show the run of a file only if no
/// beginning is recorded, since a process begins before it judges.
fn newest<'r>(
    runs: impl Iterator<Item = (&'r String, &'r String)>,
    record: &'r Record,
) -> HashMap<&'r String, &'r String> {
    let judged = record.outcomes.iter().rev().map(|outcome| (&outcome.file, &outcome.run.id));
    let mut newest = HashMap::new();
    for (file, id) in runs.chain(judged) {
        newest.entry(file).or_insert(id);
    }
    newest
}

/// Returns the last outcome of each test in these runs of each file.
fn last_outcomes(record: &Record, runs: &HashMap<&String, HashSet<&String>>) -> Vec<Outcome> {
    let is_in_runs = |outcome: &&Outcome| {
        runs.get(&outcome.file).is_some_and(|runs| runs.contains(&outcome.run.id))
    };
    let mut last: Vec<Outcome> = Vec::new();
    let mut positions = HashMap::new();
    for outcome in record.outcomes.iter().filter(is_in_runs) {
        let at = *positions.entry((&outcome.file, &outcome.test)).or_insert(last.len());
        if at == last.len() {
            last.push(outcome.clone());
        } else {
            last[at] = outcome.clone();
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::Run;

    use super::*;

    fn begun(run: &str, filtered: usize, shared: bool) -> Begun {
        let run = Run { id: run.to_owned(), ..Run::default() };
        Begun { filtered, shared, file: "budgets.toml".to_owned(), run, ..Begun::default() }
    }

    fn outcome(run: &str, test: &str) -> Outcome {
        let run = Run { id: run.to_owned(), ..Run::default() };
        let (test, file) = (test.to_owned(), "budgets.toml".to_owned());
        Outcome { test, file, run, ..Outcome::default() }
    }

    /// Checks the outcomes of the last run, and the latest ones, each as `RUN/TEST`.
    fn check(begun: Vec<Begun>, last: &[&str], latest_ones: &[&str]) {
        let first = ["a", "b"].map(|test| outcome("1", test)).into_iter();
        let outcomes = first.chain([outcome("2", "b"), outcome("3", "a")]).collect();
        let mut record = Record { begun, outcomes, ..Record::default() };
        // A report may append an older outcome again, which does not make it the latest one.
        record.add(vec![outcome("1", "a"), outcome("1", "b")]);
        let shown = |outcomes: Vec<Outcome>| {
            let shown = outcomes.iter().map(|o| format!("{}/{}", o.run.id, o.test));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(shown(last_run(&record)), last);
        assert_eq!(shown(latest(&record)), latest_ones);
    }

    #[test]
    fn a_run_of_some_tests_keeps_the_outcomes_of_the_others() {
        let whole = || begun("1", 0, false);
        check(vec![whole(), begun("2", 1, false), begun("3", 1, false)], &["3/a"], &["3/a", "2/b"]);
        // A run without a filter replaces all earlier outcomes.
        check(vec![whole(), begun("2", 1, false), begun("3", 0, false)], &["3/a"], &["3/a"]);
        check(vec![whole(), begun("2", 0, true), begun("3", 1, false)], &["3/a"], &["2/b", "3/a"]);
        check(
            vec![begun("1", 1, false), begun("2", 1, false), begun("3", 1, false)],
            &["3/a"],
            &["3/a"],
        );
        // An older record has no beginnings.
        check(vec![], &["3/a"], &["3/a"]);
    }
}
