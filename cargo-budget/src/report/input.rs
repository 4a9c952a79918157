//! The source of outcomes: the record of the project, or files that are named.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::{self, Begun, Record};
use perf_budget_core::report::count::Tests;

use super::Report;
use crate::clock;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::runs::{is_empty_shard, judged_nothing, last_begun, last_run};
use crate::sampled;
use crate::text::counted;

/// How many tests a remark names.
const NAMED: usize = 5;

/// Reads a file, which must have at least one outcome.
pub(crate) fn read(path: &Path) -> Result<Record, Failure> {
    with_outcomes(path, record::read(path)?)
}

/// Reads a shard. It has no outcome where there are more shards than tests.
pub(crate) fn read_shard(path: &Path) -> Result<Record, Failure> {
    let record = record::read(path)?;
    if is_empty_shard(&record) { Ok(record) } else { with_outcomes(path, record) }
}

/// Returns a record, which must have at least one outcome.
fn with_outcomes(path: &Path, record: Record) -> Result<Record, Failure> {
    if let Some(nothing) = judged_nothing(&record) {
        return Err(nothing);
    }
    if record.outcomes.is_empty() {
        return Err(Failure::unmeasured(format!(
            "there is no outcome in `{}`: the run ended before its first test was judged; run the tests again, \
             or leave the file out",
            path.display()
        )));
    }
    Ok(record)
}

/// Returns a remark on the lines of a record that could not be read, if there are any.
pub(crate) fn damage(path: &Path, record: &Record) -> Option<String> {
    let first = record.damaged.first()?;
    let which = match record.damaged.len() {
        1 => format!("line {first}"),
        n => format!("{n} lines, the first of them line {first},"),
    };
    Some(format!(
        "{which} of `{}` was cut off while it was written, and is left out",
        path.display()
    ))
}

/// Reads all these files, one file after the other.
fn read_all(files: &[PathBuf], progress: Progress) -> Result<(Record, Vec<String>), Failure> {
    let work = progress.count("reading", "files", files.len());
    let (mut all, mut remarks) = (Record::default(), Vec::new());
    for file in files {
        let record = read(file)?;
        remarks.extend(damage(file, &record));
        all.outcomes.extend(record.outcomes);
        all.begun.extend(record.begun);
        work.step();
    }
    Ok((all, remarks))
}

/// Reads the files as one record in order of time. The last run is reported, and the runs before it are the trend.
pub(crate) fn record(
    files: &[PathBuf],
    is_partial: bool,
    progress: Progress,
) -> Result<Report, Failure> {
    let (mut record, remarks) = read_all(files, progress)?;
    if files.len() > 1 {
        let latest = latest_starts(&record.outcomes);
        let start = |id: &String| latest.get(id).copied().unwrap_or(0);
        record.outcomes.sort_by_key(|outcome| start(&outcome.run.id));
        record.begun.sort_by_key(|begun| begun.run.began);
    }
    Ok(split(record, remarks, (!is_partial).then_some(0)))
}

/// Returns the latest start of the processes of each run, since each process has a start of its own.
fn latest_starts(outcomes: &[Outcome]) -> HashMap<String, u64> {
    let mut latest = HashMap::new();
    for run in outcomes.iter().map(|outcome| &outcome.run) {
        let start = latest.entry(run.id.clone()).or_insert(0);
        *start = run.began.max(*start);
    }
    latest
}

/// Splits a record into the last run and the earlier ones. A red of an earlier run that began at the time `since` or later
/// stays in the report if the last run left out its test. If `since` is `None`, the last run may have left out any test.
pub(crate) fn split(record: Record, mut remarks: Vec<String>, since: Option<u64>) -> Report {
    let mut outcomes = last_run(&record);
    let shown: HashSet<String> = outcomes.iter().map(|outcome| outcome.run.id.clone()).collect();
    let left = since.map(|since| reds_left_out(&record, &outcomes, since)).unwrap_or_default();
    let last = last_begun(&record);
    let missing = since.map_or(0, |_| missing(&record, &last));
    let begun = last.iter().map(|begun| {
        (begun.file.clone(), Tests { limits: begun.run.tests, budgets: begun.run.budgets })
    });
    let begun: Vec<(String, Tests)> = begun.collect();
    if missing > 0 {
        remarks.push(format!(
            "{} of the run {} no outcome: left out by a filter, or the run ended before; `--partial` accepts that",
            counted(missing, "test"),
            if missing == 1 { "has" } else { "have" }
        ));
    }
    remarks.extend(remark_on(&left));
    let is_left = |outcome: &Outcome| {
        left.iter().any(|own| own.test == outcome.test && own.run.id == outcome.run.id)
    };
    let mut earlier = record.outcomes;
    earlier.retain(|outcome| !shown.contains(&outcome.run.id) && !is_left(outcome));
    outcomes.extend(left);
    let mut report = Report { missing, remarks, ..Report::new(outcomes, earlier) };
    // A file whose tests were all left out has no outcome that tells how many there are.
    report.files.extend(begun);
    report
}

