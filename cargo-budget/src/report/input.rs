//! The source of outcomes: the record of the project, or files that are named.

use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;

use super::Report;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::last_run;

/// Reads the outcomes of a file, of which there must be at least one.
pub(crate) fn read(path: &Path) -> Result<Vec<Outcome>, Failure> {
    let outcomes = record::read(path)?;
    if outcomes.is_empty() {
        return Err(Failure::unmeasured(format!(
            "there is no outcome in `{}`: the run ended before its first test was judged; run the tests again, \
             or leave the file out",
            path.display()
        )));
    }
    Ok(outcomes)
}

/// Reads the outcomes of all these files, one file after the other.
fn all(files: &[PathBuf], progress: Progress) -> Result<Vec<Outcome>, Failure> {
    let work = progress.count("reading", "files", files.len());
    let mut outcomes = Vec::new();
    for file in files {
        outcomes.extend(read(file)?);
        work.step();
    }
    Ok(outcomes)
}

/// Reads the files as one record in order of time. The last run is reported, and the runs before it are the trend.
pub(crate) fn record(files: &[PathBuf], progress: Progress) -> Result<Report, Failure> {
    let mut outcomes = all(files, progress)?;
    if files.len() > 1 {
        // A run is sorted by the latest start of its processes, since each process has a start of its own.
        let ends: std::collections::HashMap<String, u64> =
            outcomes.iter().fold(std::collections::HashMap::new(), |mut ends, outcome| {
                let end = ends.entry(outcome.run.id.clone()).or_insert(0);
                *end = outcome.run.began.max(*end);
                ends
            });
        outcomes.sort_by_key(|outcome| ends.get(&outcome.run.id).copied().unwrap_or(0));
    }
    Ok(split(outcomes))
}

/// Splits outcomes into the last run and the earlier ones.
pub(crate) fn split(outcomes: Vec<Outcome>) -> Report {
    let last = outcomes.last().map(|outcome| outcome.run.id.clone()).unwrap_or_default();
    let earlier = outcomes.iter().filter(|outcome| outcome.run.id != last).cloned().collect();
    Report::new(last_run(outcomes), earlier)
}

/// Reads the last run of the project that contains `start`.
pub(crate) fn project(start: &Path, progress: Progress) -> Result<Report, Failure> {
    let project = crate::project::Project::find(start)?;
    // Where nothing is recorded yet, this returns the error that says so.
    if !project.record().is_file() {
        project.last_run(progress)?;
    }
    let work = progress.busy("reading outcomes");
    let own = project.own(read(&project.record())?);
    drop(work);
    if own.is_empty() {
        project.last_run(progress)?;
    }
    Ok(split(own))
}

impl Report {
    /// Adds these records to the earlier runs.
    pub(crate) fn precede(&mut self, files: &[PathBuf], progress: Progress) -> Result<(), Failure> {
        let mut before = all(files, progress)?;
        let shown =
            |outcome: &Outcome| self.outcomes.iter().any(|own| own.run.id == outcome.run.id);
        before.retain(|outcome| !shown(outcome));
        self.earlier.splice(0..0, before);
        self.earlier.sort_by_key(|outcome| outcome.run.began);
        Ok(())
    }
}
