//! The source of outcomes: the record of the project, or files that are named.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::{self, Record};

use super::{Report, is_idle};
use crate::clock;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::runs::{judged_nothing, last_run};
use crate::sampled;
use crate::text::counted;

/// How many tests a remark names.
const NAMED: usize = 5;

/// Reads a file, in which there must be at least one outcome.
pub(crate) fn read(path: &Path) -> Result<Record, Failure> {
    let record = record::read(path)?;
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
fn all(files: &[PathBuf], progress: Progress) -> Result<(Record, Vec<String>), Failure> {
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
    let (mut record, remarks) = all(files, progress)?;
    if files.len() > 1 {
        // A run is sorted by the latest start of its processes, since each process has a start of its own.
        let mut ends: HashMap<String, u64> = HashMap::new();
        for run in record.outcomes.iter().map(|outcome| &outcome.run) {
            let end = ends.entry(run.id.clone()).or_insert(0);
            *end = run.began.max(*end);
        }
        let end = |id: &String| ends.get(id).copied().unwrap_or(0);
        record.outcomes.sort_by_key(|outcome| end(&outcome.run.id));
        record.begun.sort_by_key(|begun| begun.run.began);
    }
    Ok(split(record, remarks, (!is_partial).then_some(0)))
}

/// Splits a record into the last run and the earlier ones. A red of an earlier run that began at the time `since` or later
/// stays in the report if the last run left out its test; where `since` is `None`, whatever the run left out is accepted.
pub(crate) fn split(record: Record, mut remarks: Vec<String>, since: Option<u64>) -> Report {
    let mut outcomes = last_run(&record);
    let shown: HashSet<String> = outcomes.iter().map(|outcome| outcome.run.id.clone()).collect();
    let left = since.map(|since| reds_left_out(&record, &outcomes, since)).unwrap_or_default();
    let missing = match since {
        Some(_) => shown.iter().map(|id| missing(&record, id)).sum(),
        None => 0,
    };
    if missing > 0 {
        remarks.push(format!(
            "{} of the run {} no outcome: left out by a filter, or the run ended before; `--partial` accepts that",
            counted(missing, "test"),
            if missing == 1 { "has" } else { "have" }
        ));
    }
    remarks.extend(said_of(&left));
    let is_left = |outcome: &Outcome| {
        left.iter().any(|own| own.test == outcome.test && own.run.id == outcome.run.id)
    };
    let mut earlier = record.outcomes;
    earlier.retain(|outcome| !shown.contains(&outcome.run.id) && !is_left(outcome));
    outcomes.extend(left);
    Report { missing, remarks, ..Report::new(outcomes, earlier) }
}

/// Returns the red outcomes of earlier runs whose tests the last run left out, so that nothing has shown them to hold since.
fn reds_left_out(record: &Record, last: &[Outcome], since: u64) -> Vec<Outcome> {
    let judged: HashSet<(&String, &String)> =
        last.iter().map(|own| (&own.file, &own.test)).collect();
    let mut left = crate::runs::known(record);
    left.retain(|outcome| {
        outcome.is_red()
            && outcome.run.began >= since
            && !judged.contains(&(&outcome.file, &outcome.test))
    });
    left
}

/// Returns a remark on the reds that the last run left out, if there are any.
fn said_of(left: &[Outcome]) -> Option<String> {
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

/// Returns how many tests of a run have no outcome, where it has a process for each test: such a run does not say which
/// tests it was to judge.
fn missing(record: &Record, id: &str) -> usize {
    // If some process of the run ignores no test, the ignored tests were asked for and run too.
    let of_run = record.begun.iter().filter(|begun| begun.run.id == id && begun.shared);
    let Some(begun) = of_run.min_by_key(|begun| begun.ignored) else { return 0 };
    let of_run = record.outcomes.iter().filter(|outcome| outcome.run.id == id && !is_idle(outcome));
    let judged: HashSet<&String> = of_run.map(|outcome| &outcome.test).collect();
    begun.run.tests.saturating_sub(begun.ignored + judged.len())
}

/// Reads the last run of the project that contains `start`, which must have begun at the time `since` or later.
pub(crate) fn project(
    start: &Path,
    since: u64,
    is_partial: bool,
    progress: Progress,
) -> Result<Report, Failure> {
    let (path, record) = of_project(start, progress)?;
    begun(&path, record, since, is_partial)
}

/// Reads the last run of the project that contains `start`, and what earlier runs know of the tests that it left out.
pub(crate) fn latest(start: &Path, progress: Progress) -> Result<Report, Failure> {
    let (path, record) = of_project(start, progress)?;
    let latest = crate::runs::latest(&record);
    let mut report = begun(&path, record, 0, true)?;
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

/// Names the functions of samples that no command has seen yet, and those that were inlined: of tests that cargo alone has run.
fn name_samples(path: &Path, record: &mut Record) {
    let is_unnamed = |outcome: &Outcome| sampled::is_unnamed(outcome);
    if !record.outcomes.iter().any(is_unnamed) {
        return;
    }
    let mut last = crate::runs::latest(record);
    last.retain(is_unnamed);
    // A record that cannot be written is named again by the next report.
    let _ = sampled::complete(&mut last, path);
    record.add(last);
}

/// Returns the last run of a record, which must have begun at the time `since` or later. Where that is asked, a run from
/// the future has not: it was recorded before the clock was set back.
fn begun(path: &Path, record: Record, since: u64, is_partial: bool) -> Result<Report, Failure> {
    let remarks = damage(path, &record).into_iter().collect();
    let report = split(record, remarks, (!is_partial).then_some(since));
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
    /// Adds these records to the earlier runs.
    pub(crate) fn precede(&mut self, files: &[PathBuf], progress: Progress) -> Result<(), Failure> {
        let (record, remarks) = all(files, progress)?;
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