/// Returns the red outcomes of earlier runs whose tests the last run left out, so that nothing has shown them to hold since.
fn reds_left_out(record: &Record, last: &[Outcome], since: u64) -> Vec<Outcome> {
    let judged: HashSet<(&String, &String)> =
        last.iter().map(|own| (&own.file, &own.test)).collect();
    let mut left = crate::runs::last_of_each_test(record);
    left.retain(|outcome| {
        outcome.is_red()
            && outcome.run.began >= since
            && !judged.contains(&(&outcome.file, &outcome.test))
    });
    left
}

/// Returns a remark on the reds that the last run left out, if there are any.
fn remark_on(left: &[Outcome]) -> Option<String> {
    let names: Vec<String> = left.iter().map(|outcome| format!("`{}`", outcome.test)).collect();
    let shown = names[..names.len().min(NAMED)].join(", ");
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!left.is_empty()).then(|| {
        format!(
            "{shown}{more}: red since an earlier run, and left out of the last one; run the whole suite again, or accept that \
             by `--partial`"
        )
    })
}

/// Returns how many tests of the last runs have no outcome. Only runs with a process for each test are counted, since such a
/// run does not record which tests it was to judge. Each test target of a run may have a file with budgets of its own.
fn missing(record: &Record, last: &[&Begun]) -> usize {
    // If one process of the run ignores no test, the ignored tests were asked for and run too.
    let mut by_file: HashMap<&String, &Begun> = HashMap::new();
    for begun in last.iter().filter(|begun| begun.shared) {
        let least = by_file.entry(&begun.file).or_insert(begun);
        if begun.ignored < least.ignored {
            *least = begun;
        }
    }
    // A run goes through all test targets. So a file that only an earlier run has was left out of the newest one altogether.
    let newest = last.last().filter(|begun| begun.shared).map(|begun| &begun.run.id);
    let missing = by_file.values().map(|begun| {
        let is_judged = newest.is_none_or(|id| *id == begun.run.id);
        let is_of_run = |outcome: &&Outcome| {
            outcome.run.id == begun.run.id
                && outcome.file == begun.file
                && !outcome.is_of_no_limit()
        };
        let judged: HashSet<&String> = record
            .outcomes
            .iter()
            .filter(is_of_run)
            .filter(|_| is_judged)
            .map(|own| &own.test)
            .collect();
        begun.run.tests.saturating_sub(begun.ignored + judged.len())
    });
    missing.sum()
}

/// Reads the last run of the project that contains `start`, which must have begun at the time `since` or later.
pub(crate) fn project(
    start: &Path,
    since: u64,
    is_partial: bool,
    progress: Progress,
) -> Result<Report, Failure> {
    let (path, record) = of_project(start, progress)?;
    last_run_since(&path, record, since, is_partial)
}

/// Reads the last run of the project that contains `start`, and what earlier runs know of the tests that it left out.
pub(crate) fn latest(start: &Path, progress: Progress) -> Result<Report, Failure> {
    let (path, record) = of_project(start, progress)?;
    let latest = crate::runs::latest(&record);
    let mut report = last_run_since(&path, record, 0, true)?;
    let shown: HashSet<(&String, &String)> =
        latest.iter().map(|own| (&own.test, &own.run.id)).collect();
    report.earlier.retain(|outcome| !shown.contains(&(&outcome.test, &outcome.run.id)));
    report.outcomes = latest;
    Ok(report)
}

fn of_project(start: &Path, progress: Progress) -> Result<(PathBuf, Record), Failure> {
    let project = crate::project::Project::recorded(start)?;
    let _work = progress.busy("reading outcomes");
    let path = project.record();
    let mut record = project.runs(&path)?;
    name_samples(&path, &mut record);
    Ok((path, record))
}

/// Names the sampled and the inlined functions of outcomes that no command has completed yet, since `cargo test` alone ran
/// their tests.
fn name_samples(path: &Path, record: &mut Record) {
    let is_unnamed = |outcome: &Outcome| sampled::is_unnamed(outcome);
    if !record.outcomes.iter().any(is_unnamed) {
        return;
    }
    let mut last = crate::runs::latest(record);
    last.retain(is_unnamed);
    // If the names cannot be written, the next report finds them again.
    let _ = sampled::complete(&mut last, path);
    record.add(last);
}

/// Returns the last run of a record, which must have begun at the time `since` or later. Unless `since` is 0, a run whose
/// start is in the future is refused as well: it was recorded before the clock was set back.
fn last_run_since(
    path: &Path,
    record: Record,
    since: u64,
    is_partial: bool,
) -> Result<Report, Failure> {
    let remarks = damage(path, &record).into_iter().collect();
    let mut report = split(record, remarks, (!is_partial).then_some(since));
    report.set_aside_before(since, is_partial);
    let began = report.outcomes.iter().map(|outcome| outcome.run.began).max();
    let is_ahead = |began| since > 0 && clock::is_ahead(began, clock::now());
    if began.is_none_or(|began| began < since || is_ahead(began)) {
        return Err(Failure::unmeasured(format!(
            "no run of this project began since then; its record is `{}`",
            path.display()
        )));
    }
    Ok(report)
}

