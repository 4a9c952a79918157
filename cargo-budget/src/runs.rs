//! Which runs of a record count: the last one, or the latest one that judged each test.

use std::collections::{HashMap, HashSet};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::{Begun, Record};

use crate::failure::Failure;

/// Returns the failure that the last run judged nothing, if that is so: every test was left out.
pub(crate) fn judged_nothing(record: &Record) -> Option<Failure> {
    let last = record.begun.last()?;
    if !last_run(record).is_empty() {
        return None;
    }
    let why = match last.filtered {
        0 => format!("{} has no limit", last.file),
        1 => format!("the arguments left out the only test of {}", last.file),
        n => format!("the arguments left out all {n} tests of {}", last.file),
    };
    Some(Failure::unmeasured(format!(
        "the last run judged nothing: {why}; run the tests again without a filter"
    )))
}

/// Returns the outcomes of the last run of each file with budgets. The test targets of a package may have a file each,
/// and `cargo test` runs them one after the other.
pub(crate) fn last_run(record: &Record) -> Vec<Outcome> {
    let runs = last_runs(record).into_iter().map(|(file, id)| (file, HashSet::from([id])));
    of_runs(record, &runs.collect())
}

/// Returns the processes that began in the last run of each file with budgets.
pub(crate) fn last_begun(record: &Record) -> Vec<&Begun> {
    let last = last_runs(record);
    let is_of = |begun: &&Begun| last.get(&begun.file) == Some(&&begun.run.id);
    record.begun.iter().filter(is_of).collect()
}

/// Returns the name of the last run of each file with budgets.
fn last_runs(record: &Record) -> HashMap<&String, &String> {
    let begun = record.begun.iter().rev().map(|begun| (&begun.file, &begun.run.id));
    newest(begun, record)
}

/// Returns the last outcome of each test since the last run of a file that left out no test. Where every run left out
/// some, it is the last run.
pub(crate) fn latest(record: &Record) -> Vec<Outcome> {
    let begins =
        |file: &String| record.begun.iter().any(|begun| begun.file == *file && is_whole(begun));
    if record.begun.iter().all(|begun| begins(&begun.file)) && !record.begun.is_empty() {
        return known(record);
    }
    last_run(record)
}

/// Returns the last outcome of each test since the last run of a file that left out no test, or else since the record begins.
pub(crate) fn known(record: &Record) -> Vec<Outcome> {
    let whole = record.begun.iter().rev().filter(|begun| is_whole(begun));
    let whole = newest(whole.map(|begun| (&begun.file, &begun.run.id)), record);
    let begins: HashSet<&String> =
        record.begun.iter().filter(|begun| is_whole(begun)).map(|begun| &begun.file).collect();
    let mut runs: HashMap<&String, HashSet<&String>> = HashMap::new();
    for begun in record.begun.iter().rev() {
        let known = runs.entry(&begun.file).or_default();
        let is_open = !begins.contains(&begun.file)
            || whole.get(&begun.file).is_none_or(|id| !known.contains(id));
        if is_open {
            known.insert(&begun.run.id);
        }
    }
    of_runs(record, &runs)
}

/// Whether a run left out no test. Where each test is a process, every process has left out the others.
fn is_whole(begun: &Begun) -> bool {
    begun.filtered == 0 || begun.shared
}

/// Returns the newest of these runs of each file. An outcome tells the run of a file only where no beginning is
/// recorded, since a process begins before it judges.
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
fn of_runs(record: &Record, runs: &HashMap<&String, HashSet<&String>>) -> Vec<Outcome> {
    let is_of = |outcome: &&Outcome| {
        runs.get(&outcome.file).is_some_and(|runs| runs.contains(&outcome.run.id))
    };
    let mut of_run: Vec<Outcome> = Vec::new();
    let mut known = HashMap::new();
    for outcome in record.outcomes.iter().filter(is_of) {
        let at = *known.entry((&outcome.file, &outcome.test)).or_insert(of_run.len());
        if at == of_run.len() {
            of_run.push(outcome.clone());
        } else {
            of_run[at] = outcome.clone();
        }
    }
    of_run
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
        let of = ["a", "b"].map(|test| outcome("1", test)).into_iter();
        let outcomes = of.chain([outcome("2", "b"), outcome("3", "a")]).collect();
        let mut record = Record { begun, outcomes, ..Record::default() };
        // A report may add to an older outcome, which is not the latest one by that.
        record.add(vec![outcome("1", "a"), outcome("1", "b")]);
        let shown = |outcomes: Vec<Outcome>| {
            let shown = outcomes.iter().map(|o| format!("{}/{}", o.run.id, o.test));
            shown.collect::<Vec<_>>()
        };
        assert_eq!(shown(last_run(&record)), last);
        assert_eq!(shown(latest(&record)), latest_ones);
    }

    #[test]
    fn a_run_of_some_tests_leaves_what_is_known_of_the_others() {
        let whole = || begun("1", 0, false);
        check(vec![whole(), begun("2", 1, false), begun("3", 1, false)], &["3/a"], &["3/a", "2/b"]);
        // A run without a filter stands for itself.
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
