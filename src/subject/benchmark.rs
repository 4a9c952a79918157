//! The measurement of Criterion's benchmarks: the benchmark's own program is started anew for each value, and Criterion
//! measures in it as it always does, but for a short time.
//!
//! A process gives one value, whatever Criterion samples in it, since what varies from process to process is not in one
//! process's samples.

mod named;
mod pairs;
mod process;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::benchmarks::{List, Skills};
use perf_budget_core::build::BenchBuild;
use perf_budget_core::metric::{Metric, SampleKind};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::Unit;
use perf_budget_core::reading::{ProcessRun, Timing};

use self::process::{Mode, Run};
use super::build::Builder;
use crate::meter::Source;

pub(crate) use self::named::Sharing;
pub(super) use self::pairs::BenchmarkPairs;

/// The time from which a process counts as slow, because the code of the benchmark sets its own times.
const SLOW: Duration = Duration::from_secs(1);

/// A benchmark, ready to be run.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The name as Criterion knows it.
    name: String,
    /// The path of the program.
    pub(super) binary: PathBuf,
    /// The directory in which the program runs.
    directory: PathBuf,
    package: String,
    skills: Skills,
    /// How the program was built.
    note: String,
}

/// Where the list of a revision's benchmarks comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// They are built here.
    Build(Arc<Builder>, BenchBuild),
    /// They were built elsewhere, and this file has their list.
    File(PathBuf),
}

/// One benchmark of one revision.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// The name by which the budget knows it.
    pub(super) name: String,
    /// The name of this side in messages, if it is the reference.
    pub(super) role: Option<String>,
    pub(super) origin: Origin,
}

impl Origin {
    /// Returns the list of the benchmarks.
    pub(crate) fn list(&self) -> Result<List, Unmeasured> {
        match self {
            Origin::Build(builder, how) => builder.list(how),
            Origin::File(file) => List::read(file).ok_or_else(|| {
                let text = format!("failed to read the list of benchmarks `{}`", file.display());
                Unmeasured::new(Cause::Harness, text)
            }),
        }
    }
}

impl Side {
    /// Builds the benchmark and returns where it is.
    pub(super) fn find(&self) -> Result<Found, Unmeasured> {
        let list = self.origin.list().map_err(|why| self.with_role(why))?;
        let entry = list.find(&self.name).map_err(|why| self.with_role(why))?;
        Ok(Found {
            name: entry.plain.to_owned(),
            binary: entry.program.binary.clone(),
            directory: entry.program.directory.clone(),
            package: entry.program.package.clone(),
            skills: entry.skills,
            note: list.note.clone(),
        })
    }

    fn with_role(&self, why: Unmeasured) -> Unmeasured {
        match &self.role {
            None => why,
            Some(role) => {
                Unmeasured { text: format!("{role} was not measured: {}", why.text), ..why }
            }
        }
    }
}

/// What all processes of a benchmark share.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) metrics: Vec<Metric>,
    /// The unit of the limit on the throughput, if there is such a limit.
    pub(super) rate: Option<Unit>,
    /// The directory in which Criterion writes its records.
    pub(super) scratch: PathBuf,
    /// How long one process may take.
    pub(super) timeout: Duration,
}

impl Terms {
    fn run(&self, found: &Found, mode: Mode) -> Result<Run, Unmeasured> {
        process::run(found, mode, self.rate, &self.scratch, self.timeout)
    }

    /// Runs a benchmark for the first time, and returns how it is to be run from now on.
    fn choose(&self, found: &Found) -> Result<(Mode, Run), Unmeasured> {
        if !found.skills.quick {
            return Ok((Mode::Timed, self.run(found, Mode::Timed)?));
        }
        // A process that is much slower than this is not waited for.
        let quick = self.run(found, Mode::Quick)?;
        let timeout = (quick.elapsed * 2).max(SLOW).min(self.timeout);
        match (Terms { timeout, ..self.clone() }).run(found, Mode::Timed) {
            Ok(timed) => Ok((Mode::Timed, timed)),
            Err(why) if why.cause == Cause::TimedOut => Ok((Mode::Quick, quick)),
            Err(why) => Err(why),
        }
    }
}

/// The processes of one benchmark.
pub(super) struct BenchmarkRuns {
    side: Side,
    terms: Terms,
    found: Option<Found>,
    mode: Option<Mode>,
}

impl BenchmarkRuns {
    pub(super) fn new(side: Side, terms: Terms) -> BenchmarkRuns {
        BenchmarkRuns { side, terms, found: None, mode: None }
    }
}

impl Source for BenchmarkRuns {
    fn prepare(&mut self) {
        self.found = self.side.find().ok();
    }

    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        let found = match &self.found {
            Some(found) => found.clone(),
            None => self.side.find()?,
        };
        let run = match self.mode {
            Some(mode) => self.terms.run(&found, mode)?,
            None => {
                let (mode, run) = self.terms.choose(&found)?;
                self.mode = Some(mode);
                run
            }
        };
        let mode = self.mode.unwrap_or(Mode::Timed);
        let mut process = ProcessRun {
            elapsed: run.elapsed,
            waited: run.waited,
            preempted: run.preempted,
            // The program's own clock says nothing about how long it waited for a processor.
            timing: Some(Timing::Wall),
            ..ProcessRun::default()
        };
        for metric in &self.terms.metrics {
            match run.value(metric) {
                Ok(value) => drop(process.values.insert(metric.clone(), value)),
                Err(why) => drop(process.unmeasured.insert(metric.clone(), why)),
            }
        }
        if let Ok(work) = run.work {
            process.work = work;
        }
        process.notes = notes(&[&found], mode, &run);
        self.found = Some(found);
        Ok(process)
    }
}

/// Returns the notes for a reader of the result.
fn notes(found: &[&Found], mode: Mode, run: &Run) -> Vec<String> {
    let mut notes: Vec<String> = found.iter().map(|found| found.note.clone()).collect();
    notes.dedup();
    notes.push(match mode {
        Mode::Timed => "measured by Criterion, one value of each process".to_owned(),
        Mode::Quick => "measured by Criterion with `--quick`, since the benchmark sets its own times; one value of each \
                        process"
            .to_owned(),
    });
    notes.extend(run.long_set_up());
    notes
}

/// Returns a metric's value without its unit, in the words of the error where there is none.
fn is_rate(metric: &Metric) -> bool {
    metric.sample() == SampleKind::Rate
}

/// The directory of one process's records, which is removed when this is dropped.
struct Home(PathBuf);

impl Home {
    fn new(scratch: &Path) -> Result<Home, Unmeasured> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = scratch.join(format!("criterion-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(&place).map_err(|e| {
            let text = format!("failed to create `{}`: {e}", place.display());
            Unmeasured::new(Cause::Harness, text)
        })?;
        Ok(Home(place))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