impl Report {
    /// Moves outcomes of runs that began before the time `since` to the earlier ones: the last run of one file may be older than
    /// that of another.
    fn set_aside_before(&mut self, since: u64, is_partial: bool) {
        let latest = latest_starts(&self.outcomes);
        let is_stale =
            |outcome: &Outcome| latest.get(&outcome.run.id).is_some_and(|at| *at < since);
        let (stale, fresh): (Vec<Outcome>, _) =
            std::mem::take(&mut self.outcomes).into_iter().partition(is_stale);
        self.outcomes = fresh;
        if let (Some(first), false) = (stale.first(), is_partial) {
            self.missing += stale.len();
            self.remarks.push(format!(
                "the last run of `{}` began too early for `--since`, and later runs left it out; `--partial` accepts that",
                first.file
            ));
        }
        self.earlier.extend(stale);
    }

    /// Adds these records to the earlier runs.
    pub(crate) fn precede(&mut self, files: &[PathBuf], progress: Progress) -> Result<(), Failure> {
        let (record, remarks) = read_all(files, progress)?;
        self.remarks.extend(remarks);
        let mut before = record.outcomes;
        let shown =
            |outcome: &Outcome| self.outcomes.iter().any(|own| own.run.id == outcome.run.id);
        before.retain(|outcome| !shown(outcome));
        self.earlier.splice(0..0, before);
        self.earlier.sort_by_key(|outcome| outcome.run.began);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::Run;
    use perf_budget_core::verdict::Verdict;

    use super::*;

    /// Returns one process of a run that has a process for each test, and the outcome of the test that it judged, if any.
    fn process(id: &str, file: &str, tests: usize, test: Option<&str>) -> (Begun, Option<Outcome>) {
        let began = id.parse().unwrap();
        let run = Run { id: id.to_owned(), began, tests, budgets: 1, ..Run::default() };
        let file = file.to_owned();
        let outcome = test.map(|test| Outcome {
            test: test.to_owned(),
            budget: file.clone(),
            verdict: Verdict::Pass,
            file: file.clone(),
            run: run.clone(),
            ..Outcome::default()
        });
        (Begun { shared: true, file, run, ..Begun::default() }, outcome)
    }

    fn record(processes: Vec<(Begun, Option<Outcome>)>) -> Record {
        let (begun, outcomes): (_, Vec<_>) = processes.into_iter().unzip();
        let outcomes = outcomes.into_iter().flatten().collect();
        Record { begun, outcomes, damaged: Vec::new() }
    }

    #[track_caller]
    fn check(processes: Vec<(Begun, Option<Outcome>)>, missing: usize, closing: &str) {
        let report = split(record(processes), Vec::new(), Some(0));
        assert_eq!((report.missing, &*report.closing()), (missing, closing));
        let exit = if missing > 0 { 3 } else { 0 };
        assert_eq!(report.exit().code(), exit);
    }

    #[test]
    fn a_test_that_a_filter_left_out_of_one_file_is_missed_whatever_another_file_has() {
        let one = || process("1", "budgets.toml", 2, Some("fine"));
        let two = || process("1", "budgets.toml", 2, Some("app"));
        // Tests of two files may have the same name.
        let other = || process("1", "second.toml", 1, Some("fine"));
        check(vec![one(), two(), other()], 0, "3 limits of 2 budgets: 3 pass");
        check(vec![one(), other()], 1, "3 limits of 2 budgets: 2 pass; 1 not judged yet");
        check(vec![other(), one()], 1, "3 limits of 2 budgets: 2 pass; 1 not judged yet");
        let lone = || process("2", "second.toml", 1, Some("fine"));
        // The newest run has left out a whole file, which an earlier run has.
        check(vec![one(), two(), other(), lone()], 2, "3 limits of 2 budgets: 3 pass");
    }

    #[test]
    fn a_run_in_one_process_counts_the_tests_of_each_file() {
        let alone = |(begun, outcome)| (Begun { shared: false, ..begun }, outcome);
        let left = alone(process("1", "budgets.toml", 2, None));
        let judged = alone(process("2", "second.toml", 1, Some("fine")));
        check(vec![left, judged], 0, "3 limits of 2 budgets: 1 pass; 2 not judged yet");
    }

    #[test]
    fn a_file_whose_last_run_is_older_than_since_is_missing() {
        let old = process("5", "budgets.toml", 1, Some("app"));
        let new = process("9", "second.toml", 1, Some("fine"));
        let path = Path::new("outcomes.jsonl");
        let read = |is_partial| {
            let alone = |(begun, outcome)| (Begun { shared: false, ..begun }, outcome);
            let both = vec![alone(old.clone()), alone(new.clone())];
            last_run_since(path, record(both), 7, is_partial).unwrap()
        };
        let report = read(false);
        assert_eq!((report.outcomes.len(), report.exit().code()), (1, 3));
        assert!(
            report.remarks.iter().any(|remark| remark.contains("`budgets.toml` began too early"))
        );
        assert_eq!(read(true).exit().code(), 0);
    }
}
